import MarketModel
import Testing

@testable import ExchangeCore

@Suite("Blocks of an owner's orders")
struct OwnerBlocksTests {
  /// An exchange with one account, which has cash and no energy, and a storage cap of `cap` kWh.
  private func exchange(cap: Int64, _ apply: (inout Exchange, Command.Body) -> Void) -> Exchange {
    var exchange = Exchange(capacity: .small)
    for body in Self.founding(cap: cap) { apply(&exchange, body) }
    return exchange
  }

  private static func founding(cap: Int64) -> [Command.Body] {
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
            instrument: InstrumentId(1), area: AreaId(1), symbol: .empty, tick: Price(ticks: 1),
            lot: Energy(wattHours: 1), lowestPrice: .zero, highestPrice: Price(ticks: 100_000),
            makerFee: .zero, takerFee: .zero))),
      .reference(
        .createAccount(CreateAccount(account: AccountId(1), participant: ParticipantId(1)))),
      .cash(
        .deposit(
          CashMovement(
            account: AccountId(1), currency: .eur, amount: Money(units: 1 << 50), reference: 1))),
      .reference(
        .setCap(
          SetCap(account: AccountId(1), area: AreaId(1), cap: Energy(wattHours: cap * 1_000)))),
    ]
  }

  private static func bid(_ id: UInt64, at price: Int64) -> Command.Body {
    .enter(
      NewOrder(
        account: AccountId(1), instrument: InstrumentId(1), side: .buy,
        clientOrderId: ClientOrderId(id), price: Price(ticks: price),
        quantity: Energy(wattHours: 1_000)))
  }

  @Test("An order that lacks cover visits few of its owner's 9,000 orders, wherever it enters.")
  func visits() {
    var sequence: UInt64 = 0
    let apply = { (exchange: inout Exchange, body: Command.Body) in
      sequence += 1
      _ = exchange.execute(
        Command(session: .exchange, body: body, sequence: SequenceNumber(sequence)))
    }
    var exchange = exchange(cap: 6_000, apply)
    var random = SeededRandom(seed: 7)
    for id in 1...9_000 {
      apply(
        &exchange, Self.bid(UInt64(id), at: 100 * Int64.random(in: 1...50, using: &random)))
    }
    for (index, price) in [Int64(1), 100, 2_000, 2_001, 3_000, 90_000].enumerated() {
      let before = exchange.visitedOrders
      apply(&exchange, Self.bid(UInt64(10_000 + index), at: price))
      let visited = exchange.visitedOrders - before
      #expect(visited > 0 && visited < 600, "at price \(price)")
    }
    var violations: [String] = []
    OwnerBlocks.check(exchange, &violations)
    #expect(violations.isEmpty && exchange.orders.count == 9_006)
  }

  @Test("With blocks and without, the exchange makes equal events.", arguments: [1, 2, 3])
  func equalEvents(seed: UInt64) {
    var sequence: UInt64 = 0
    let apply = { (exchange: inout Exchange, body: Command.Body) in
      _ = exchange.execute(
        Command(session: .exchange, body: body, sequence: SequenceNumber(sequence)))
    }
    var without = exchange(cap: 40) { exchange, body in
      sequence += 1
      apply(&exchange, body)
    }
    without.blocks.least = .max
    sequence = 0
    var with = exchange(cap: 40) { exchange, body in
      sequence += 1
      apply(&exchange, body)
    }
    (with.blocks.least, with.blocks.most) = (6, 6)
    var random = SeededRandom(seed: seed)
    var (divided, longest) = (0, UInt32(0))
    for id in 1...4_000 {
      sequence += 1
      let body = randomCommand(UInt64(id), &random)
      apply(&without, body)
      apply(&with, body)
      let isDivided = with.hasBlocks(SideNumber(1, .buy))
      divided += isDivided ? 1 : 0
      longest = max(longest, with.orders.count)
      if id % 16 == 0 { #expect(with.invariantViolations().isEmpty, "after command \(id)") }
    }
    #expect(with.eventHash == without.eventHash && with.stateHash() == without.stateHash())
    #expect(divided > 1_000 && divided < 4_000 && longest > 30)
  }

  /// Enters, replaces, cancels; moves the cap, so that cover is gained and lost; halts and opens;
  /// now and then cancels everything.
  private func randomCommand(_ id: UInt64, _ random: inout SeededRandom) -> Command.Body {
    switch Int.random(in: 0..<200, using: &random) {
    case 0: .order(.massCancel(MassCancel(account: AccountId(1), instrument: .null, sides: .both)))
    case 1..<10:
      .reference(
        .setCap(
          SetCap(
            account: AccountId(1), area: AreaId(1),
            cap: Energy(wattHours: Int64.random(in: 0..<90, using: &random) * 700))))
    case 10..<14:
      .reference(
        .setInstrumentState(
          SetInstrumentState(
            instrument: InstrumentId(1), state: Bool.random(using: &random) ? .halted : .open)))
    case 14..<60:
      .cancel(
        CancelOrder(
          account: AccountId(1), order: .null,
          clientOrderId: ClientOrderId(UInt64.random(in: 1...id, using: &random))))
    default: Self.bid(id, at: Int64.random(in: 0..<40, using: &random) * 100)
    }
  }
}
