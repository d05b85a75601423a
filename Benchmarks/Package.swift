// swift-tools-version: 6.2
// Where speed is proven: benchmarks as a package of their own, so that nobody who builds the
// exchange pays for them.
import PackageDescription

/// CI turns warnings into errors.
let strict: [SwiftSetting] =
  Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// As the core's own settings for release.
let hot = strict + [SwiftSetting.unsafeFlags(["-enforce-exclusivity=unchecked"])]

let package = Package(
  name: "benchmarks",
  dependencies: [
    .package(name: "joulebook", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .systemLibrary(name: "CMalloc"),
    .target(
      name: "OrderFlow",
      dependencies: ["CMalloc", .product(name: "ExchangeCore", package: "joulebook")],
      swiftSettings: strict),
    .target(
      name: "BareBook",
      dependencies: [
        "OrderFlow", .product(name: "ExchangeCore", package: "joulebook"),
      ],
      swiftSettings: hot),
    .executableTarget(
      name: "ledger",
      dependencies: [.product(name: "LedgerSQLite", package: "joulebook")]),
    .systemLibrary(
      name: "CStores", pkgConfig: "libpq", providers: [.apt(["libpq-dev", "libsqlite3-dev"])]),
    .executableTarget(
      name: "ledger-ratio",
      dependencies: [
        "CStores", .product(name: "LedgerSQLite", package: "joulebook"),
        .product(name: "LedgerPostgres", package: "joulebook"),
        .product(name: "AccountHistory", package: "joulebook"),
      ]),
    .executableTarget(
      name: "flow",
      dependencies: [
        "BareBook", "OrderFlow",
        .product(name: "ExchangeCore", package: "joulebook"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: hot),
    .target(name: "CCount"),
    .systemLibrary(name: "CNet", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"])]),
    .executableTarget(
      name: "net",
      dependencies: [
        "CCount", "CNet",
        .product(name: "Load", package: "joulebook"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: [.unsafeFlags(["-enforce-exclusivity=unchecked"])]),
    .executableTarget(
      name: "extremes",
      dependencies: [
        "OrderFlow",
        .product(name: "ExchangeCore", package: "joulebook"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "micro",
      dependencies: [
        "BareBook", "OrderFlow",
        .product(name: "ExchangeCore", package: "joulebook"),
        .product(name: "Journaling", package: "joulebook"),
      ],
      swiftSettings: hot),
    .executableTarget(name: "yardstick", cxxSettings: [.unsafeFlags(["-O3"])]),
    .executableTarget(
      name: "history",
      dependencies: [
        .product(name: "ExchangeCore", package: "joulebook"),
        .product(name: "Journaling", package: "joulebook"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: [.unsafeFlags(["-enforce-exclusivity=unchecked"])]),
    .executableTarget(
      name: "journal",
      dependencies: [
        .product(name: "Journaling", package: "joulebook"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
  ],
  cxxLanguageStandard: .cxx20
)
