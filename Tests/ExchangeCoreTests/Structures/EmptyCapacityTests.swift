import ExchangeCore
import Testing

@Suite("An exchange with capacity 0")
struct EmptyCapacityTests {
  @Test("With capacity 0 hash and image exist and all invariants are satisfied.")
  func nothing() {
    let capacity = Capacity(
      participants: 0, sessions: 0, accounts: 0, areas: 0, instruments: 0, meters: 0, positions: 0,
      orders: 0, priceLevels: 0)
    let exchange = Exchange(capacity: capacity)
    #expect(exchange.invariantViolations().isEmpty)
    let bytes = StateBytes()
    exchange.write(to: bytes)
    guard let again = Exchange(capacity: capacity, reading: bytes) else {
      Issue.record("\(bytes.rejected ?? "")")
      return
    }
    #expect(again.stateHash() == exchange.stateHash())
  }
}
