import MarketModel
import Testing

@testable import ExchangeCore

@Suite("Commands with more events than the event buffer's capacity")
struct LongCommandTests {
  private static let orders: UInt64 = 9_000

  private func founding() -> [Command.Body] {
    [
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty))),
      .reference(
        .createArea(
          CreateArea(
            area: AreaId(1), currency: .eur, code: .empty, storageCost: Money(units: 300),
            storagePrice: Money(units: 20), feedInPrice: .zero, retailPrice: .zero))),
      .reference(
        .createInstrument(
          CreateInstrument(
            instrument: InstrumentId(1), area: AreaId(1), symbol: .empty, tick: Price(ticks: 100),
            lot: Energy(wattHours: 1), lowestPrice: .zero, highestPrice: Price(ticks: 100_000),
            makerFee: .zero, takerFee: .zero))),
      .reference(
        .createAccount(CreateAccount(account: AccountId(1), participant: ParticipantId(1)))),
      .cash(
        .deposit(
          CashMovement(
            account: AccountId(1), currency: .eur, amount: Money(units: 1 << 50), reference: 1))),
    ]
  }

  private func bid(_ id: UInt64) -> Command.Body {
    .enter(
      NewOrder(
        account: AccountId(1), instrument: InstrumentId(1), side: .buy,
        clientOrderId: ClientOrderId(id), price: Price(ticks: Int64(id % 50) * 100),
        quantity: Energy(wattHours: 1)))
  }

  @Test("A mass cancel of 9,000 orders reports each order once, then the count.")
  func massCancel() {
    var exchange = Exchange(capacity: .small)
    var sequence: UInt64 = 0
    func command(_ body: Command.Body) -> Command {
      sequence += 1
      return Command(session: .exchange, body: body, sequence: SequenceNumber(sequence))
    }
    for body in founding() { _ = exchange.execute(command(body)) }
    for id in 1...Self.orders { _ = exchange.execute(command(bid(id))) }
    var canceled: Set<ClientOrderId> = []
    var count: UInt32 = 0
    let all = MassCancel(account: AccountId(1), instrument: .null, sides: .both)
    for event in exchange.execute(command(.order(.massCancel(all)))) {
      switch event {
      case .canceled(let order): #expect(canceled.insert(order.state.clientOrderId).inserted)
      case .order(.massCanceled(let done)): count = done.count
      default: break
      }
    }
    #expect(canceled.count == Int(Self.orders) && count == UInt32(Self.orders))
    #expect(exchange.invariantViolations().isEmpty)
  }
}
