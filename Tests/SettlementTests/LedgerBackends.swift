import Foundation
import LedgerSQLite
import MarketModel
import Settlement
import Testing

/// A location in which a ledger can be opened repeatedly; the contract suite runs on each.
enum LedgerBackend: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case memory
  case sqlite
  case postgresql

  /// The backends that keep a ledger for other processes.
  static let stores = [LedgerBackend.sqlite, .postgresql]

  var testDescription: String { rawValue }

  /// A new, empty place.
  func place() -> LedgerPlace {
    switch self {
    case .memory: MemoryPlace()
    case .sqlite: SQLitePlace()
    case .postgresql: PostgresPlace()
    }
  }
}

/// Keeps the content of a ledger between two openings.
protocol LedgerPlace: AnyObject {
  /// Opens the ledger.
  func open(_ genesis: LedgerGenesis) throws(LedgerError) -> any Ledger
  /// Opens the ledger for reading.
  func openForReading() throws(LedgerError) -> any Ledger
}

/// A temporary folder, removed when the test process ends: a ledger may outlive this object.
final class SQLitePlace: LedgerPlace {
  private static let root: URL = {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("ledger-tests-\(ProcessInfo.processInfo.processIdentifier)")
    atexit { try? FileManager.default.removeItem(at: SQLitePlace.root) }
    return url
  }()

  let folder: String
  var path: String { folder + "/ledger.sqlite" }

  init() {
    let url = Self.root.appendingPathComponent(UUID().uuidString)
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      Issue.record(error)
    }
    folder = url.path
  }

  func open(_ genesis: LedgerGenesis) throws(LedgerError) -> any Ledger {
    try SQLiteLedger(path: path, genesis: genesis)
  }

  func openForReading() throws(LedgerError) -> any Ledger { try SQLiteLedger(readingFrom: path) }
}

/// What a `MemoryLedger` keeps.
final class MemoryPlace: LedgerPlace {
  var genesis: LedgerGenesis?
  var rows: [BatchRow] = []
  var transfers: [LedgerTransfer] = []
  var balances: [UInt64: LedgerBalance] = [:]
  var notes: [LedgerNote] = []
  var readings: [LedgerReading] = []

  func open(_ genesis: LedgerGenesis) throws(LedgerError) -> any Ledger {
    if let made = self.genesis, made != genesis { throw .incompatible("other genesis") }
    self.genesis = genesis
    return MemoryLedger(self, genesis)
  }

  func openForReading() throws(LedgerError) -> any Ledger {
    guard let genesis else { throw .unavailable("there is none") }
    return MemoryLedger(self, genesis)
  }
}

/// The contract as the simplest possible code.
final class MemoryLedger: Ledger {
  let genesis: LedgerGenesis
  private let place: MemoryPlace

  init(_ place: MemoryPlace, _ genesis: LedgerGenesis) {
    (self.place, self.genesis) = (place, genesis)
  }

  func head() -> LedgerHead { LedgerHead(after: place.rows.last, genesis: genesis) }

  func apply(_ batch: SettlementBatch) throws(LedgerError) -> ApplyOutcome {
    let stored = row(ofBatch: batch.id)
    let outcome = try admission(of: batch, after: head(), stored: stored)
    guard outcome == .applied else { return outcome }
    var balances = place.balances
    for transfer in batch.transfers {
      for account in [transfer.debit, transfer.credit] {
        let key = UInt64(transfer.unit.rawValue) << 32 | UInt64(account.rawValue)
        let empty = LedgerBalance(account: account, unit: transfer.unit, debits: 0, credits: 0)
        var balance = balances[key] ?? empty
        if account == transfer.debit {
          balance.debits += Int128(transfer.amount)
        } else {
          balance.credits += Int128(transfer.amount)
        }
        balances[key] = balance
      }
    }
    place.balances = balances
    place.transfers += batch.transfers
    place.notes += batch.notes
    place.readings += batch.readings
    place.rows.append(batch.row)
    return .applied
  }

  func row(ofBatch id: UInt64) -> BatchRow? { place.rows.first { $0.id == id } }

  func transfers(in row: BatchRow) -> [LedgerTransfer] {
    place.transfers.filter { $0.batch == row.id }
  }

  func transfers(of account: AccountId, in period: Range<Timestamp>) -> [LedgerTransfer] {
    place.transfers.filter {
      ($0.debit == account || $0.credit == account) && period.contains($0.time)
    }
  }

  func notes(about subject: NoteSubject) -> [LedgerNote] {
    place.notes.filter { .order($0.order) == subject || .account($0.account) == subject }
  }

  func readings(of account: AccountId) -> [LedgerReading] {
    place.readings.filter { $0.account == account }
  }

  func time(ofTransfer id: UInt64) -> Timestamp? { place.transfers.first { $0.id == id }?.time }
  func transferCount() -> UInt64 { UInt64(place.transfers.count) }
  func balances() -> [LedgerBalance] { place.balances.sorted { $0.key < $1.key }.map(\.value) }
  func snapshot<Value>(
    _ body: () throws(LedgerError) -> Value
  ) throws(LedgerError) -> Value { try body() }
  func reconnect() {}
  func close() {}
}

/// A real ledger whose `apply` fails once for each planned fault.
final class FaultyLedger: Ledger {
  enum Fault {
    /// Fails before anything was changed.
    case unavailable
    /// The answer to the commit is lost; the batch is in the ledger.
    case answerLost
    /// The commit is lost.
    case commitLost
  }

  private let ledger: any Ledger
  private var faults: [Fault]
  private(set) var reconnects = 0
  var genesis: LedgerGenesis { ledger.genesis }

  init(_ ledger: any Ledger, _ faults: [Fault]) { (self.ledger, self.faults) = (ledger, faults) }

  func apply(_ batch: SettlementBatch) throws(LedgerError) -> ApplyOutcome {
    guard !faults.isEmpty else { return try ledger.apply(batch) }
    switch faults.removeFirst() {
    case .unavailable: throw .unavailable("told to")
    case .commitLost: throw .ambiguous("told to")
    case .answerLost:
      _ = try ledger.apply(batch)
      throw .ambiguous("told to")
    }
  }

  func reconnect() throws(LedgerError) {
    reconnects += 1
    try ledger.reconnect()
  }

  func head() throws(LedgerError) -> LedgerHead { try ledger.head() }
  func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow? { try ledger.row(ofBatch: id) }
  func transfers(in row: BatchRow) throws(LedgerError) -> [LedgerTransfer] {
    try ledger.transfers(in: row)
  }
  func transfers(
    of account: AccountId, in period: Range<Timestamp>
  ) throws(LedgerError) -> [LedgerTransfer] { try ledger.transfers(of: account, in: period) }
  func time(ofTransfer id: UInt64) throws(LedgerError) -> Timestamp? {
    try ledger.time(ofTransfer: id)
  }
  func transferCount() throws(LedgerError) -> UInt64 { try ledger.transferCount() }
  func balances() throws(LedgerError) -> [LedgerBalance] { try ledger.balances() }
  func snapshot<Value>(
    _ body: () throws(LedgerError) -> Value
  ) throws(LedgerError) -> Value { try ledger.snapshot(body) }
  func close() throws(LedgerError) { try ledger.close() }
}
