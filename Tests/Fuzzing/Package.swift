// swift-tools-version: 6.2
import PackageDescription

// Built by `run` alone, which has everything instrumented, the library too.
let heliograph: Target.Dependency = .product(name: "Heliograph", package: "heliograph")
let testing: Target.Dependency = .product(name: "HeliographTesting", package: "heliograph")
let http: Target.Dependency = .product(name: "HelioHTTP", package: "heliograph")
let tls: Target.Dependency = .product(name: "HelioTLS", package: "heliograph")

let package = Package(
    name: "fuzzing",
    dependencies: [.package(name: "heliograph", path: "../..")],
    targets: [
        .target(name: "FuzzSupport"),
        .systemLibrary(name: "CRandom"),
        .executableTarget(name: "headers", dependencies: ["FuzzSupport", http, testing]),
        .executableTarget(name: "http1", dependencies: ["FuzzSupport", http, testing]),
        .executableTarget(name: "http2", dependencies: ["FuzzSupport", http, testing]),
        .executableTarget(name: "proxy", dependencies: ["FuzzSupport", heliograph]),
        .executableTarget(name: "router", dependencies: ["FuzzSupport", http, heliograph]),
        .executableTarget(name: "tls", dependencies: ["FuzzSupport", "CRandom", tls]),
        .executableTarget(name: "websocket", dependencies: ["FuzzSupport", http, testing]),
    ],
    swiftLanguageModes: [.v6]
)
