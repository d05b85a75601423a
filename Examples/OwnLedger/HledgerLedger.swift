import Foundation
import MarketModel
import Settlement

/// A ledger in one append-only file in the journal format of hledger, which that program reads as
/// it is. A batch is in the ledger when the line that ends it is on disk; what stands behind the
/// last such line is cut off when the file is opened. One process at a time has it open. All
/// transfers are in memory too, with 72 bytes each.
final class HledgerLedger: Ledger {
  let genesis: LedgerGenesis
  private(set) var notes: [String] = []
  private let path: String
  private var file = FileHandle.nullDevice
  private var batches: [SettlementBatch] = []
  private var sums: [UInt64: LedgerBalance] = [:]
  /// The length of the file up to the end of the last batch, in bytes.
  private var end = 0

  /// Opens the file, which is made when there is none, and reads it.
  init(path: String, genesis: LedgerGenesis) throws(LedgerError) {
    (self.path, self.genesis) = (path, genesis)
    try reconnect()
  }

  func head() throws(LedgerError) -> LedgerHead {
    LedgerHead(after: batches.last?.row, genesis: genesis)
  }

  /// Appends the batch: first its transfers, then the line that ends it, each with a sync, so that
  /// the line is never on disk without what stands before it.
  func apply(_ batch: SettlementBatch) throws(LedgerError) -> ApplyOutcome {
    let outcome = try admission(of: batch, after: head(), stored: row(ofBatch: batch.id))
    if outcome == .alreadyApplied { return outcome }
    try checkPlace()
    let text = batch.text
    do throws(LedgerError) {
      try append(Data(text.transfers.utf8))
      try append(Data(text.end.utf8))
    } catch {
      // Without what was written nothing has changed, and the batch can be applied again.
      if ftruncate(file.fileDescriptor, end) == 0 { throw error }
      throw .ambiguous("\(error), and the file cannot be cut")
    }
    note(batch, bytes: text.transfers.utf8.count + text.end.utf8.count)
    return .applied
  }

  func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow? {
    id > 0 && id <= batches.count ? batches[Int(id) - 1].row : nil
  }

  func transfers(in row: BatchRow) throws(LedgerError) -> [LedgerTransfer] {
    batches[Int(row.id) - 1].transfers
  }

  func transfers(
    of account: AccountId, in period: Range<Timestamp>
  ) throws(LedgerError) -> [LedgerTransfer] {
    batches.flatMap(\.transfers).filter {
      ($0.debit == account || $0.credit == account) && period.contains($0.time)
    }
  }

  func time(ofTransfer id: UInt64) throws(LedgerError) -> Timestamp? {
    batches.last { $0.transfers[0].id <= id }?.transfers.first { $0.id == id }?.time
  }

  func transferCount() throws(LedgerError) -> UInt64 { try head().transfers }

  func balances() throws(LedgerError) -> [LedgerBalance] {
    sums.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Nobody else writes to the file, so that what is in memory is consistent.
  func snapshot<Value>(_ body: () throws(LedgerError) -> Value) throws(LedgerError) -> Value {
    try body()
  }

  /// A file without a name would be gone with this process.
  func checkPlace() throws(LedgerError) {
    var found = stat()
    guard fstat(file.fileDescriptor, &found) == 0, found.st_nlink > 0 else {
      throw .unavailable("\(path) was removed or replaced")
    }
  }

  /// Opens the file again, locks it, and reads it from the start.
  func reconnect() throws(LedgerError) {
    try close()
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw .unavailable("\(path) cannot be opened: \(errno)") }
    file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw .inUse(path) }
    (batches, sums, notes) = ([], [:], [])
    let bytes = try perform { try file.readToEnd() ?? Data() }
    let header = Data("; joulebook ledger, version 1, \(genesis)\ndecimal-mark .\n".utf8)
    if bytes.isEmpty { try append(header) }
    guard bytes.isEmpty || bytes.starts(with: header) else {
      throw .incompatible("\(path) does not begin as a ledger of \(genesis) does")
    }
    end = header.count
    try read(String(decoding: bytes.dropFirst(end), as: UTF8.self))
    if end < bytes.count {
      try perform { try file.truncate(atOffset: UInt64(end)) }
      notes = ["\(bytes.count - end) bytes of a batch that was not complete were cut off"]
    }
  }

  func close() throws(LedgerError) { file = .nullDevice }

  /// Takes the batches that are complete.
  private func read(_ text: String) throws(LedgerError) {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    while let last = lines.firstIndex(where: { $0.hasPrefix("; end of batch ") }) {
      let head = try head()
      guard let batch = SettlementBatch(lines[...last], after: head, shard: genesis.shard) else {
        throw .corrupt("batch \(head.batch + 1) in \(path); remove it, the journal fills a new one")
      }
      note(batch, bytes: lines[...last].reduce(0) { $0 + $1.utf8.count + 1 })
      lines = lines[(last + 1)...]
    }
  }

  private func note(_ batch: SettlementBatch, bytes: Int) {
    batches.append(batch)
    end += bytes
    for change in batch.netted {
      let empty = LedgerBalance(account: change.account, unit: change.unit, debits: 0, credits: 0)
      sums[change.key, default: empty].debits += change.debits
      sums[change.key, default: empty].credits += change.credits
    }
  }

  private func append(_ bytes: Data) throws(LedgerError) {
    try perform {
      try file.seekToEnd()
      try file.write(contentsOf: bytes)
      try file.synchronize()
    }
  }

  private func perform<Value>(_ body: () throws -> Value) throws(LedgerError) -> Value {
    do { return try body() } catch { throw .unavailable("\(path): \(error)") }
  }
}
