// swift-tools-version: 6.0
import Foundation
import PackageDescription

// On Apple's systems the C library comes as an XCFramework beside this file (docs/apple.md); elsewhere as the system's own, by
// pkg-config, or from the folder that the linker is told.
let framework = "CGeckoMqtt.xcframework"
let hasFramework = FileManager.default.fileExists(atPath: Context.packageDirectory + "/" + framework)
let library: Target = hasFramework
    ? .binaryTarget(name: "CGeckoMqtt", path: framework)
    : .systemLibrary(name: "CGeckoMqtt", pkgConfig: "gecko_mqtt")

let package = Package(
    name: "GeckoMqtt",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9)],
    products: [.library(name: "GeckoMqtt", targets: ["GeckoMqtt"])],
    targets: [
        library,
        .target(name: "GeckoMqtt", dependencies: ["CGeckoMqtt"]),
        // The README's first program. The tests run it.
        .executableTarget(name: "Quickstart", dependencies: ["GeckoMqtt"]),
        .testTarget(name: "GeckoMqttTests", dependencies: ["GeckoMqtt", "Quickstart"]),
    ],
    swiftLanguageModes: [.v6]
)
