// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "gates",
    dependencies: [.package(name: "heliograph", path: "../..")],
    targets: [
        .executableTarget(
            name: "requests",
            dependencies: [.product(name: "Heliograph", package: "heliograph")]),
        .executableTarget(
            name: "messages",
            dependencies: [.product(name: "Heliograph", package: "heliograph")]),
        .executableTarget(
            name: "server",
            dependencies: [.product(name: "Heliograph", package: "heliograph")]),
    ],
    swiftLanguageModes: [.v6]
)
