// swift-tools-version: 6.2
import PackageDescription

// A program outside of this repository names it by `.package(url:)`, and nothing else changes.
let package = Package(
    name: "embedded",
    dependencies: [
        .package(name: "heliograph", path: "../.."),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    ],
    targets: [
        .executableTarget(
            name: "embedded",
            dependencies: [
                .product(name: "Heliograph", package: "heliograph"),
                .product(name: "HeliographInterop", package: "heliograph"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Embedded")
    ],
    swiftLanguageModes: [.v6]
)
