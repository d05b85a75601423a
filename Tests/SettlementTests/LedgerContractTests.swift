import MarketModel
import Settlement
import Testing

@Suite("Every ledger satisfies the contract")
struct LedgerContractTests {
  let genesis = LedgerGenesis(rules: BatchRules(transfers: 6, nanoseconds: 60_000_000_000))

  /// Three batches and their script.
  func threeBatches() throws -> [SettlementBatch] {
    var script = EventScript()
    for round in 1...3 {
      script.cash(2, 1_000_000)
      script.meter(3, produced: 5000, lost: 100, exported: 400, revenue: 32_000)
      script.trade(2, 3, energy: 1000, price: Int64(round) * 100, buyerFee: 3, sellerFee: 2)
      script.meter(2, burned: 900, imported: 50, cost: 15_000)
      script.checkpoint()
    }
    return try BatchBuilder.batches(of: script, genesis)
  }

  @Test("An empty ledger's head is its genesis.", arguments: LedgerBackend.allCases)
  func emptyLedger(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    let head = try ledger.head()
    #expect(head == LedgerHead(after: nil, genesis: genesis))
    #expect(try ledger.balances() == [])
    #expect(try LedgerVerification.run(on: ledger).isSound)
  }

  @Test("Applied batches are read back unchanged.", arguments: LedgerBackend.allCases)
  func appliesBatches(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    let batches = try threeBatches()
    for batch in batches { #expect(try ledger.apply(batch) == .applied) }
    #expect(try ledger.head() == LedgerHead(after: batches.last?.row, genesis: genesis))
    for batch in batches {
      let row = try #require(try ledger.row(ofBatch: batch.id))
      #expect(row == batch.row)
      #expect(try ledger.transfers(in: row) == batch.transfers)
    }
    #expect(try ledger.transferCount() == UInt64(batches.flatMap(\.transfers).count))
    #expect(try LedgerVerification.run(on: ledger).problems == [])
  }

  @Test("A batch that comes twice changes nothing.", arguments: LedgerBackend.allCases)
  func duplicates(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    let batches = try threeBatches()
    for batch in batches { _ = try ledger.apply(batch) }
    let balances = try ledger.balances()
    for batch in batches { #expect(try ledger.apply(batch) == .alreadyApplied) }
    #expect(try ledger.balances() == balances)
    #expect(try ledger.head().batch == batches.last?.id)
  }

  @Test(
    "A different batch with a used number is refused and changes nothing.",
    arguments: LedgerBackend.allCases)
  func sameNumberOtherContent(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    let batches = try threeBatches()
    for batch in batches { _ = try ledger.apply(batch) }
    var script = EventScript()
    script.cash(2, 1)
    script.checkpoint()
    let other = try #require(try BatchBuilder.batches(of: script, genesis).first)
    let balances = try ledger.balances()
    #expect(errorOf { _ = try ledger.apply(other) }.isChainMismatch)
    #expect(try ledger.balances() == balances)
  }

  @Test("A batch after a gap is refused.", arguments: LedgerBackend.allCases)
  func gap(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    let batches = try threeBatches()
    #expect(
      errorOf { _ = try ledger.apply(batches[1]) } == .outOfOrder(batch: 2, expected: 1))
    #expect(try ledger.head().batch == 0)
  }

  @Test(
    "A batch that follows another hash, or starts elsewhere, is refused.",
    arguments: LedgerBackend.allCases)
  func wrongPrevious(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    let batches = try threeBatches()
    _ = try ledger.apply(batches[0])
    let second = batches[1]
    let foreign = SettlementBatch(
      shard: 0, id: 2, first: second.first, last: second.last, previous: genesis.hash,
      transfers: second.transfers)
    let late = SettlementBatch(
      shard: 0, id: 2, first: SequenceNumber(second.first.rawValue + 1), last: second.last,
      previous: second.previous, transfers: second.transfers)
    for batch in [foreign, late] {
      #expect(errorOf { _ = try ledger.apply(batch) }.isChainMismatch)
    }
    #expect(try ledger.head().batch == 1)
    #expect(try ledger.apply(second) == .applied)
  }

  @Test("Applied batches are present after a restart.", arguments: LedgerBackend.allCases)
  func reopens(_ backend: LedgerBackend) throws {
    let place = backend.place()
    let batches = try threeBatches()
    var balances: [LedgerBalance] = []
    do {
      let ledger = try place.open(genesis)
      _ = try ledger.apply(batches[0])
      balances = try ledger.balances()
      try ledger.close()
    }
    let ledger = try place.open(genesis)
    #expect(try ledger.head() == LedgerHead(after: batches[0].row, genesis: genesis))
    #expect(try ledger.balances() == balances)
    #expect(try ledger.apply(batches[0]) == .alreadyApplied)
    #expect(try ledger.apply(batches[1]) == .applied)
  }

  @Test("A ledger created with other batch rules is refused.", arguments: LedgerBackend.allCases)
  func otherGenesis(_ backend: LedgerBackend) throws {
    let place = backend.place()
    do { try place.open(genesis).close() }
    let error = errorOf { _ = try place.open(LedgerGenesis(shard: 1, rules: genesis.rules)) }
    guard case .incompatible = error else {
      Issue.record("opened, or failed with \(String(describing: error))")
      return
    }
  }

  @Test(
    "An account's transfers in a period are those, in order.",
    arguments: LedgerBackend.allCases)
  func history(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    let batches = try threeBatches()
    for batch in batches { _ = try ledger.apply(batch) }
    let all = batches.flatMap(\.transfers)
    let period = all[3].time..<all[all.count - 2].time
    for account in [AccountId(2), AccountId(3), .house(AreaId(1), .grid), AccountId(99)] {
      let due = all.filter {
        ($0.debit == account || $0.credit == account) && period.contains($0.time)
      }
      #expect(try ledger.transfers(of: account, in: period) == due)
    }
    let ever = Timestamp(nanoseconds: 0)..<Timestamp.never
    #expect(try !ledger.transfers(of: AccountId(2), in: ever).isEmpty)
  }
}

/// The ledger's error that `body` throws; another kind of error is an issue.
func errorOf(_ body: () throws -> Void) -> LedgerError? {
  do {
    try body()
    return nil
  } catch let error as LedgerError {
    return error
  } catch {
    Issue.record(error)
    return nil
  }
}

extension LedgerError? {
  var isChainMismatch: Bool {
    if case .chainMismatch = self { true } else { false }
  }
}
