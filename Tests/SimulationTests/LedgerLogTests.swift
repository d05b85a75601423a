import LedgerSQLite
import MarketModel
import Settlement
import Testing

@testable import Simulation

@Suite("The log of a ledger whose sync failed")
struct LedgerLogTests {
  private static let genesis = LedgerGenesis(rules: BatchRules(transfers: 1, nanoseconds: .max))

  /// A ledger's machine: disk and SQLite's files on it.
  private final class Machine {
    let disk: SimulatedDisk
    let files: DatabaseFiles

    init(seed: UInt64) {
      disk = SimulatedDisk(seed: seed)
      files = DatabaseFiles(on: disk, clock: SimulatedClock())
    }

    deinit { files.unregister() }

    func open() throws -> SQLiteLedger {
      try SQLiteLedger(path: "/ledger.sqlite", genesis: LedgerLogTests.genesis, files: files.name)
    }

    /// The process is gone, with its memory; the next may start.
    func restart() {
      files.forgetMemory()
      disk.start()
    }
  }

  private func batches() -> [SettlementBatch] {
    var previous = Self.genesis.hash
    return (UInt64(1)...3).map { number in
      let transfer = LedgerTransfer(
        id: number, batch: number, debit: AccountId(2), credit: AccountId(3),
        unit: .currency(.eur), amount: 5, code: .cashTransfer, flags: [],
        tradeSequence: SequenceNumber(number), time: Timestamp(nanoseconds: number), reference: 1)
      let batch = SettlementBatch(
        shard: 0, id: number, first: SequenceNumber(number), last: SequenceNumber(number),
        previous: previous, transfers: [transfer])
      previous = batch.hash
      return batch
    }
  }

  @Test(
    "Batches read after a restart survive a power failure, even if a reader keeps the log.",
    arguments: UInt64(1)...40)
  func outlivesPower(seed: UInt64) throws {
    let (machine, all) = (Machine(seed: seed), batches())
    do {
      let ledger = try machine.open()
      for batch in all.prefix(2) { _ = try ledger.apply(batch) }
      machine.disk.faults.syncError = 10_000
      #expect(throws: LedgerError.self) { try ledger.apply(all[2]) }
      machine.disk.endProcess()
      machine.disk.faults = .none
    }
    machine.restart()
    machine.files.isRead = true
    var seen: LedgerHead
    do {
      let ledger = try machine.open()
      seen = try ledger.head()
      machine.disk.losePower()
    }
    #expect(seen.batch == 3)
    machine.restart()
    machine.files.isRead = false
    let ledger = try machine.open()
    #expect(try ledger.head() == seen)
    #expect(try LedgerVerification.run(on: ledger).problems == [])
    try ledger.close()
  }
}
