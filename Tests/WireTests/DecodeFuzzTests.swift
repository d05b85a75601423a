import MarketModel
import Testing
import Wire

@Suite struct DecodeFuzzTests {
  private static let rounds = 40_000

  @Test(
    "Random bytes and mutated frames are never read beyond their buffer.", arguments: [1, 2, 3])
  func mutatedFrames(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let frames = SwiftFrames.all.map(\.frame)
    var (found, refused, incomplete) = (0, 0, 0)
    for _ in 0..<Self.rounds {
      var bytes = frames[Int.random(in: 0..<frames.count, using: &random)]
      mutate(&bytes, &random)
      // A heap block of exactly this size, so that sanitizers detect any access beyond it.
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      defer { memory.deallocate() }
      memory.copyBytes(from: bytes)
      let sender: FrameReader.Sender = Bool.random(using: &random) ? .client : .server
      switch FrameReader(from: sender).next(in: UnsafeRawBufferPointer(memory)) {
      case .frame(let frame, let template):
        found += 1
        #expect(frame.length <= bytes.count, "seed \(seed)")
        #expect(Self.read(frame, template), "seed \(seed): \(template) found but not decoded")
      case .incomplete(let needed):
        incomplete += 1
        #expect(needed > bytes.count, "seed \(seed)")
      case .malformed(let code, _):
        refused += 1
        #expect((2000..<3000).contains(code.rawValue), "seed \(seed)")
      }
    }
    // All three results must occur, or the test proves little.
    #expect(min(found, refused, incomplete) > Self.rounds / 100, "seed \(seed)")
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    switch Int.random(in: 0..<6, using: &random) {
    case 0:
      bytes = (0..<Int.random(in: 0..<160, using: &random)).map { _ in
        .random(in: 0...255, using: &random)
      }
    case 1: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
    case 2: bytes += (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
    case 3: bytes[Int.random(in: 0..<12, using: &random)] = .random(in: 0...255, using: &random)
    case 4:
      // The lengths of frame, block and group are the fields that could lead a reader out of
      // bounds.
      let block = Int(bytes[4]) | Int(bytes[5]) << 8
      for offset in [0, 4, 12 + block, 14 + block]
      where offset < bytes.count && Bool.random(using: &random) {
        bytes[offset] = .random(in: 0...255, using: &random)
      }
    default:
      for _ in 0..<4 {
        bytes[Int.random(in: 12..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
    }
  }

  /// Reads fields at both ends of the message and every entry of a group.
  private static func read(_ frame: Frame, _ template: Template) -> Bool {
    switch template {
    case .explanation:
      guard let message = ExplanationDecoder(frame) else { return false }
      return message.blockers.reduce(0) {
        $0 ^ $1.orderId.rawValue ^ UInt64(bitPattern: $1.used.wattHours)
      } >= 0
    case .levelSnapshot:
      guard let message = LevelSnapshotDecoder(frame) else { return false }
      return message.levels.allSatisfy { $0.orderCount >= 0 && $0.sideRaw >= 0 }
    case .negotiate: return NegotiateDecoder(frame)?.signature.bytes.count == 64
    case .establish: return EstablishDecoder(frame)?.signature.bytes.count == 64
    case .meterReading:
      return MeterReadingDecoder(frame)?.signature.bytes.count == 64
        && (79...80).contains(
          SigningPurpose.reading(MarketId(1, 2)).message(of: frame).count)
    case .newOrder: return NewOrderDecoder(frame)?.flags != nil
    case .balanceUpdate: return BalanceUpdateDecoder(frame)?.currency != nil
    case .status: return StatusDecoder(frame)?.meterCount != nil
    default: return frame.blockFits && frame.blockLength >= template.leastBlockLength
    }
  }
}
