// An input is a sequence of actions of clients on four connections:
//
//     how, bits 6-7 = 0      a nearly valid frame (FrameScript.swift)
//                   = 1      [ bytes / 2 ] [ bytes ]   unchanged, in one piece
//                   = 2      bit 0: the connection opens, else closes
//                   = 3      [ time: 100 ms each ]     advances the clocks; bit 0: fires the timer
//       bit 3       the turn of the loop continues, without delivery yet

import GatewayBinary
import Wire

/// Fuzzes the gateway and its sessions with an exchange.
enum SessionTarget {
  static func run(_ input: UnsafeRawBufferPointer) {
    let world = SessionWorld()
    var reader = InputReader(input)
    while !reader.isAtEnd {
      let how = reader.byte()
      let lane = Int(how >> 4 & 3)
      switch how >> 6 {
      case 0:
        guard let script = FrameScript(how, from: &reader) else { return world.end() }
        world.send(script)
      case 1:
        world.deliver(ExactBlock(reader.bytes(Int(reader.byte()) * 2)), on: lane)
      case 2:
        world.use(lane)
        if how & 1 != 0 { world.network.connect(lane) } else { world.close(lane) }
      default: world.pass(milliseconds: UInt64(reader.byte()) * 100, timer: how & 1 != 0)
      }
      if how & 8 == 0 { world.network.endTurn() }
    }
    world.end()
  }
}
