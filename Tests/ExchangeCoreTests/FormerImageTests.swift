import ExchangeCore
import Foundation
import MarketModel
import Testing

/// Images written by the version before positions were held in assets: after the first commands of a seed's random market.
@Suite("Images of the version before")
struct FormerImageTests {
  private static let commands = 1_500

  @Test(
    "One is read, is the exchange that the same commands make, and goes on like it.",
    arguments: 1...6)
  func goesOn(seed: Int) throws {
    let bytes = StateBytes()
    bytes.bytes = Array(try image(seed))
    var random = RandomMarket(seed: UInt64(seed))
    var market = Market(capacity: random.capacity)
    var plain = Market(capacity: random.capacity)
    var steps = random.world()
    for count in 0..<Self.commands * 2 {
      if count >= steps.count { steps.append(random.step(open: market.openLabels)) }
      if count == Self.commands {
        guard let read = Exchange(capacity: random.capacity, reading: bytes) else {
          Issue.record("refused: \(bytes.rejected ?? "")")
          return
        }
        #expect(bytes.isAtEnd)
        #expect(read.stateHash() == market.exchange.stateHash())
        #expect(read.eventHash == market.exchange.eventHash)
        #expect(read.invariantViolations().isEmpty)
        market.exchange = read
      }
      let outcome = market.apply(steps[count], deep: count % 64 == 0)
      try #require(outcome.differences.isEmpty, "step \(count): \(outcome.differences)")
      _ = plain.apply(steps[count], deep: false)
    }
    #expect(market.exchange.eventHash == plain.exchange.eventHash)
    #expect(market.exchange.stateHash() == plain.exchange.stateHash())
  }

  private func image(_ seed: Int) throws -> Data {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "images-\(ProcessInfo.processInfo.processIdentifier)-\(seed)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/bin/tar")
    tar.arguments = [
      "-xzf", tests.appendingPathComponent("golden/images/rules-2.tar.gz").path, "-C", folder.path,
    ]
    try tar.run()
    tar.waitUntilExit()
    try #require(tar.terminationStatus == 0, "tar cannot unpack the images")
    return try Data(contentsOf: folder.appendingPathComponent("seed-\(seed).image"))
  }
}
