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
    targets: [
        // The service without its transport: no input or output, no clock, no thread.
        .target(name: "SignalingCore", swiftSettings: settings),
        .testTarget(name: "SignalingCoreTests", dependencies: ["SignalingCore"], swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
