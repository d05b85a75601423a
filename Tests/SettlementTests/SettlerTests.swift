import MarketModel
import Settlement
import Testing

@Suite("The settler settles each batch exactly once")
struct SettlerTests {
  let genesis = LedgerGenesis(rules: BatchRules(transfers: 3, nanoseconds: 3_600_000_000_000))

  func script(rounds: Int = 5) -> EventScript {
    var script = EventScript()
    for round in 1...rounds {
      script.cash(2, 1_000_000)
      script.meter(3, produced: 5000)
      script.trade(2, 3, energy: 1000, price: Int64(round), buyerFee: 1, sellerFee: 1)
    }
    script.checkpoint()
    return script
  }

  @Test(
    "Each new batch is confirmed once, with the last command it covers.",
    arguments: LedgerBackend.allCases)
  func confirms(_ backend: LedgerBackend) throws {
    var settler = try Settler(try backend.place().open(genesis))
    let confirmations = script().steps.compactMap { settler.feed($0) }
    let batches = try BatchBuilder.batches(of: script(), genesis)
    #expect(confirmations.map(\.batch) == batches.map(\.id))
    #expect(confirmations.map(\.lastSequence) == batches.map(\.last))
    #expect(settler.unconfirmed == confirmations)
    #expect(settler.ledgerHead == settler.journalHead)
    #expect(settler.reconcile() == .behind(resent: UInt64(batches.count), waiting: nil))
  }

