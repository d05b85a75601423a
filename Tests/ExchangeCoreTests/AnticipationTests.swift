import MarketModel
import Testing

@testable import ExchangeCore

@Suite("Looking ahead")
struct AnticipationTests {
  private static let capacity = Capacity(
    participants: 4, sessions: 4, accounts: 64, areas: 4, instruments: 8_192, meters: 64,
    positions: 64, orders: 1_024, priceLevels: 512)

  private func founding() -> [Command.Body] {
    var bodies: [Command.Body] = [
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
    ]
    for number in UInt32(1)...8 {
      let account = AccountId(number)
      bodies.append(
        .reference(.createAccount(CreateAccount(account: account, participant: ParticipantId(1)))))
      bodies.append(
        .cash(
          .deposit(
            CashMovement(
              account: account, currency: .eur, amount: Money(units: 1 << 40), reference: 1))))
    }
    return bodies
  }

  /// Orders and cancels, sensible and not.
  private func anything(_ random: inout SeededRandom, _ id: UInt64) -> Command.Body {
    let prices: [Int64] = [.min, -1, 0, 5_000, 5_050, 6_000, 100_000, 100_001, .max]
    if Int.random(in: 0..<3, using: &random) == 0 {
      let slot = UInt32.random(in: 0...80, using: &random)
      let far: UInt32 = Bool.random(using: &random) ? slot : .max - slot
      return .cancel(
        CancelOrder(
          account: AccountId(UInt32.random(in: 0...9, using: &random)),
          order: OrderId(slot: far, generation: UInt32.random(in: 0...3, using: &random))))
    }
    let instruments: [UInt32] = [0, 1, 1, 1, 1, 2, 8_192, 8_193, .max]
    let accounts: [UInt32] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 64, 65, .max]
    return .enter(
      NewOrder(
        account: AccountId(accounts.randomElement(using: &random) ?? 0),
        instrument: InstrumentId(instruments.randomElement(using: &random) ?? 0),
        side: Bool.random(using: &random) ? .buy : .sell, clientOrderId: ClientOrderId(id),
        price: Price(ticks: prices.randomElement(using: &random) ?? 0),
        quantity: Energy(wattHours: Int64.random(in: -1...20, using: &random))))
  }

  @Test("An exchange that was shown its commands, whatever they are, is the one that was not.")
  func changesNothing() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    var shown = Exchange(capacity: Self.capacity)
    var plain = Exchange(capacity: Self.capacity)
    var bodies = founding()
    for id in UInt64(1)...4_000 { bodies.append(anything(&random, id)) }
    let commands = bodies.enumerated().map { index, body in
      Command(
        session: .exchange, body: body, sequence: SequenceNumber(UInt64(index) + 1),
        time: Timestamp(nanoseconds: UInt64(index) + 1))
    }
    for start in stride(from: 0, to: commands.count, by: 40) {
      let block = Array(commands[start..<min(start + 40, commands.count)])
      for (index, command) in block.enumerated() {
        block.withUnsafeBufferPointer { shown.anticipate($0, before: index) }
        _ = shown.execute(command)
        _ = plain.execute(command)
      }
    }
    #expect(shown.counts.openOrders > 10, "seed \(seed)")
    #expect(shown.eventHash == plain.eventHash, "seed \(seed)")
    #expect(shown.stateHash() == plain.stateHash(), "seed \(seed)")
  }

  private func bid(_ account: AccountId, _ id: UInt64) -> Command.Body {
    .enter(
      NewOrder(
        account: account, instrument: InstrumentId(1), side: .buy, clientOrderId: ClientOrderId(id),
        price: Price(ticks: 100), quantity: Energy(wattHours: 1)))
  }

  @Test("What an exchange was shown before it became small is forgotten when it is large again.")
  func forgetsWhatIsGone() {
    var capacity = Self.capacity
    (capacity.instruments, capacity.orders) = (4, 10_000)
    var exchange = Exchange(capacity: capacity)
    var number: UInt64 = 0
    func command(_ body: Command.Body) -> Command {
      number += 1
      return Command(
        session: .exchange, body: body, sequence: SequenceNumber(number),
        time: Timestamp(nanoseconds: number))
    }
    for body in founding() { _ = exchange.execute(command(body)) }
    // Large enough to look ahead, and all four blocks of the window have orders.
    for index in UInt32(0)..<8_192 {
      _ = exchange.execute(command(bid(AccountId(index % 8 + 1), number + 1)))
    }
    let block = UnsafeMutableBufferPointer<Command>.allocate(capacity: 64)
    defer { block.deallocate() }
    func run(_ bodies: (Int) -> Command.Body) {
      for index in block.indices { block[index] = command(bodies(index)) }
      for index in block.indices {
        exchange.anticipate(UnsafeBufferPointer(block), before: index)
        _ = exchange.execute(block[index])
      }
    }
    block.initialize(repeating: command(.control(.tick)))
    run { _ in bid(AccountId(1), number + 1) }
    // Small again, and large in the middle of a group. At the places of the last block of the window
    // now stand orders of an account that does not exist.
    let most = exchange.counts.openOrders
    for slot in UInt32(1)...70 {
      _ = exchange.execute(
        command(
          .cancel(
            CancelOrder(
              account: AccountId((slot - 1) % 8 + 1), order: OrderId(slot: slot, generation: 1)))))
    }
    #expect(exchange.counts.openOrders + 70 == most)
    run { index in bid(index < 32 ? AccountId(1) : AccountId(.max), number + 1) }
    #expect(exchange.counts.openOrders == most - 70 + 32)
    #expect(exchange.counts.openOrders >= 8_192)
    #expect(exchange.invariantViolations().isEmpty)
  }
}
