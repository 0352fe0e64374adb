import Heliograph

/// The files under `--root`: `/files/{path...}`.
func addFiles(to router: Routes, _ context: RouteContext) {
    guard let root = context.files else { return }
    router.on(nil, "/files/{path...}", FileResponder(root, on: context.loop))
}