  @Test(
    "After a crash between apply and confirmation the batch is not applied again, and is still to be confirmed.",
    arguments: LedgerBackend.allCases)
  func crashBeforeConfirmation(_ backend: LedgerBackend) throws {
    let place = backend.place()
    let steps = script().steps
    let crash = steps.count - 4
    var sent: [SettlementConfirmed] = []
    do {
      var settler = try Settler(try place.open(genesis))
      sent = steps[..<crash].compactMap { settler.feed($0) }
      try settler.close()
    }
    var settler = try Settler(try place.open(genesis))
    for step in steps[..<crash] { #expect(settler.feed(step) == nil) }
    #expect(settler.unconfirmed == sent)
    #expect(settler.reconcile() == .equal(settler.ledgerHead))
    // All but the last confirmation turn out to be in the journal.
    let known = SettlementConfirmed(batch: sent[sent.count - 2].batch, lastSequence: .none)
    settler.take(
      .control(.settlementConfirmed(known)), sequence: steps[crash].sequence,
      time: steps[crash].time, steps[crash].known())
    #expect(settler.unconfirmed == [sent[sent.count - 1]])
    let rest = steps[crash...].compactMap { settler.feed($0) }
    #expect(rest.map(\.batch).first == sent[sent.count - 1].batch + 1)
    #expect(settler.condition == .following)
  }

  @Test(
    "A ledger that lacks batches gets them from the journal.", arguments: LedgerBackend.allCases)
  func behind(_ backend: LedgerBackend) throws {
    let place = backend.place()
    do {
      let ledger = try place.open(genesis)
      _ = try ledger.apply(try BatchBuilder.batches(of: script(), genesis)[0])
      try ledger.close()
    }
    var settler = try Settler(try place.open(genesis))
    let confirmations = script().steps.compactMap { settler.feed($0) }
    #expect(confirmations.first?.batch == 2)
    #expect(settler.reconcile() == .behind(resent: UInt64(confirmations.count), waiting: nil))
  }

  @Test(
    "A ledger that is ahead of the journal halts settlement.",
    arguments: LedgerBackend.allCases)
  func ahead(_ backend: LedgerBackend) throws {
    let place = backend.place()
    do {
      var settler = try Settler(try place.open(genesis))
      for step in script().steps { _ = settler.feed(step) }
      try settler.close()
    }
    var settler = try Settler(try place.open(genesis))
    for step in script().steps.dropLast(6) { _ = settler.feed(step) }
    guard case .ahead = settler.reconcile() else {
      Issue.record("not seen: \(settler.reconcile())")
      return
    }
    guard case .halted = settler.condition else {
      Issue.record("went on")
      return
    }
  }

  @Test(
    "A journal that differs from the ledger halts settlement, and the ledger stays as it is.",
    arguments: LedgerBackend.allCases)
  func different(_ backend: LedgerBackend) throws {
    let place = backend.place()
    do {
      var settler = try Settler(try place.open(genesis))
      for step in script(rounds: 3).steps { _ = settler.feed(step) }
      try settler.close()
    }
    var other = EventScript()
    for _ in 1...3 {
      other.cash(2, 1_000_001)
      other.meter(3, produced: 5000)
      other.trade(2, 3, energy: 1000, price: 7, buyerFee: 1, sellerFee: 1)
    }
    other.checkpoint()
    let ledger = try place.open(genesis)
    let balances = try ledger.balances()
    var settler = try Settler(ledger)
    for step in other.steps { #expect(settler.feed(step) == nil) }
    guard case .different(.chainMismatch(batch: 1, _)) = settler.reconcile() else {
      Issue.record("not seen: \(settler.reconcile())")
      return
    }
    #expect(try ledger.balances() == balances)
  }

  @Test(
    "While the ledger is unavailable the settler keeps one batch, and then continues.",
    arguments: LedgerBackend.allCases)
  func ledgerDown(_ backend: LedgerBackend) throws {
    let ledger = FaultyLedger(try backend.place().open(genesis), [.unavailable, .unavailable])
    var settler = try Settler(ledger)
    var confirmations: [SettlementConfirmed] = []
    var waits = 0
    for step in script().steps {
      if let confirmed = settler.feed(step) { confirmations.append(confirmed) }
      while case .waiting = settler.condition, waits < 10 {
        waits += 1
        if let confirmed = settler.retry() { confirmations.append(confirmed) }
      }
    }
    #expect(waits == 2)
    #expect(confirmations.map(\.batch) == Array(1...settler.journalHead.batch))
    #expect(try LedgerVerification.run(on: ledger).problems == [])
  }

  @Test(
    "Whether a failed commit took effect or not, the batch is in the ledger once.",
    arguments: LedgerBackend.allCases, [FaultyLedger.Fault.answerLost, .commitLost])
  func ambiguousCommit(_ backend: LedgerBackend, _ fault: FaultyLedger.Fault) throws {
    let ledger = FaultyLedger(try backend.place().open(genesis), [fault])
    var settler = try Settler(ledger)
    var confirmations: [SettlementConfirmed] = []
    for step in script().steps {
      if let confirmed = settler.feed(step) { confirmations.append(confirmed) }
      if let confirmed = settler.retry() { confirmations.append(confirmed) }
      try #require(settler.condition == .following)
    }
    #expect(ledger.reconnects == 1)
    #expect(confirmations.map(\.batch) == Array(1...settler.journalHead.batch))
    let transfers = try BatchBuilder.batches(of: script(), genesis).flatMap(\.transfers)
    #expect(try ledger.transferCount() == UInt64(transfers.count))
    #expect(try LedgerVerification.run(on: ledger).problems == [])
  }

  @Test(
    "A batch that cannot be built is not skipped.",
    arguments: LedgerBackend.allCases)
  func contentRejected(_ backend: LedgerBackend) throws {
    var script = EventScript()
    script.cash(2, 10)
    script.checkpoint()
    script.trade(2, 3, energy: 10, price: 5, area: 9)
    script.checkpoint()
    script.cash(3, 1)
    script.checkpoint()
    let ledger = try backend.place().open(genesis)
    var settler = try Settler(ledger)
    let confirmations = script.steps.compactMap { settler.feed($0) }
    #expect(confirmations.map(\.batch) == [1])
    guard case .halted(.contentRejected(batch: 2, _)) = settler.condition else {
      Issue.record("not halted: \(settler.condition)")
      return
    }
    #expect(settler.retry() == nil)
    #expect(try ledger.head().batch == 1)
  }
}
