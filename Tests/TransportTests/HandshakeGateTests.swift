import Testing

@testable import Transport

@Suite("Handshakes wait for their turn")
struct HandshakeGateTests {
  private func address(_ number: Int) -> PeerAddress {
    PeerAddress("192.0.2.\(number)") ?? .unknown
  }

  private func id(_ slot: Int) -> ConnectionId { ConnectionId(slot: slot, generation: 1) }

  private func all(_ gate: inout HandshakeGate, at now: UInt64) -> [Int] {
    var found: [Int] = []
    while let next = gate.takeNext(at: now) { found.append(next.slot) }
    return found
  }

  @Test("Addresses take turns, however many of each wait; later steps wait for none of them.")
  func rotation() {
    var gate = HandshakeGate(perSecond: 80)
    for slot in 0..<8 { gate.wait(id(slot), address(1), at: 0) }
    for slot in 10..<12 { gate.wait(id(slot), address(2), at: 0) }
    gate.wait(id(20), .loopback, at: 0)
    gate.waitToContinue(id(30))
    #expect(all(&gate, at: 0) == [30, 0, 10, 20, 1, 11, 2, 3, 4, 5, 6])
    #expect(gate.delay(at: 0) == 13 && !gate.isDue(at: 1), "one every 12.5 ms")
    gate.wait(id(21), .loopback, at: 5)
    #expect(all(&gate, at: 13) == [7] && all(&gate, at: 25) == [21])
    #expect(gate.isEmpty && gate.delay(at: 25) == nil)
  }

  @Test("A flood from many addresses delays a newcomer by one step of each.")
  func flood() {
    var gate = HandshakeGate(perSecond: 200)
    for slot in 0..<640 { gate.wait(id(slot), address(slot % 10), at: 0) }
    _ = all(&gate, at: 0)
    gate.wait(id(1_000), address(200), at: 300)
    var now: UInt64 = 300
    while !all(&gate, at: now).contains(1_000) { now += 1 }
    #expect(now <= 300 + 11 * 5, "\(now)")
  }

  @Test("An address has an eighth of a second's handshakes; others pass.")
  func perAddress() {
    var gate = HandshakeGate(perSecond: 16)
    for slot in 1...5 { gate.wait(id(slot), address(1), at: 0) }
    #expect(all(&gate, at: 100) == [1, 2])
    #expect(all(&gate, at: 900) == [] && gate.delay(at: 900) == 200)
    gate.wait(id(6), address(2), at: 900)
    #expect(gate.isDue(at: 900) && all(&gate, at: 900) == [6])
    #expect(all(&gate, at: 1_100) == [3, 4] && all(&gate, at: 2_100) == [5])
    #expect(gate.delayedCount == 5, "the first two waited for 100 ms too")
  }

  @Test("All addresses together have a second's handshakes, the local machine too.")
  func together() {
    var gate = HandshakeGate(perSecond: 16)
    for slot in 0..<40 { gate.wait(id(slot), .loopback, at: 0) }
    var taken: [UInt64] = []
    for now in UInt64(0)...3_000 { taken += all(&gate, at: now).map { _ in now } }
    #expect(taken.count == 40 && taken.prefix(3) == [0, 0, 63])
    for second in 0..<UInt64(3) {
      #expect(taken.count { $0 / 1_000 == second } <= 18)
    }
  }

  @Test("Who closes leaves its place at once, wherever it is, and uses up nothing.")
  func leaving() {
    var gate = HandshakeGate(perSecond: 32)
    for slot in 0..<9 { gate.wait(id(slot), address(slot % 3), at: 0) }
    for slot in [0, 3, 6, 4, 8] { gate.leave(id(slot), at: 10) }
    gate.leave(id(8), at: 10)
    gate.leave(ConnectionId(slot: 1, generation: 2), at: 10)
    #expect(gate.waitingCount == 4)
    #expect(all(&gate, at: 10) == [1, 2, 7, 5] && gate.isEmpty)
  }

  @Test("Random arrivals and leavings: every connection is taken once or leaves.")
  func random() {
    var gate = HandshakeGate(perSecond: 100_000)
    var random = SystemRandomNumberGenerator()
    var waiting: Set<Int> = []
    for now in UInt64(0)..<20_000 {
      let slot = Int.random(in: 0..<60, using: &random)
      if waiting.contains(slot) {
        gate.leave(id(slot), at: now)
        waiting.remove(slot)
      } else {
        gate.wait(id(slot), address(slot % 7), at: now)
        waiting.insert(slot)
      }
      if now % 3 == 0, let next = gate.takeNext(at: now) {
        #expect(waiting.remove(next.slot) != nil)
      }
      #expect(gate.waitingCount == waiting.count && gate.isEmpty == waiting.isEmpty)
    }
    #expect(Set(all(&gate, at: 30_000)) == waiting)
  }

  @Test("The longest line gives way for who has fewer, from its end.")
  func longest() {
    var gate = HandshakeGate(perSecond: 8)
    for slot in 0..<3 { gate.wait(id(slot), address(1), at: 0) }
    for slot in 5..<10 { gate.wait(id(slot), address(2), at: 0) }
    #expect(gate.longest(above: 1) == id(9) && gate.longest(above: 4) == id(9))
    #expect(gate.longest(above: 5) == nil)
  }
}
