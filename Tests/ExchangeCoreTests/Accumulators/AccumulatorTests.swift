import Foundation
import MarketModel
import Testing

@testable import ExchangeCore

// ACCUMULATOR_SEEDS=2000 swift test --filter AccumulatorTests   a longer run
// ACCUMULATOR_SEED=31 swift test --filter AccumulatorTests      one seed again

/// The largest value that each sum reached, and its bound.
private struct Heights {
  private(set) var reached: [String: (value: Int128, bound: Int128)] = [:]

  mutating func note(_ name: String, _ value: some BinaryInteger, of bound: Int128) {
    let value = Int128(value)
    if value > reached[name]?.value ?? -1 { reached[name] = (value, bound) }
  }

  /// A sum, and the direction in which it went.
  mutating func note(both name: String, _ value: some BinaryInteger, of bound: Int128) {
    note(value < 0 ? name + ", below zero" : name, Int128(value).magnitude, of: bound)
  }

  /// Looks at every sum of the exchange.
  mutating func note(_ exchange: borrowing Exchange) {
    let (cash, total, order) = (
      Int128(Limit.cash), Int128(Limit.total), Int128(Limit.orderQuantity)
    )
    for row in exchange.cash() {
      note(both: "free cash", row.free.units, of: cash)
      note("reserved cash", row.reserved.units, of: cash)
      let sum = exchange.currencies.circulation[UInt32(row.currency.rawValue)]
      note("held", sum.held, of: cash)
      note("owed", sum.owed, of: cash)
      note(both: "deposits less withdrawals", sum.supply, of: total)
    }
    for area in UInt32(1)...5 {
      note("fees", exchange.products.areas[area].fees, of: cash)
      note(both: "grid", exchange.products.areas[area].grid, of: total)
    }
    for row in exchange.allBalances() {
      note("energy of a position", row.energy.wattHours, of: Int128(Limit.cap))
      let most = Int128(exchange.capacity.orders) * order
      note("open bids of a position", row.openBids.wattHours, of: most)
      note("covered bids of a position", row.coveredBids.wattHours, of: most)
    }
    for state in exchange.openOrders() {
      let level = exchange.books.ladder.levels[exchange.orders[state.order.slot].level]
      note("level", level.total, of: Int128(exchange.capacity.orders) * order)
      note("order", state.quantity.wattHours, of: order)
      let notional = state.price.ticks * state.quantity.wattHours
      let fee = exchange.products.instruments[state.instrument.rawValue].highestFee.roundedUp(
        of: notional)
      note(
        "notional and fee", Int128(notional.magnitude) + Int128(fee ?? 0), of: Int128(Int64.max))
    }
  }

  mutating func note(_ events: [Event]) {
    for event in events {
      switch event {
      case .trade(let trade):
        let payer = trade.notional < .zero ? trade.seller : trade.buyer
        note(
          "paid in a trade", Int128(trade.notional.units.magnitude) + Int128(payer.fee.units),
          of: Int128(Limit.cash))
      case .metered(let metered):
        note("paid for an export", metered.exportRevenue.units, of: Int128(Limit.total))
        note("paid for an import", metered.importCost.units, of: Int128(Limit.total))
      default: break
      }
    }
  }

  /// What did not come near its bound, or passed it.
  var faults: [String] {
    reached.sorted { $0.key < $1.key }.compactMap { name, height in
      height.value * 10 < height.bound * 9 || height.value > height.bound
        ? "\(name): \(height.value) of \(height.bound)" : nil
    }
  }

  var table: String {
    reached.sorted { $0.key < $1.key }.map { name, height in
      "\(name): \(height.value * 100 / height.bound) % of \(height.bound)"
    }.joined(separator: "\n")
  }
}

@Suite("Sums at their bounds")
struct AccumulatorTests {
  private let environment = ProcessInfo.processInfo.environment
  /// Commands of one seed that the model applies too; it is slow.
  private let modelled = 250

  /// Runs one seed.
  /// - Returns: the violations.
  private func run(_ seed: UInt64, commands: Int, _ heights: inout Heights) -> String? {
    var vast = VastMarket(seed: seed)
    var exchange = Exchange(capacity: VastMarket.capacity)
    var model: ReferenceModel? = ReferenceModel(capacity: VastMarket.capacity)
    for command in vast.world() {
      let events = apply(command, &exchange, &model)
      for case .rejected(let rejected) in events ?? [] { return "founding: \(rejected)" }
    }
    for number in 0..<commands {
      if number == modelled { model = nil }
      let command = vast.command(exchange)
      guard let events = apply(command, &exchange, &model) else {
        return "engine and model differ at \(command.body)"
      }
      heights.note(events)
      if number % 3 != 0 { continue }
      heights.note(exchange)
      if let broken = exchange.invariantViolations().first {
        return "\(broken) after \(command.body)"
      }
    }
    for command in vast.last(exchange) {
      _ = apply(command, &exchange, &model)
      if let broken = exchange.invariantViolations().first {
        return "\(broken) after \(command.body)"
      }
    }
    return nil
  }

