// An input is a row of frames, each from one of the sessions 1 to 4, with every role:
//
//     how, bits 6-7 = 0, 1   a frame that is nearly right (FrameScript.swift)
//                   = 2      [ length / 8 ] [ bytes ]  as they are
//                   = 3      [ time: 256 s each ]      the exchange's clock moves

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
        guard let script = FrameScript(how, from: &reader) else { return world.market.check() }
        world.take(script)
      case 2: world.take(reader.bytes(Int(reader.byte()) * 8), session: SessionId(UInt32(how & 3)))
      default: world.pass(seconds: UInt64(reader.byte()) << 8)
      }
    }
    world.market.check()
  }

  private struct World: ~Copyable {
    var market = FuzzMarket()
    var directory = Directory()

    init() { market.found { event, _ in directory.note(event) } }

    mutating func pass(seconds: UInt64) {
      apply(
        Command(
          session: .exchange, body: .tick,
          time: Timestamp(nanoseconds: market.now + seconds * 1_000_000_000)))
    }

    mutating func take(_ script: FrameScript) {
      var script = script
      if script.isSigned, script.template == .meterReading {
        script.sign(.reading, FuzzMarket.keys[script.lane], at: MeterReadingEncoder.signatureOffset)
      }
      take(script.bytes, session: SessionId(UInt32(script.lane + 1)))
    }

    mutating func take(_ bytes: [UInt8], session: SessionId) {
      let copy = ExactCopy(bytes)
      guard case .frame(let frame, let template) = FrameReader(from: .client).next(in: copy.bytes),
        OrderReader.isCommand(template)
      else { return }
      switch OrderReader().read(
        frame, template, from: session, roles: [.trading, .metering, .administration],
        directory: directory)
      {
      case .command(let command): apply(command)
      case .rejected(let rejected):
        require(rejected.session == session, "a reject for another session")
      }
    }

    private mutating func apply(_ command: Command) {
      market.apply(command) { event, _ in directory.note(event) }
    }
  }
}
