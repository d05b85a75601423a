// What the ledger loses when PostgreSQL dies in the middle of a commit: nothing, and nothing comes
// twice.

import Foundation
import LedgerPostgres
import MarketModel
import Settlement
import Testing

@Suite("PostgreSQL is lost in mid-commit")
struct PostgresLossTests {
  let genesis = LedgerGenesis(rules: BatchRules(transfers: 6, nanoseconds: 60_000_000_000))

  func script(rounds: Int = 12) -> EventScript {
    var script = EventScript()
    for round in 1...rounds {
      script.cash(2, 1_000_000)
      script.trade(2, 3, energy: 1000, price: Int64(round), buyerFee: 1, sellerFee: 1)
      script.meter(3, produced: 5000, lost: 10)
    }
    script.checkpoint()
    return script
  }

  /// Retries until the settler goes on, 20 s at most.
  func settle(_ settler: inout Settler) -> [SettlementConfirmed] {
    var confirmed: [SettlementConfirmed] = []
    for _ in 0..<200 {
      guard case .waiting = settler.condition else { break }
      if let one = settler.retry() { confirmed.append(one) }
      if case .waiting = settler.condition { usleep(100_000) }
    }
    return confirmed
  }

  /// Checks that the ledger at `address` has each transfer of the script once.
  func checkAll(_ address: PostgresAddress, _ script: EventScript) throws {
    let reader = try PostgresLedger(readingFrom: address)
    let due = try BatchBuilder.batches(of: script, genesis).flatMap(\.transfers)
    #expect(try reader.transfers(from: 1, most: .max) == due)
    #expect(try LedgerVerification.run(on: reader).problems == [])
  }

  @Test(
    "A connection that is lost before or after the commit: the head says which.",
    arguments: [CuttingProxy.Cut.beforeCommit, .afterCommit])
  func connectionLost(_ cut: CuttingProxy.Cut) throws {
    let server = try PostgresServer.shared.get()
    let proxy = try CuttingProxy(to: server.port)
    let address = try server.address(ports: [proxy.port], schema: PostgresPlace().schema)
    var settler = try Settler(try PostgresLedger(address, genesis: genesis))
    let script = script()
    var confirmed: [SettlementConfirmed] = []
    var lost = 0
    for (index, step) in script.steps.enumerated() {
      if index % 5 == 3 { proxy.cutNext(cut) }
      if let one = settler.feed(step) { confirmed.append(one) }
      if case .waiting(let error) = settler.condition {
        guard case .ambiguous = error else {
          Issue.record("\(error)")
          return
        }
        lost += 1
        confirmed += settle(&settler)
      }
      try #require(settler.condition == .following)
    }
    #expect(lost > 3 && lost == proxy.cuts)
    #expect(confirmed.map(\.batch) == Array(1...settler.journalHead.batch))
    try checkAll(address, script)
  }

  @Test("A server that is killed and comes back: the settler waits, and goes on.")
  func serverKilled() throws {
    let server = try PostgresServer()
    defer { server.end() }
    let address = try server.address(schema: "books")
    var settler = try Settler(try PostgresLedger(address, genesis: genesis))
    let script = script()
    for (index, step) in script.steps.enumerated() {
      if index == 15 { try server.kill() }
      _ = settler.feed(step)
      if case .waiting(let error) = settler.condition {
        #expect(error.remedy != .halt)
        #expect(settler.retry() == nil)
        guard case .waiting(.unavailable) = settler.condition else {
          Issue.record("\(settler.condition)")
          return
        }
        try server.start()
        _ = settle(&settler)
      }
      try #require(settler.condition == .following)
    }
    #expect(settler.ledgerHead == settler.journalHead)
    try checkAll(address, script)
  }

  /// What the standby has of the batch in whose commit the primary is killed.
  enum Copied: CaseIterable { case withBatch, withoutBatch, withoutConfirmedBatch }

  @Test(
    "A standby is promoted after the primary was killed in mid-commit.", arguments: Copied.allCases)
  func failover(_ copied: Copied) throws {
    let primary = try PostgresServer()
    let standby = try PostgresServer(standbyOf: primary)
    defer {
      primary.end()
      standby.end()
    }
    let proxy = try CuttingProxy(to: primary.port)
    let address = try primary.address(ports: [proxy.port, standby.port], schema: "books")
    var settler = try Settler(try PostgresLedger(address, genesis: genesis))
    let (script, half) = (script(), 18)
    for step in script.steps[..<half] { _ = settler.feed(step) }
    try #require(settler.condition == .following)
    let before = settler.ledgerHead
    try standby.wait("has copied \(before.batch) batches") {
      try standby.execute("SELECT count(*) FROM books.batch") == "\(before.batch)"
    }
    if copied != .withBatch {
      try standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
      try standby.execute("SELECT pg_reload_conf()")
      try standby.wait("copies no more") {
        try standby.execute("SELECT count(*) FROM pg_stat_wal_receiver") == "0"
      }
    }
    if copied != .withoutConfirmedBatch { proxy.cutNext(.afterCommit) }
    var rest = script.steps[half...]
    while settler.condition == .following, settler.ledgerHead == before, let step = rest.popFirst()
    {
      _ = settler.feed(step)
    }
    let batch = before.batch + 1
    #expect(try primary.execute("SELECT max(id) FROM books.batch") == "\(batch)")
    if copied == .withBatch {
      try standby.wait("has copied the batch") {
        try standby.execute("SELECT count(*) FROM books.batch") == "\(batch)"
      }
    }
    try primary.kill()
    proxy.refuse(true)
    #expect(settler.retry() == nil)
    try standby.execute("SELECT pg_promote()")
    if copied == .withoutConfirmedBatch {
      // The next batch finds the connection lost; the ledger that answers then lacks a confirmed
      // batch.
      while settler.condition == .following, let step = rest.popFirst() { _ = settler.feed(step) }
      _ = settle(&settler)
      guard case .halted(.chainMismatch(batch: batch, let reason)) = settler.condition else {
        Issue.record("\(settler.condition)")
        return
      }
      #expect(reason.contains("A restart adds the missing batches from the journal"))
      try settler.close()
      settler = try Settler(try PostgresLedger(address, genesis: genesis))
      rest = script.steps[...]
    }
    _ = settle(&settler)
    for step in rest {
      try #require(settler.condition == .following)
      _ = settler.feed(step)
    }
    #expect(settler.condition == .following && settler.ledgerHead == settler.journalHead)
    try checkAll(address, script)
  }

  @Test("A server that hangs is given up after a time, and its half-done batch is applied once.")
  func hangs() throws {
    let server = try PostgresServer()
    defer { server.end() }
    let address = try server.address(schema: "books", settings: "&connect_timeout=2")
    var limits = PostgresLimits()
    limits.writerMilliseconds = 500
    let ledger = try PostgresLedger(address, genesis: genesis, limits: limits)
    let batches = try BatchBuilder.batches(of: script(), genesis)
    #expect(try ledger.apply(batches[0]) == .applied)
    try server.signal(SIGSTOP)
    guard case .unavailable(let words) = errorOf({ _ = try ledger.apply(batches[1]) }) else {
      Issue.record("applied, or failed otherwise")
      return
    }
    #expect(words.contains("has not answered"), "\(words)")
    guard case .unavailable = errorOf({ try ledger.reconnect() }) else {
      Issue.record("connected")
      return
    }
    try server.signal(SIGCONT)
    try server.wait("has ended the lost session") {
      errorOf { try ledger.reconnect() } == nil
    }
    for batch in batches.dropFirst() { #expect(try ledger.apply(batch) == .applied) }
    try checkAll(address, script())
  }
}
