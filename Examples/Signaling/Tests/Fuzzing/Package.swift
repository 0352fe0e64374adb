// swift-tools-version: 6.2
import PackageDescription

// Built by `run` alone. The parts to fuzz are links into the service's and the library's sources, so that nothing else has to
// be built and instrumented.
let package = Package(
    name: "signaling-fuzzing",
    targets: [
        .target(name: "FuzzSupport"),
        .target(name: "SignalingCore"),
        .executableTarget(name: "messages", dependencies: ["FuzzSupport", "SignalingCore"]),
        .executableTarget(name: "descriptions", dependencies: ["FuzzSupport", "SignalingCore"]),
        .executableTarget(name: "identifiers", dependencies: ["FuzzSupport", "SignalingCore"]),
    ],
    swiftLanguageModes: [.v6]
)
