import Journaling
import MarketModel
import Testing

@Suite("Commands as the journal's bytes")
struct CommandCodecTests {
  private func encode(_ command: Command) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: CommandCodec.longestRecord)
    let count = bytes.withUnsafeMutableBytes { buffer in
      buffer.baseAddress.map { CommandCodec.encode(command, into: $0) } ?? 0
    }
    return Array(bytes.prefix(count))
  }

  private func decode(
    _ bytes: [UInt8], sequence: SequenceNumber
  ) -> Result<Command, CommandCodec.Failure> {
    bytes.withUnsafeBytes { buffer in
      var offset = 0
      do throws(CommandCodec.Failure) {
        let command = try CommandCodec.decode(buffer, at: &offset, sequence: sequence)
        #expect(offset <= buffer.count)
        return .success(command)
      } catch {
        #expect(offset == 0)
        return .failure(error)
      }
    }
  }

  @Test("Every kind of command comes back field by field.", arguments: CommandCodec.Kind.allCases)
  func roundTrip(kind: CommandCodec.Kind) throws {
    let seed: UInt64 = 20_261_121 + UInt64(kind.rawValue)
    var commands = RandomCommands(seed: seed)
    for _ in 0..<500 {
      let command = commands.next(kind)
      let bytes = encode(command)
      let length = CommandCodec.recordLength(of: command.body)
      #expect(bytes.count == length, "seed \(seed)")
      #expect(
        kind.payloadLengths.contains(length - CommandCodec.headerLength), "seed \(seed)")
      #expect(bytes.count % 8 == 0 && bytes.count <= CommandCodec.longestRecord)
      let back = try decode(bytes, sequence: command.sequence).get()
      #expect(fields(back) == fields(command), "seed \(seed)")
    }
  }

  @Test("The bytes of an order are those of the drawing.")
  func drawing() {
    let order = NewOrder(
      account: AccountId(0x0102_0304), instrument: InstrumentId(5), side: .sell, type: .market,
      timeInForce: .fillOrKill, selfTradePrevention: .decrementBoth, postOnly: true,
      clientOrderId: ClientOrderId(7), price: Price(ticks: -2), quantity: Energy(wattHours: 9),
      minimumQuantity: Energy(wattHours: 10), expireTime: .never)
    let command = Command(
      session: SessionId(6), clientSequence: 8, body: .enter(order), sequence: SequenceNumber(1),
      time: Timestamp(nanoseconds: 11))
    let expected: [UInt8] =
      [1, 0, 80, 0, 6, 0, 0, 0] + [8, 0, 0, 0, 0, 0, 0, 0] + [11, 0, 0, 0, 0, 0, 0, 0]
      + [4, 3, 2, 1, 5, 0, 0, 0] + [1, 1, 2, 3, 1, 0, 0, 0] + [7, 0, 0, 0, 0, 0, 0, 0]
      + [254, 255, 255, 255, 255, 255, 255, 255] + [9, 0, 0, 0, 0, 0, 0, 0]
      + [10, 0, 0, 0, 0, 0, 0, 0] + [255, 255, 255, 255, 255, 255, 255, 255]
    #expect(encode(command) == expected)
  }

  @Test("Whatever is not exactly a command is refused with its reason.")
  func refusals() {
    var commands = RandomCommands(seed: 5)
    let order = encode(commands.next(.enter))
    func failure(
      of record: [UInt8]? = nil, _ change: (inout [UInt8]) -> Void
    ) -> CommandCodec.Failure? {
      var bytes = record ?? order
      change(&bytes)
      guard case .failure(let failure) = decode(bytes, sequence: SequenceNumber(1)) else {
        return nil
      }
      return failure
    }
    let unknown = 1 + (CommandCodec.Kind.allCases.map(\.rawValue).max() ?? 0)
    #expect(failure { $0[0] = UInt8(unknown) } == .unknownKind(unknown))
    #expect(failure { $0[0] = 24 } == .wrongLength(.enterIceberg, length: 80))
    #expect(failure { $0[0] = 0 } == .unknownKind(0))
    #expect(failure { $0[2] = 72 } == .wrongLength(.enter, length: 72))
    #expect(failure { $0[0] = 2 } == .wrongLength(.replace, length: 80))
    #expect(failure { $0.removeLast() } == .truncated(available: 79))
    #expect(failure { $0 = Array($0.prefix(23)) } == .truncated(available: 23))
    #expect(failure { $0 = [] } == .truncated(available: 0))
    #expect(failure { $0[24 + 8] = 2 } == .unknownValue(.enter, payloadOffset: 8, value: 2))
    #expect(failure { $0[24 + 12] = 3 } == .unknownValue(.enter, payloadOffset: 12, value: 3))
    #expect(failure { $0[24 + 15] = 1 } == .reservedNotZero(.enter, payloadOffset: 13))
    let hidesNothing = failure(of: encode(commands.next(.enterIceberg))) {
      $0.replaceSubrange(80..<88, with: [UInt8](repeating: 0, count: 8))
    }
    #expect(hidesNothing == .unknownValue(.enterIceberg, payloadOffset: 56, value: 0))
    // The shortest record of the kind; a longer one contains fields that were added later, possibly
    // with default values.
    var onBehalf = encode(commands.next(.enterOnBehalf))
    while onBehalf.count > 96 { onBehalf = encode(commands.next(.enterOnBehalf)) }
    let onNobodysBehalf = failure(of: onBehalf) {
      $0.replaceSubrange(88..<92, with: [UInt8](repeating: 0, count: 4))
    }
    #expect(onNobodysBehalf == .unknownValue(.enterOnBehalf, payloadOffset: 64, value: 0))
    let newerRules = failure(of: encode(commands.next(.setRules))) { $0[24] = 77 }
    #expect(newerRules == .newerRules(77))
  }

  @Test("A record longer than any known form may have been written by a newer program.")
  func longerForms() {
    for kind in CommandCodec.Kind.allCases {
      let known = CommandCodec.headerLength + (kind.payloadLengths.max() ?? 0)
      let words = "a newer program may have written it"
      for (length, isNewer) in [(known + 8, true), (known + 4, false), (16, false)] {
        let failure = CommandCodec.Failure.wrongLength(kind, length: UInt16(length))
        // Fields added to orders have their own kinds.
        let canGrow = kind != .enter && kind != .enterIceberg
        #expect(failure.description.contains(words) == (isNewer && canGrow), "\(failure)")
      }
    }
  }

  @Test("Arbitrary and damaged bytes never trap: each is refused, or is a command's only encoding.")
  func fuzz() {
    let seed: UInt64 = 977
    var random = SeededRandom(seed: seed)
    var commands = RandomCommands(seed: seed)
    var (valid, refused) = (0, 0)
    for round in 0..<60_000 {
      var bytes: [UInt8]
      if round % 4 == 0 {
        bytes = (0..<Int.random(in: 0...96, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }
      } else {
        let kind = CommandCodec.Kind.allCases[round % CommandCodec.Kind.allCases.count]
        bytes = encode(commands.next(kind))
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          bytes[place] = UInt8.random(in: 0...255, using: &random)
        }
      }
      switch decode(bytes, sequence: SequenceNumber(1)) {
      case .success(let command):
        valid += 1
        #expect(encode(command) == Array(bytes.prefix(encode(command).count)), "seed \(seed)")
      case .failure: refused += 1
      }
    }
    #expect(valid > 1_000 && refused > 1_000, "the fuzz reaches both ends: \(valid), \(refused)")
  }
}
