// swift-tools-version: 6.2
import PackageDescription

// Built by `run` alone. The parts to fuzz are links into the service's and the library's sources, so that nothing else has to
// be built and instrumented.
let package = Package(
    name: "signaling-fuzzing",
    targets: [
        .target(name: "FuzzSupport"),
        .target(name: "SignalingCore"),
        .target(
            name: "SocketIO",
            sources: [
                "SharedText.swift", "Library/SocketOptions.swift", "Library/SocketLimit.swift", "Library/JSON",
                "Library/Packets", "Library/EngineIO/Base64.swift", "Library/EngineIO/EnginePacket.swift",
                "Library/EngineIO/EnginePacketCoder.swift",
            ]),
        .executableTarget(name: "messages", dependencies: ["FuzzSupport", "SignalingCore"]),
        .executableTarget(name: "descriptions", dependencies: ["FuzzSupport", "SignalingCore"]),
        .executableTarget(name: "identifiers", dependencies: ["FuzzSupport", "SignalingCore"]),
        .executableTarget(name: "packets", dependencies: ["FuzzSupport", "SocketIO"]),
    ],
    swiftLanguageModes: [.v6]
)
