import Foundation
import MarketModel
import Testing

@testable import GatewayKit
@testable import JoulebookClient

@Suite("Intervals and the monotonic clock")
struct SteadyClockTests {
  @Test(
    "A wall clock that jumps ends no session and cancels no order.",
    arguments: [20_000_000_000, -20_000_000_000, 31_536_000_000_000_000] as [Int64])
  func wallJumps(_ error: Int64) throws {
    let world = try GatewayWorld()
    let bot = try world.client(keepAlive: 1_000)
    let lost = try world.client(GatewayWorld.secondBot, cancelAfter: 15_000)
    try bot.requestReferenceData()
    _ = try bot.expect()
    lost.close()
    #expect(
      world.waits {
        $0.notices.contains(.ended(GatewayWorld.secondBot, cancelAfter: 15_000))
      })
    for error in [error, 0] {
      world.state.withLock { $0.wallError = error }
      for _ in 0..<6 {
        while let message = try bot.poll(timeoutMilliseconds: 100) { _ = message }
      }
    }
    #expect(world.state.withLock { $0.ended.isEmpty })
  }

  @Test("Time in which the server itself was delayed does not count as a client's silence.")
  func heldUp() throws {
    let world = try GatewayWorld()
    let bot = try world.client(keepAlive: 1_000)
    for _ in 0..<8 {
      world.state.withLock { $0.steadyError += 20_000_000_000 }
      while let message = try bot.poll(timeoutMilliseconds: 100) { _ = message }
    }
  }

  @Test("The interval clock skips gaps longer than its limit, and never goes back.")
  func servingClock() {
    let clock = ServingClock(longest: 10) { SteadyTime(nanoseconds: 1_000) }
    func look(_ steady: UInt64) -> UInt64 {
      clock.look(SteadyTime(nanoseconds: steady))
      return clock.now.nanoseconds
    }
    #expect(look(1_004) == 1_004)
    #expect(look(1_014) == 1_014)
    #expect(look(9_000) == 1_024)
    #expect(look(8_000) == 1_024)
    #expect(look(9_003) == 1_027)
  }
}
