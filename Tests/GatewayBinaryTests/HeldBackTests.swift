import GatewayKit
import Testing
import Transport

@testable import GatewayBinary

@Suite("The time in which a client logs on")
struct HeldBackTests {
  @Test("It does not pass while the client's TLS handshake waits for the server.")
  func waits() throws {
    let world = HandWorld(sendBound: 1 << 20)
    let gateway = try #require(world.gateway)
    let (waiting, silent) = (
      ConnectionId(rawValue: 1 << 32 | 4), ConnectionId(rawValue: 1 << 32 | 5)
    )
    gateway.connected(waiting)
    gateway.connected(silent)
    world.network.heldBack = [waiting]
    func judge(_ seconds: UInt64) {
      gateway.judgeSilence(at: SteadyTime(nanoseconds: 1 + seconds * 1_000_000_000))
    }
    judge(9)
    #expect(world.network.finished.isEmpty)
    judge(11)
    #expect(world.network.finished == [silent])
    world.network.heldBack = []
    judge(20)
    #expect(!world.network.finished.contains(waiting))
    judge(22)
    #expect(world.network.finished.contains(waiting))
  }
}
