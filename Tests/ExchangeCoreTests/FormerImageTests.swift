import ExchangeCore
import Foundation
import MarketModel
import Testing

/// Images written by older versions: before positions had assets, and before restrictions. Each has
/// the steps of its market: the image contains the state after the first `writtenAfter` steps.
@Suite("Images of the previous version")
struct FormerImageTests {
  private static let writtenAfter = 1_200

  @Test(
    "An old image gives the same exchange as its commands, also after further commands.",
    arguments: (1...5).map { ("rules-2", $0) } + (1...3).map { ("rules-3", $0) })
  func goesOn(name: String, seed: Int) throws {
    let golden = try Golden(name)
    let bytes = StateBytes()
    bytes.bytes = Array(try golden.data("seed-\(seed).image"))
    let steps = String(decoding: try golden.data("seed-\(seed).steps"), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    try #require(steps.count == 2_000)
    let capacity = capacity(of: bytes.bytes, hasBounds: name == "rules-3")
    var market = Market(capacity: capacity)
    var plain = Market(capacity: capacity)
    for (count, line) in steps.enumerated() {
      if count == Self.writtenAfter {
        guard let read = Exchange(capacity: capacity, reading: bytes) else {
          Issue.record("refused: \(bytes.rejected ?? "")")
          return
        }
        #expect(bytes.isAtEnd)
        #expect(read.stateHash() == market.exchange.stateHash())
        #expect(read.eventHash == market.exchange.eventHash)
        #expect(read.invariantViolations().isEmpty)
        market.exchange = read
      }
      let step = try StepParser.step(line)
      let outcome = market.apply(step, deep: count % 64 == 0)
      try #require(outcome.differences.isEmpty, "step \(count): \(outcome.differences)")
      _ = plain.apply(step, deep: false)
    }
    #expect(market.exchange.eventHash == plain.exchange.eventHash)
    #expect(market.exchange.stateHash() == plain.exchange.stateHash())
  }

  /// After the fingerprint an image contains the capacity of the exchange.
  private func capacity(of image: [UInt8], hasBounds: Bool) -> Capacity {
    let words = image.withUnsafeBytes { bytes in
      (0..<12).map { bytes.loadUnaligned(fromByteOffset: 8 + 4 * $0, as: UInt32.self) }
    }
    var capacity = Capacity(
      participants: words[0], sessions: words[1], accounts: words[2], areas: words[3],
      instruments: words[4], meters: words[5], positions: words[6], orders: words[7],
      priceLevels: words[8], cascadeSteps: words[9])
    if hasBounds { (capacity.accountOrders, capacity.accountLevels) = (words[10], words[11]) }
    return capacity
  }
}

/// Tests/golden/images, unpacked, and removed with this object.
private final class Golden {
  private let folder: URL

  init(_ name: String) throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("joulebook-images-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let archive = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("golden/images/\(name).tar.gz").path
    let tar = Process()
    tar.executableURL = URL(fileURLWithPath: "/bin/tar")
    tar.arguments = ["-xzf", archive, "-C", folder.path]
    try tar.run()
    tar.waitUntilExit()
    try #require(tar.terminationStatus == 0, "tar cannot unpack \(archive)")
  }

  deinit {
    do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
  }

  func data(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(name))
  }
}
