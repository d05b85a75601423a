// swift-tools-version: 6.2
// One target where a thread, a process, a vendor or a separately used tool begins.
// Arrows point only upwards in the list below; `Tests/TidyTests` fails on any other.
import PackageDescription

/// Settings of every Swift target. CI turns warnings into errors.
let strict: [SwiftSetting] =
  Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// The core's exclusivity is static (`~Copyable` structs); release builds drop the dynamic checks.
let hot: [SwiftSetting] =
  strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// The core is optimised in debug builds too, assertions kept: its tests run a million commands.
let quick: [SwiftSetting] =
  hot + [
    .unsafeFlags(
      ["-O", "-Xfrontend", "-assert-config", "-Xfrontend", "Debug"], .when(configuration: .debug))
  ]

let package = Package(
  name: "joulebook",
  products: [
    .library(name: "ExchangeCore", targets: ["MarketModel", "ExchangeCore"]),
    .library(name: "LedgerSQLite", targets: ["MarketModel", "Settlement", "LedgerSQLite"]),
    .library(name: "AccountHistory", targets: ["MarketModel", "Settlement", "AccountHistory"]),
    .library(name: "LedgerPostgres", targets: ["MarketModel", "Settlement", "LedgerPostgres"]),
    .library(name: "Journaling", targets: ["MarketModel", "Rings", "Journaling"]),
    .library(name: "JoulebookClient", targets: ["MarketModel", "Wire", "JoulebookClient"]),
    .library(name: "Load", targets: ["JoulebookServer", "Load"]),
    .executable(name: "joulebook", targets: ["joulebook"]),
    .executable(name: "sbegen", targets: ["sbegen"]),
    .executable(name: "text-gateway", targets: ["text-gateway"]),
    .executable(name: "market-bot", targets: ["market-bot"]),
    .executable(name: "in-process-market", targets: ["in-process-market"]),
    .executable(name: "own-ledger", targets: ["own-ledger"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .target(name: "MarketModel", swiftSettings: quick),
    .target(name: "Rings", swiftSettings: hot),
    // One instruction, prefetch, that Swift has no spelling for.
    .systemLibrary(name: "CPrefetch"),
    .target(
      name: "ExchangeCore", dependencies: ["MarketModel", "CPrefetch"], swiftSettings: quick),
    .target(
      name: "MarketFile", dependencies: ["MarketModel", .product(name: "Yams", package: "Yams")],
      swiftSettings: strict),
    .target(name: "Wire", dependencies: ["MarketModel"], swiftSettings: hot),
    .target(
      name: "Journaling",
      dependencies: ["MarketModel", "Rings", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: hot),
    .target(
      name: "Settlement",
      dependencies: ["MarketModel", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: strict),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .target(name: "SQLite", dependencies: ["CSQLite"], swiftSettings: strict),
    .target(
      name: "LedgerSQLite", dependencies: ["MarketModel", "Settlement", "CSQLite", "SQLite"],
      swiftSettings: strict),
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .target(
      name: "LedgerPostgres", dependencies: ["MarketModel", "Settlement", "CPostgres"],
      swiftSettings: strict),
    .target(
      name: "AccountHistory", dependencies: ["MarketModel", "Settlement", "SQLite"],
      swiftSettings: strict),
    // Names and addresses of persons: no other target may know them.
    .target(
      name: "People", dependencies: ["MarketModel", "CSQLite", "SQLite"], swiftSettings: strict),
    // Files of meter readings.
    .target(name: "MeterImport", dependencies: ["MarketModel"], swiftSettings: strict),
    .systemLibrary(name: "CLibuv", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .target(name: "TLS", dependencies: ["COpenSSL"], swiftSettings: strict),
    .target(name: "Transport", dependencies: ["CLibuv", "TLS"], swiftSettings: hot),
    .target(
      name: "GatewayKit", dependencies: ["MarketModel", "CPrefetch"], swiftSettings: hot),
    .target(
      name: "GatewayBinary",
      dependencies: [
        "GatewayKit", "Wire", "Transport", "MarketModel",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: hot),
    .target(
      name: "JoulebookClient",
      dependencies: [
        "Wire", "MarketModel", "TLS", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: hot),
    // How the allocator treats large blocks.
    .systemLibrary(name: "CAllocator"),
    .target(
      name: "JoulebookServer",
      dependencies: [
        "CAllocator", "MarketModel", "Rings", "ExchangeCore", "Journaling", "Settlement",
        "AccountHistory", "LedgerSQLite", "LedgerPostgres",
        "TLS", "Transport", "MarketFile", "Wire", "GatewayKit", "GatewayBinary",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: hot),
    // What people see, of demonstration, load and command alike.
    .target(name: "Presentation", swiftSettings: strict),
    .target(
      name: "Community",
      dependencies: [
        "MarketModel", "ExchangeCore", "JoulebookClient", "JoulebookServer", "Journaling",
        "Settlement", "Presentation",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      resources: [.copy("Data")],
      swiftSettings: strict),
    .systemLibrary(name: "CEpoll"),
    .target(
      name: "Load",
      dependencies: [
        "CEpoll", "MarketModel", "TLS", "Wire", "JoulebookClient", "JoulebookServer",
        "Presentation",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: hot),
    .target(
      name: "Simulation",
      dependencies: [
        "MarketModel", "ExchangeCore", "Wire", "Journaling", "Settlement", "CSQLite",
        "LedgerSQLite", "Transport", "GatewayBinary", "JoulebookClient", "JoulebookServer",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: quick),
    .executableTarget(
      name: "joulebook",
      dependencies: [
        "AccountHistory", "ExchangeCore", "MarketModel", "MarketFile", "JoulebookServer",
        "JoulebookClient", "Community", "Journaling", "Load", "MeterImport", "People",
        "Presentation", "Settlement", "Simulation", "TLS", "Wire",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "sbegen",
      dependencies: [.product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: strict),
    // Programs on the libraries, to begin one's own from: Examples/README.md.
    .executableTarget(
      name: "text-gateway",
      dependencies: [
        "MarketModel", "Transport", "GatewayKit", "JoulebookServer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Examples/TextGateway", swiftSettings: strict),
    .executableTarget(
      name: "market-bot",
      dependencies: [
        "MarketModel", "JoulebookClient",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Examples/Bot", swiftSettings: strict),
    .executableTarget(
      name: "in-process-market",
      dependencies: ["MarketModel", "ExchangeCore"],
      path: "Examples/InProcessMarket", swiftSettings: strict),
    .executableTarget(
      name: "own-ledger",
      dependencies: [
        "MarketModel", "ExchangeCore", "Journaling", "Settlement", "JoulebookServer",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Examples/OwnLedger", swiftSettings: strict),
    .testTarget(
      name: "MarketModelTests",
      dependencies: ["MarketModel"],
      swiftSettings: strict),
    .testTarget(
      name: "RingsTests",
      dependencies: ["Rings"],
      swiftSettings: strict),
    .testTarget(
      name: "ExchangeCoreTests",
      dependencies: ["ExchangeCore", "GatewayKit", "MarketModel", "Wire"],
      swiftSettings: quick),
    .testTarget(
      name: "MarketFileTests",
      dependencies: ["MarketFile", "MarketModel"],
      swiftSettings: strict),
    .testTarget(
      name: "WireTests",
      dependencies: ["Wire", "MarketModel"],
      swiftSettings: strict),
    .testTarget(
      name: "JournalingTests",
      dependencies: ["Journaling", "MarketModel", "Rings", "Wire"],
      swiftSettings: strict),
    .testTarget(
      name: "SettlementTests",
      dependencies: [
        "AccountHistory", "ExchangeCore", "Settlement", "LedgerSQLite", "LedgerPostgres",
        "MarketModel", "SQLite",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PeopleTests",
      dependencies: ["People", "MarketModel"],
      swiftSettings: strict),
    .testTarget(
      name: "MeterImportTests",
      dependencies: ["MeterImport", "MarketModel"],
      exclude: ["Data"],
      swiftSettings: strict),
    .testTarget(
      name: "TransportTests",
      dependencies: ["Transport", "MarketModel", "TLS"],
      swiftSettings: strict),
    .testTarget(
      name: "GatewayKitTests",
      dependencies: ["GatewayKit", "MarketModel"],
      swiftSettings: strict),
    .testTarget(
      name: "GatewayBinaryTests",
      dependencies: [
        "GatewayBinary", "GatewayKit", "JoulebookClient", "Wire", "MarketModel", "Transport",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ServerTests",
      dependencies: [
        "joulebook", "JoulebookServer", "JoulebookClient", "GatewayKit", "ExchangeCore",
        "Journaling", "MarketFile", "MarketModel", "Rings", "Settlement", "TLS", "Transport",
        "Wire",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "JoulebookClientTests",
      dependencies: [
        "JoulebookClient", "JoulebookServer", "MarketModel", "Wire",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LoadTests",
      dependencies: ["Load", "JoulebookServer", "MarketModel"],
      swiftSettings: strict),
    .testTarget(
      name: "SimulationTests",
      dependencies: [
        "JoulebookServer", "LedgerSQLite", "MarketModel", "Settlement", "Simulation",
      ],
      swiftSettings: quick),
    .testTarget(
      name: "CommunityTests",
      dependencies: ["Community", "MarketModel", "Presentation"],
      swiftSettings: strict),
    .testTarget(
      name: "SbegenTests",
      dependencies: ["sbegen"],
      swiftSettings: strict),
    .testTarget(
      name: "ExampleTests",
      dependencies: [
        "text-gateway", "market-bot", "in-process-market", "own-ledger", "joulebook",
        "JoulebookClient", "MarketModel",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "TidyTests",
      dependencies: [],
      exclude: ["arithmetic.tsv"],
      swiftSettings: strict),
  ]
)

// Fuzzing (Tests/fuzz/run.sh) sees what only this package does and links libFuzzer; nobody else builds it.
if Context.environment["JOULEBOOK_FUZZ"] != nil {
  // Coverage is counted where strangers' bytes go: libFuzzer looks at every counter after every input.
  // Comparisons are followed where the bytes are cut and read; further on they cost more than they find.
  let covered: Set = ["ExchangeCore", "GatewayBinary"]
  let followed: Set = ["Wire", "JoulebookClient", "MeterImport"]
  package.targets.append(
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "MarketModel", "ExchangeCore", "Wire", "Journaling", "Transport", "GatewayKit",
        "GatewayBinary", "JoulebookClient", "MeterImport",
      ],
      path: "Tests/fuzz", exclude: ["corpus", "corpus.py", "keep.sh", "run.sh"],
      swiftSettings: strict,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]))
  for target in package.targets where target.type == .regular || target.name == "fuzz" {
    var flags = ["-Xfrontend", "-assert-config", "-Xfrontend", "Debug"]
    if followed.contains(target.name) {
      flags += ["-sanitize=fuzzer,address"]
    } else if covered.contains(target.name) {
      flags += ["-sanitize=address", "-sanitize-coverage=edge,inline-8bit-counters,pc-table"]
    } else {
      flags += ["-sanitize=address"]
    }
    target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(flags)]
  }
}
