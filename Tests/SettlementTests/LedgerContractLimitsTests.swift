// The contract of every ledger at its limits: batches as large as they come, extreme numbers,
// content that is refused, two writers, readers beside a writer, and restarts at any moment.

import MarketModel
import Settlement
import Testing

@Suite("Every ledger satisfies the contract at its limits")
struct LedgerContractLimitsTests {
  let genesis = LedgerGenesis(rules: BatchRules(transfers: 6, nanoseconds: 60_000_000_000))

  /// Batch `id` after `head` with `transfers`, which get their numbers here.
  func batch(after head: LedgerHead, _ transfers: [LedgerTransfer]) -> SettlementBatch {
    var numbered = transfers
    for index in numbered.indices {
      (numbered[index].id, numbered[index].batch) = (
        head.transfers + 1 + UInt64(index), head.batch + 1
      )
    }
    return SettlementBatch(
      shard: 0, id: head.batch + 1, first: SequenceNumber(head.last.rawValue + 1),
      last: SequenceNumber(head.last.rawValue + 1), previous: head.hash, transfers: numbered)
  }

  func transfer(
    _ debit: UInt32, _ credit: UInt32, _ amount: Int64, code: TransferCode = .cashTransfer
  ) -> LedgerTransfer {
    LedgerTransfer(
      id: 0, batch: 0, debit: AccountId(debit), credit: AccountId(credit), unit: .currency(.eur),
      amount: amount, code: code, flags: [], tradeSequence: SequenceNumber(1),
      time: Timestamp(nanoseconds: 1_780_272_000_000_000_000), reference: 1)
  }

  @Test(
    "Ten thousand transfers between ten thousand accounts are one batch, twice.",
    arguments: LedgerBackend.stores)
  func large(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    var random = SeededRandom(seed: 20)
    var due: [UInt32: Int128] = [:]
    for _ in 0..<2 {
      let transfers = (0..<10_000).map { _ in
        let debit = 1 + UInt32(random.next(below: 10_000))
        let credit = 1 + (debit + UInt32(random.next(below: 9_998))) % 10_000
        return transfer(debit, credit, 1 + Int64(random.next(below: 1 << 62)))
      }
      for one in transfers {
        due[one.debit.rawValue, default: 0] -= Int128(one.amount)
        due[one.credit.rawValue, default: 0] += Int128(one.amount)
      }
      #expect(try ledger.apply(batch(after: ledger.head(), transfers)) == .applied)
    }
    let balances = try ledger.balances()
    #expect(balances.map(\.amount) == due.sorted { $0.key < $1.key }.map(\.value))
    #expect(try ledger.transferCount() == 20_000)
    #expect(try LedgerVerification.run(on: ledger).problems == [])
  }

  @Test("Every field comes back at its limits.", arguments: LedgerBackend.allCases)
  func extremes(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    var (most, least) = (transfer(.max, 0, .max), transfer(0, .max, 1, code: .withdrawal))
    most.unit = .energy(AreaId(.max))
    (most.flags, most.tradeSequence) = (TransferFlags(rawValue: .max), SequenceNumber(.max))
    (most.time, most.reference) = (.never, .max)
    (least.time, least.reference) = (Timestamp(nanoseconds: 0), 0)
    least.tradeSequence = .none
    let first = batch(after: try ledger.head(), [most, least])
    #expect(try ledger.apply(first) == .applied)
    #expect(try ledger.transfers(in: first.row) == first.transfers)
    #expect(try ledger.time(ofTransfer: 1) == .never && ledger.time(ofTransfer: 3) == nil)
    let ever = Timestamp(nanoseconds: 0)..<Timestamp.never
    #expect(try ledger.transfers(of: AccountId(.max), in: ever) == [first.transfers[1]])
    #expect(try ledger.transfers(from: 2, most: 5) == [first.transfers[1]])
    #expect(try ledger.transfers(from: 1, most: 1) == [first.transfers[0]])
    let last = SettlementBatch(
      shard: 0, id: 2, first: SequenceNumber(2), last: SequenceNumber(.max), previous: first.hash,
      transfers: [
        LedgerTransfer(
          id: 3, batch: 2, debit: least.debit, credit: least.credit, unit: least.unit, amount: 5,
          code: .deposit, flags: [], tradeSequence: SequenceNumber(2), time: most.time, reference: 7
        )
      ])
    #expect(try ledger.apply(last) == .applied)
    #expect(try ledger.row(ofBatch: 2) == last.row && ledger.head().last == SequenceNumber(.max))
    #expect(try ledger.balances().map(\.amount) == [-6, 6, .init(Int64.max), -.init(Int64.max)])
    #expect(try LedgerVerification.run(on: ledger).problems == [])
  }

  @Test(
    "A batch with a transfer of nothing, or to oneself, is refused and changes nothing.",
    arguments: LedgerBackend.stores,
    [(2, 3, Int64(0)), (2, 3, -5), (2, 2, 5)] as [(UInt32, UInt32, Int64)])
  func refused(_ backend: LedgerBackend, _ wrong: (UInt32, UInt32, Int64)) throws {
    let ledger = try backend.place().open(genesis)
    let good = batch(after: try ledger.head(), [transfer(2, 3, 10)])
    #expect(try ledger.apply(good) == .applied)
    let (head, balances) = (try ledger.head(), try ledger.balances())
    let bad = batch(after: head, [transfer(4, 5, 7), transfer(wrong.0, wrong.1, wrong.2)])
    guard case .contentRejected(batch: 2, _) = errorOf({ _ = try ledger.apply(bad) }) else {
      Issue.record("applied, or failed otherwise")
      return
    }
    #expect(try ledger.head() == head && ledger.balances() == balances)
    #expect(try ledger.apply(batch(after: head, [transfer(4, 5, 7)])) == .applied)
    #expect(try LedgerVerification.run(on: ledger).problems == [])
  }

