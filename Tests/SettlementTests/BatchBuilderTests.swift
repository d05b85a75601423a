import MarketModel
import Settlement
import Testing

@Suite("Settlement batches")
struct BatchBuilderTests {
  let genesis = LedgerGenesis(rules: BatchRules(transfers: 4, nanoseconds: 60_000_000_000))

  @Test("A trade makes a cash leg, an energy leg and two fees; the batch nets them.")
  func tradeLegs() throws {
    var script = EventScript()
    script.trade(2, 3, energy: 1000, price: 12_000, buyerFee: 7, sellerFee: 5)
    let batch = try #require(try BatchBuilder.batches(of: script, genesis).first)
    let fees = AccountId.house(AreaId(1), .fees)
    let legs = batch.transfers.map { [$0.debit.rawValue, $0.credit.rawValue, UInt32($0.amount)] }
    #expect(
      legs == [[2, 3, 12_000_000], [3, 2, 1000], [2, fees.rawValue, 7], [3, fees.rawValue, 5]])
    #expect(batch.transfers.map(\.code) == [.cashLeg, .energyLeg, .buyerFee, .sellerFee])
    let (euro, energy) = (LedgerUnit.currency(.eur), LedgerUnit.energy(AreaId(1)))
    #expect(
      batch.netted == [
        NetChange(account: AccountId(2), unit: euro, debits: 12_000_007, credits: 0),
        NetChange(account: AccountId(3), unit: euro, debits: 5, credits: 12_000_000),
        NetChange(account: fees, unit: euro, debits: 0, credits: 12),
        NetChange(account: AccountId(2), unit: energy, debits: 0, credits: 1000),
        NetChange(account: AccountId(3), unit: energy, debits: 1000, credits: 0),
      ])
  }

  @Test("At a negative price the seller pays, and the transfer says that it is reversed.")
  func negativePrice() throws {
    var script = EventScript()
    script.trade(2, 3, energy: 10, price: -500)
    script.checkpoint()
    let batch = try #require(try BatchBuilder.batches(of: script, genesis).first)
    let cash = batch.transfers[0]
    #expect(cash.debit == AccountId(3) && cash.credit == AccountId(2) && cash.amount == 5000)
    #expect(cash.flags == .reversed)
    #expect(batch.transfers[1].flags == [])
  }

  @Test("A trade at price zero has an energy leg only.")
  func freeTrade() throws {
    var script = EventScript()
    script.trade(2, 3, energy: 10, price: 0)
    script.checkpoint()
    let batch = try #require(try BatchBuilder.batches(of: script, genesis).first)
    #expect(batch.transfers.map(\.code) == [.energyLeg])
  }

  @Test("A batch closes at the end of the command that fills it, and the ranges are contiguous.")
  func closesWhenFull() throws {
    var script = EventScript()
    for _ in 0..<4 { script.trade(2, 3, energy: 10, price: 5, buyerFee: 1) }
    script.checkpoint()
    let batches = try BatchBuilder.batches(of: script, genesis)
    #expect(batches.map(\.first.rawValue) == [1, 7])
    #expect(batches.map(\.last.rawValue) == [6, 8])
    #expect(batches.map(\.transfers.count) == [6, 6])
    #expect(batches[1].previous == batches[0].hash)
    #expect(batches.flatMap(\.transfers).map(\.id) == Array(1...12))
  }

  @Test("A batch closes when market time has passed since its first transfer, not before.")
  func closesWithTime() throws {
    var script = EventScript()
    script.time += 3_600_000_000_000
    script.cash(2, 100)
    script.time += 58_000_000_000
    script.add([])
    script.add([])
    let batches = try BatchBuilder.batches(of: script, genesis)
    #expect(batches.map(\.last.rawValue) == [7])
  }

  @Test("A range without transfers makes no batch; the next batch covers it.")
  func emptyRange() throws {
    var script = EventScript()
    script.checkpoint()
    script.checkpoint()
    #expect(try BatchBuilder.batches(of: script, genesis) == [])
    script.cash(2, 1)
    script.checkpoint()
    let batches = try BatchBuilder.batches(of: script, genesis)
    #expect(batches.map(\.id) == [1])
    #expect(batches.map(\.first.rawValue) == [1])
    #expect(batches.map(\.last.rawValue) == [8])
  }

  @Test("Only a checkpoint of the whole state closes a batch.")
  func checkpointKinds() {
    let whole = Command.Body.control(.checkpoint(Checkpoint(eventHash: 1, stateHash: 2)))
    let rolling = Command.Body.control(.checkpoint(Checkpoint(eventHash: 1, stateHash: 0)))
    #expect(whole.closesBatch)
    #expect(!rolling.closesBatch)
    #expect(!Command.Body.control(.tick).closesBatch)
  }

  @Test("Other batch rules, another shard or one changed amount make another chain.")
  func chainDependsOnEverything() throws {
    var script = EventScript()
    script.cash(2, 100)
    script.checkpoint()
    var other = EventScript()
    other.cash(2, 101)
    other.checkpoint()
    let hash = try BatchBuilder.batches(of: script, genesis).map(\.hash)
    #expect(try BatchBuilder.batches(of: script, genesis).map(\.hash) == hash)
    #expect(try BatchBuilder.batches(of: other, genesis).map(\.hash) != hash)
    let shard = LedgerGenesis(shard: 1, rules: genesis.rules)
    #expect(try BatchBuilder.batches(of: script, shard).map(\.hash) != hash)
    let rules = LedgerGenesis(rules: BatchRules(transfers: 5, nanoseconds: 60_000_000_000))
    #expect(try BatchBuilder.batches(of: script, rules).map(\.hash) != hash)
  }

  @Test("Impossible events are refused without ending the process.")
  func impossibleEvents() {
    var script = EventScript()
    script.trade(2, 3, energy: 10, price: 5, area: 9)
    var other = EventScript()
    other.meter(2, produced: 10, area: 9)
    var third = EventScript()
    third.meter(2, burned: .max, imported: 0)
    third.transfer(2, 3, .cash, .min)
    for script in [script, other, third] {
      #expect(throws: LedgerError.self) { try BatchBuilder.batches(of: script, genesis) }
    }
  }

  @Test("An area's currency may have any number, including 0.")
  func currencyZero() throws {
    var script = EventScript()
    let definition = CreateArea(
      area: AreaId(3), currency: Currency(0), code: .empty, storageCost: Money(units: 1),
      storagePrice: Money(units: 1), feedInPrice: .zero, retailPrice: .zero)
    script.add([.reference(.areaCreated(AreaState(definition: definition, defaultCap: .zero)))])
    script.meter(2, produced: 10, exported: 4, revenue: 8, area: 3)
    script.checkpoint()
    let batch = try #require(try BatchBuilder.batches(of: script, genesis).first)
    #expect(batch.transfers.map(\.code) == [.mint, .exportEnergy, .exportCash])
  }

  @Test("The closing time of the open batch is known; a command at that time closes it.")
  func due() throws {
    var builder = BatchBuilder(genesis: genesis)
    var script = EventScript()
    script.cash(2, 100)
    for step in script.steps { #expect(try builder.feed(step) == nil) }
    let due = try #require(builder.due)
    #expect(due == Timestamp(nanoseconds: script.steps[4].time.nanoseconds + 60_000_000_000))
    script.time = due.nanoseconds
    script.add([])
    #expect(try builder.feed(script.steps[5])?.last == script.steps[5].sequence)
    #expect(builder.due == nil)
  }
}