  /// - Returns: the events; `nil` when those of the model differ.
  private func apply(
    _ command: Command, _ exchange: inout Exchange, _ model: inout ReferenceModel?
  ) -> [Event]? {
    let events = Array(exchange.execute(command))
    if let expected = model?.apply(command), expected != events { return nil }
    return events
  }

  @Test("Random commands drive every sum of cash, orders and fees to its bound, and none beyond.")
  func cashAndOrders() {
    var heights = Heights()
    let only = environment["ACCUMULATOR_SEED"].flatMap(UInt64.init)
    let seeds = environment["ACCUMULATOR_SEEDS"].flatMap(UInt64.init) ?? 60
    for seed in only.map({ $0...$0 }) ?? 1...seeds {
      if let wrong = run(seed, commands: 600, &heights) {
        Issue.record("ACCUMULATOR_SEED=\(seed): \(wrong)")
        return
      }
    }
    if environment["MODEL_VERBOSE"] != nil { print(heights.table) }
    if only == nil { #expect(heights.faults.isEmpty, "\(heights.faults)") }
  }

  @Test("Two million readings of each kind drive an area's sums of energy to their bound.")
  func energyOfAreas() {
    var exchange = Exchange(capacity: .small)
    var heights = Heights()
    var sequence: UInt64 = 0
    func apply(_ body: Command.Body) -> RejectCode? {
      sequence += 1
      let events = exchange.execute(
        Command(
          session: .exchange, body: body, sequence: SequenceNumber(sequence),
          time: Timestamp(nanoseconds: sequence * 1_000_000)))
      guard case .rejected(let rejected) = events.first else { return nil }
      return rejected.code
    }
    func found(_ area: UInt16, cap: Int64, _ loss: Rate) {
      let definition = CreateArea(
        area: AreaId(area), currency: .eur, code: .empty, storageCost: .zero,
        storagePrice: Money(units: 1), feedInPrice: .zero, retailPrice: .zero, lossFactor: loss)
      let account = AccountId(UInt32(area))
      for body in [
        Command.Body.reference(.createArea(definition)),
        .reference(.createAccount(CreateAccount(account: account, participant: ParticipantId(1)))),
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(UInt32(area)), account: account, area: AreaId(area),
              publicKey: PublicKey(0, 0, 0, 0), capacity: .max))),
        .reference(
          .setCap(SetCap(account: account, area: AreaId(area), cap: Energy(wattHours: cap)))),
        // Own use would keep production and consumption of a reading from the grid.
        .reference(
          .setParameter(
            SetParameter(subject: .area, number: UInt32(area), parameter: .ownUse, value: 0))),
      ] {
        #expect(apply(body) == nil)
      }
    }
    #expect(apply(.control(.setRules(SetRules(version: RulesVersion.newest)))) == nil)
    #expect(
      apply(
        .reference(
          .createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty))))
        == nil)
    // One account exports and imports, one burns its consumption, one loses half of its production.
    found(1, cap: 0, .zero)
    found(2, cap: Limit.cap, .zero)
    found(3, cap: 0, .highest)
    var refused: [UInt32: Int] = [:]
    for number in UInt64(1)...(1 << 21) + 1 {
      for meter in UInt32(1)...3 {
        let reading = MeterReading(
          meter: MeterId(meter), registerSequence: number,
          intervalStart: Timestamp(nanoseconds: number * 1_000_000),
          intervalEnd: Timestamp(nanoseconds: (number + 1) * 1_000_000),
          produced: Energy(wattHours: Limit.reading),
          consumed: meter == 3 ? .zero : Energy(wattHours: Limit.reading))
        if apply(.meterReading(reading)) == .balanceLimit { refused[meter, default: 0] += 1 }
      }
    }
    #expect(refused == [1: 1, 2: 1, 3: 1])
    let total = Int128(Limit.total)
    for (area, sums) in [(UInt32(1), "bound"), (2, "burned"), (3, "half lost")] {
      let row = exchange.products.areas[area]
      heights.note("\(sums): produced", row.produced, of: total)
      switch area {
      case 1:
        heights.note("exported", row.exported, of: total)
        heights.note("imported", row.imported, of: total)
      case 2: heights.note("burned", row.burned, of: total)
      default: heights.note("lost", row.lost, of: total / 2)
      }
    }
    #expect(heights.faults.isEmpty, "\(heights.faults)")
    #expect(exchange.invariantViolations().isEmpty)
    #expect(exchange.totals(of: AreaId(1))?.isConserved == true)
  }
}