  @Test(
    "Only one settler has a ledger; the next gets it as it was.", arguments: LedgerBackend.stores)
  func twoSettlers(_ backend: LedgerBackend) throws {
    let place = backend.place()
    let one = batch(after: LedgerHead(after: nil, genesis: genesis), [transfer(2, 3, 10)])
    var two = one
    do {
      let first = try place.open(genesis)
      #expect(try first.apply(one) == .applied)
      guard case .inUse = errorOf({ _ = try place.open(genesis) }) else {
        Issue.record("two settlers have the ledger")
        return
      }
      two = batch(after: try first.head(), [transfer(3, 4, 5)])
      #expect(try first.apply(two) == .applied)
      try first.close()
    }
    let second = try place.open(genesis)
    #expect(try second.apply(one) == .alreadyApplied && second.apply(two) == .alreadyApplied)
    #expect(try second.transferCount() == 2)
  }

  @Test("A reader sees one state while batches are applied.", arguments: LedgerBackend.stores)
  func readers(_ backend: LedgerBackend) throws {
    let place = backend.place()
    let ledger = try place.open(genesis)
    _ = try ledger.apply(batch(after: try ledger.head(), [transfer(2, 3, 10)]))
    let reader = try place.openForReading()
    #expect(reader.genesis == genesis)
    try reader.snapshot { () throws(LedgerError) in
      let before = try reader.balances()
      _ = try ledger.apply(batch(after: try ledger.head(), [transfer(2, 3, 10)]))
      let (seen, head) = (try reader.balances(), try reader.head())
      #expect(seen == before && head.batch == 1)
    }
    #expect(try reader.head().batch == 2)
    #expect(try LedgerVerification.run(on: reader).problems == [])
  }

  @Test("Notes come back by order and by account.", arguments: LedgerBackend.allCases)
  func notes(_ backend: LedgerBackend) throws {
    let ledger = try backend.place().open(genesis)
    let texts = ["first", "Ärger \u{1F50B} \\ ' \"", "\t"].compactMap {
      NoteText(bytes: Array($0.utf8))
    }
    let notes = texts.enumerated().map { index, text in
      LedgerNote(
        sequence: SequenceNumber(UInt64(index) + 1), time: .never,
        order: OrderId(.max - UInt64(index % 2)), clientOrderId: ClientOrderId(.max),
        account: AccountId(7), text: text)
    }
    try #require(notes.count == 3)
    let head = try ledger.head()
    var one = transfer(2, 3, 10)
    (one.id, one.batch) = (1, 1)
    let batch = SettlementBatch(
      shard: 0, id: 1, first: SequenceNumber(1), last: SequenceNumber(4), previous: head.hash,
      transfers: [one], notes: notes)
    #expect(try ledger.apply(batch) == .applied)
    #expect(try ledger.notes(about: .account(AccountId(7))) == notes)
    #expect(try ledger.notes(about: .order(OrderId(.max - 1))) == [notes[1]])
    #expect(try ledger.notes(about: .account(AccountId(8))) == [])
  }

  @Test(
    "A settler that ends at any moment, and a ledger that fails at any commit: each batch once.",
    arguments: LedgerBackend.allCases, [UInt64.random(in: 1 ... .max)])
  func restarts(_ backend: LedgerBackend, _ seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var script = EventScript()
    for round in 1...60 {
      script.cash(2, 1_000_000)
      script.trade(2, 3, energy: 1000, price: Int64(round), buyerFee: 1, sellerFee: 1)
      script.meter(3, produced: 5000, lost: 10)
    }
    script.checkpoint()
    let (place, steps) = (backend.place(), script.steps)
    var (end, restarts) = (0, 0)
    while end < steps.count {
      end = min(steps.count, end + 1 + Int(random.next(below: 40)))
      let fault = [FaultyLedger.Fault.answerLost, .commitLost, .unavailable][
        Int(random.next(below: 3))]
      let ledger = FaultyLedger(try place.open(genesis), [fault])
      var settler = try Settler(ledger)
      for step in steps[..<end] {
        _ = settler.feed(step)
        if random.next(below: 4) > 0 { _ = settler.retry() }
        while case .waiting = settler.condition { _ = settler.retry() }
      }
      #expect(settler.condition == .following, "seed \(seed)")
      #expect(settler.ledgerHead == settler.journalHead, "seed \(seed)")
      try settler.close()
      restarts += 1
    }
    #expect(restarts > 3, "seed \(seed)")
    let reader = try place.openForReading()
    let due = try BatchBuilder.batches(of: script, genesis).flatMap(\.transfers)
    #expect(try reader.transfers(from: 1, most: .max) == due, "seed \(seed)")
    #expect(try LedgerVerification.run(on: reader).problems == [], "seed \(seed)")
  }
}
