// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "signaling",
    dependencies: [
        .package(name: "heliograph", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // The service without its transport: no input or output, no clock, no thread.
        .target(name: "SignalingCore", swiftSettings: settings),
        // Who may come in: tokens and their keys, TURN credentials.
        .target(
            name: "SignalingAuth",
            dependencies: [
                "SignalingCore",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ],
            swiftSettings: settings),
        // Engine.IO and Socket.IO, on the runtime alone.
        .target(
            name: "SocketIO",
            dependencies: [
                .product(name: "Heliograph", package: "heliograph"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        // The smallest server of it, which tests use.
        .executableTarget(
            name: "socketio-echo",
            dependencies: [
                "SocketIO",
                .product(name: "Heliograph", package: "heliograph"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/SocketIOEcho",
            swiftSettings: settings),
        // Its HTTP side and its command line. The page is part of the binary, which can be copied alone.
        .executableTarget(
            name: "signaling",
            dependencies: [
                "SignalingAuth",
                "SignalingCore",
                "SocketIO",
                .product(name: "Heliograph", package: "heliograph"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Sources/Signaling",
            resources: [.embedInCode("Web"), .embedInCode("Admin/Web")],
            swiftSettings: settings),
        .testTarget(name: "SignalingCoreTests", dependencies: ["SignalingCore"], swiftSettings: settings),
        .testTarget(name: "SocketIOTests", dependencies: ["SocketIO"], swiftSettings: settings),
        .testTarget(name: "SignalingTests", dependencies: ["signaling"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
