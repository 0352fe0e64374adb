import Heliograph

extension LoopService {
    /// The demo page and the JavaScript client.
    func pageRoutes(_ routes: Routes) {
        for (path, file) in WebFile.all { routes.get(path) { exchange in exchange.respond(file) } }
    }
}
