// What the ledger's checks, types and errors cost: batches of 10,000 transfers between 10,000
// accounts, applied in turn by a ledger and by a bare loop over the store's C interface that writes
// the same rows and the same sums.
//
//   swift run --package-path Benchmarks -c release ledger-ratio sqlite FOLDER [BATCHES]
//   swift run --package-path Benchmarks -c release ledger-ratio postgresql URL [BATCHES]
//   swift run --package-path Benchmarks -c release ledger-ratio history FOLDER [BATCHES]
//
// Then the history of accounts is filled behind the ledger, and the statement of one account is made without and
// with it.
//
// `history` does only that, on SQLite: 10,000 batches are 10^8 transfers and take 16 GB in FOLDER.
//
// The URL names an empty database (Benchmarks/postgresql.sh starts a server with one).

import AccountHistory
import Foundation
import LedgerPostgres
import LedgerSQLite
import MarketModel
import Settlement

/// A bare loop: applies a batch, without any check.
protocol BareStore {
  /// Writes the rows and sums of `batch` in one durable transaction.
  func apply(_ batch: SettlementBatch) throws
}

/// An error of a bare loop.
struct BareFailure: Error { var message: String }

let arguments = CommandLine.arguments
guard arguments.count > 2 else {
  print("usage: ledger-ratio sqlite|history FOLDER [BATCHES] | postgresql URL [BATCHES]")
  exit(64)
}
let (kind, place) = (arguments[1], arguments[2])
let batches = arguments.count > 3 ? Int(arguments[3]) ?? 50 : 50
let (transfersPerBatch, accounts) = (10_000, UInt64(10_000))

func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = DispatchTime.now().uptimeNanoseconds
  try body()
  return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
}

func content(batch: UInt64, after count: UInt64, _ random: inout SeededRandom) -> [LedgerTransfer] {
  (1...UInt64(transfersPerBatch)).map { index in
    let debit = 1 + random.next() % accounts
    let credit = 1 + (debit + random.next() % (accounts - 1)) % accounts
    let id = count + index
    return LedgerTransfer(
      id: id, batch: batch, debit: AccountId(UInt32(debit)), credit: AccountId(UInt32(credit)),
      unit: .currency(.eur), amount: 1 + Int64(random.next() % 1_000_000_000), code: .cashLeg,
      flags: [], tradeSequence: SequenceNumber(id),
      time: Timestamp(nanoseconds: 1_780_272_000_000_000_000 + id), reference: id)
  }
}

let (ledger, bare): (any Ledger, (any BareStore)?)
if kind != "postgresql" {
  let paths = [place + "/ledger.sqlite", place + "/bare.sqlite"]
  for path in paths {
    for suffix in ["", "-wal", "-shm", ".lock"]
    where FileManager.default.fileExists(atPath: path + suffix) {
      try FileManager.default.removeItem(atPath: path + suffix)
    }
  }
  (ledger, bare) = (
    try SQLiteLedger(path: paths[0], genesis: LedgerGenesis()),
    kind == "sqlite" ? try BareSQLite(paths[1]) : nil
  )
} else {
  let address = try PostgresAddress(String(place.drop { $0 != ":" }.dropFirst()))
  (ledger, bare) = (
    try PostgresLedger(address, genesis: LedgerGenesis()), try BarePostgres(place)
  )
}

var random = SeededRandom(seed: 42)
var (applying, looping): ([Double], [Double]) = ([], [])
for round in 0..<batches {
  let head = try ledger.head()
  let batch = SettlementBatch(
    shard: 0, id: head.batch + 1, first: SequenceNumber(head.last.rawValue + 1),
    last: SequenceNumber(head.last.rawValue + UInt64(transfersPerBatch)), previous: head.hash,
    transfers: content(batch: head.batch + 1, after: head.transfers, &random))
  // In turn who is first, so that neither always meets the other's writes on their way to the disk.
  for turn in 0..<2 {
    if (turn + round) % 2 == 0 {
      applying.append(try seconds { _ = try ledger.apply(batch) })
    } else if let bare {
      looping.append(try seconds { try bare.apply(batch) })
    }
  }
}

func rate(_ times: [Double]) -> Int {
  Int(Double(times.count * transfersPerBatch) / times.reduce(0, +))
}

func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }

print("\(kind) ledger: \(rate(applying)) transfers/s, batch median", tenths(median(applying)), "ms")
if bare != nil {
  print(
    "\(kind) bare loop: \(rate(looping)) transfers/s, batch median", tenths(median(looping)), "ms")
  print(
    "\(kind) ledger / bare loop:", String(format: "%.2f", median(looping) / median(applying)),
    "by medians,", String(format: "%.2f", Double(rate(applying)) / Double(rate(looping))),
    "by rates")
}

let historyFolder =
  (kind == "postgresql" ? NSTemporaryDirectory() : place)
  + "/ledger-ratio-\(ProcessInfo.processInfo.processIdentifier)"
try FileManager.default.createDirectory(atPath: historyFolder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(atPath: historyFolder) }
let history = try AccountHistory(path: historyFolder + "/history.sqlite")
var lines = 0
let filling = try seconds {
  while true {
    let added = try history.fill(from: ledger)
    if added == 0 { break }
    lines += added
  }
}
print("history: \(Int(Double(lines) / filling)) lines/s, \(lines) lines")
let period = Timestamp(nanoseconds: 0)..<Timestamp.never
let total = try ledger.transferCount()
if let indexed = try IndexedLedger(ledger, history) {
  // Without it, all transfers are read twice: only of a ledger that is not too long.
  let sources: [(String, any Ledger)] =
    total <= 20_000_000 ? [("without", ledger), ("with", indexed)] : [("with", indexed)]
  for (name, source) in sources {
    // The second time counts: the files are in memory then, as those of a running exchange.
    var time = 0.0
    for _ in 0..<2 {
      time = try seconds {
        _ = try AccountStatement.make(from: source, account: AccountId(17), period: period)
      }
    }
    print("statement \(name) the history: \(tenths(time)) ms over \(total) transfers")
  }
}

func tenths(_ seconds: Double) -> String { String(format: "%.1f", seconds * 1000) }
