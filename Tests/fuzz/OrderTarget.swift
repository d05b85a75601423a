// An input is a sequence of frames, each from one of sessions 1 to 4, which have all roles:
//
//     how, bits 6-7 = 0, 1   a nearly valid frame (FrameScript.swift), in an extreme market with its
//                            amounts mapped into their ranges unless bit 3 is set
//                   = 2      [ length / 8 ] [ bytes ]  unchanged
//                   = 3      [ time: 256 s each ]      advances the exchange's clock; as the first instruction
//                            it selects the market instead (FuzzDefinitions.swift)

import GatewayBinary
import MarketModel
import Wire

/// Reads commands from frames and applies them to a small exchange, through the journal's bytes.
enum OrderTarget {
  static func run(_ input: UnsafeRawBufferPointer) {
    var world = World()
    var reader = InputReader(input)
    while !reader.isAtEnd {
      let how = reader.byte()
      switch how >> 6 {
      case 0, 1:
        guard let script = FrameScript(how, from: &reader) else { return world.check() }
        world.take(script)
      case 2:
        let bytes = ExactBlock(reader.bytes(Int(reader.byte()) * 8))
        world.take(bytes, session: SessionId(UInt32(how & 3)))
      default:
        let time = reader.byte()
        if how & 63 != 0, world.choose(FuzzDefinitions(bits: how & 63)) { break }
        world.pass(seconds: UInt64(time) << 8)
      }
    }
    world.check()
  }

  /// Reference data after the set-up of each market. Used by one thread.
  private static func reference(_ definitions: FuzzDefinitions) -> ReferenceData {
    var reference = ReferenceData()
    for told in FuzzMarket.founding(definitions) {
      reference.note(told.event, at: Timestamp(nanoseconds: 0))
    }
    return reference
  }

  private struct World: ~Copyable {
    /// The market, created by its first command.
    var market: FuzzMarket?
    var definitions = FuzzDefinitions.usual
    var reference = OrderTarget.reference(.usual)
    private var isFirst = true

    init() {}

    /// Selects the market if it does not exist yet.
    mutating func choose(_ chosen: FuzzDefinitions) -> Bool {
      guard isFirst else { return false }
      (isFirst, definitions) = (false, chosen)
      reference = OrderTarget.reference(chosen)
      return true
    }

    mutating func pass(seconds: UInt64) {
      let now = market?.now ?? FuzzMarket.beginning
      apply(
        Command(
          session: .exchange, body: .control(.tick),
          time: Timestamp(nanoseconds: now + seconds * 1_000_000_000)))
    }

    mutating func take(_ script: borrowing FrameScript) {
      if script.isSigned, script.template == .meterReading {
        FuzzSignature.sign(script.block, .reading(MarketId(0, 0)), FuzzMarket.keys[script.lane])
      }
      take(script.block, session: SessionId(UInt32(script.lane + 1)), fitted: script.how & 8 == 0)
    }

    mutating func take(
      _ block: borrowing ExactBlock, session: SessionId, fitted: Bool = false
    ) {
      isFirst = false
      guard case .frame(let frame, let template) = FrameReader(from: .client).next(in: block.bytes),
        OrderReader.isCommand(template)
      else { return }
      switch OrderReader().read(
        frame, template, from: session, roles: [.trading, .metering, .administration],
        reference: reference, market: MarketId(0, 0), verify: FuzzSignature.isValid)
      {
      case .command(var command):
        if fitted, definitions.isExtreme {
          command.body = definitions.fitted(command.body) {
            market?.exchange.orderState($0)?.instrument
          }
        }
        apply(command)
      case .rejected(let rejected):
        require(rejected.session == session, "a reject for another session")
      }
    }

    func check() { market?.check() }

    private mutating func apply(_ command: Command) {
      isFirst = false
      if market == nil { market = FuzzMarket(definitions) }
      market?.apply(command) { event, _ in reference.note(event, at: command.time) }
    }
  }
}
