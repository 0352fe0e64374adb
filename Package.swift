// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
// For the showcase alone: who depends on a library here does not get it.
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "heliograph",
    products: [
        .library(name: "Heliograph", targets: ["Heliograph"]),
        .library(name: "HeliographInterop", targets: ["HeliographInterop"]),
        .library(name: "HeliographTesting", targets: ["HeliographTesting"]),
        .library(name: "HelioReactor", targets: ["HelioReactor"]),
        .library(name: "HelioTLS", targets: ["HelioTLS"]),
        .library(name: "HelioHTTP", targets: ["HelioHTTP"]),
        .library(name: "HelioCompression", targets: ["HelioCompression"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // The layers. None of these four imports another.
        .target(name: "HelioReactor", dependencies: ["CLinux"], swiftSettings: settings),
        .target(name: "HelioTLS", dependencies: ["COpenSSL"], swiftSettings: settings),
        .target(name: "HelioHTTP", dependencies: ["CNghttp2"], swiftSettings: settings),
        .target(name: "HelioCompression", dependencies: ["CZlib"], swiftSettings: settings),

        // What puts them together.
        .target(
            name: "Heliograph",
            dependencies: ["HelioReactor", "HelioTLS", "HelioHTTP", "HelioCompression", log, metrics],
            swiftSettings: settings),
        .target(
            name: "HeliographInterop",
            dependencies: ["Heliograph", httpTypes, lifecycle],
            swiftSettings: settings),
        .target(
            name: "HeliographTesting",
            dependencies: ["Heliograph", "HelioHTTP", "CNghttp2"],
            swiftSettings: settings),

        .executableTarget(name: "Hello", dependencies: ["Heliograph"], path: "Examples/Hello", swiftSettings: settings),
        .executableTarget(
            name: "showcase",
            dependencies: ["Heliograph", "HelioTLS", argumentParser, log],
            path: "Examples/Showcase",
            swiftSettings: settings),

        .executableTarget(
            name: "fetch",
            dependencies: ["Heliograph", argumentParser],
            path: "Examples/Fetch",
            swiftSettings: settings),

        // How much memory is in use, for tests that count it.
        .systemLibrary(name: "CMalloc", path: "Tests/CMalloc"),
        .testTarget(name: "HelioReactorTests", dependencies: ["HelioReactor"], swiftSettings: settings),
        .testTarget(name: "HelioTLSTests", dependencies: ["HelioTLS", "COpenSSL"], swiftSettings: settings),
        .testTarget(
            name: "HelioHTTPTests", dependencies: ["HelioHTTP", "HeliographTesting", "Heliograph"],
            swiftSettings: settings),
        .testTarget(name: "HelioCompressionTests", dependencies: ["HelioCompression"], swiftSettings: settings),
        .testTarget(
            name: "HeliographTests",
            dependencies: [
                "Heliograph", "HeliographTesting", "HeliographInterop", "HelioTLS", "HelioCompression", "COpenSSL",
                "CLinux",
                "CMalloc", httpTypes, lifecycle, log, metrics,
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
