// Measures how fast the SQLite ledger applies batches: 100 batches of 10,000 transfers between 10,000 accounts,
// WAL, synchronous=FULL, a new file. `apply` (one transaction and one sync per batch) is measured; building and
// hashing a batch, verifying the ledger, and a statement of one account are measured separately.
//
//   swift run --package-path Benchmarks -c release ledger [PATH] [BATCHES]

import Foundation
import LedgerSQLite
import MarketModel
import Settlement

extension SeededRandom {
  /// A random number in 0 ..< `bound`.
  mutating func next(below bound: UInt64) -> UInt64 { next() % bound }
}

let arguments = CommandLine.arguments
let path =
  arguments.count > 1
  ? arguments[1] : NSTemporaryDirectory() + "/joulebook-ledger-benchmark.sqlite"
let batches = arguments.count > 2 ? Int(arguments[2]) ?? 100 : 100
let (transfersPerBatch, accounts) = (10_000, UInt64(10_000))

/// Runs `body` and returns its time in seconds.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = DispatchTime.now().uptimeNanoseconds
  try body()
  return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
}

func transfers(batch: UInt64, after count: UInt64, _ random: inout SeededRandom) -> [LedgerTransfer]
{
  (1...UInt64(transfersPerBatch)).map { index in
    let debit = 1 + random.next(below: accounts)
    let credit = 1 + (debit + random.next(below: accounts - 1)) % accounts
    let id = count + index
    return LedgerTransfer(
      id: id, batch: batch, debit: AccountId(UInt32(debit)), credit: AccountId(UInt32(credit)),
      unit: .currency(.eur), amount: 1 + Int64(random.next(below: 1_000_000_000)), code: .cashLeg,
      flags: [], tradeSequence: SequenceNumber(id),
      time: Timestamp(nanoseconds: 1_780_272_000_000_000_000 + id), reference: id)
  }
}

for suffix in ["", "-wal", "-shm", "-journal", ".lock"] {
  let file = path + suffix
  if FileManager.default.fileExists(atPath: file) {
    try FileManager.default.removeItem(atPath: file)
  }
}
let ledger = try SQLiteLedger(path: path, genesis: LedgerGenesis())
var random = SeededRandom(seed: 42)  // All runs use equal transfers.
var (making, applying): ([Double], [Double]) = ([], [])
for _ in 0..<batches {
  let head = try ledger.head()
  let content = transfers(batch: head.batch + 1, after: head.transfers, &random)
  var batch: SettlementBatch?
  making.append(
    seconds {
      batch = SettlementBatch(
        shard: 0, id: head.batch + 1, first: SequenceNumber(head.last.rawValue + 1),
        last: SequenceNumber(head.last.rawValue + UInt64(transfersPerBatch)), previous: head.hash,
        transfers: content)
    })
  guard let batch else { break }
  applying.append(try seconds { _ = try ledger.apply(batch) })
}

/// Milliseconds with one digit behind the point.
func tenths(_ milliseconds: Double) -> String { String(format: "%.1f", milliseconds) }

func report(_ name: String, _ times: [Double]) {
  let (total, sorted) = (times.reduce(0, +), times.sorted())
  let rate = Int(Double(times.count * transfersPerBatch) / total)
  let (median, worst) = (sorted[sorted.count / 2] * 1000, (sorted.last ?? 0) * 1000)
  print(name, "\(rate) transfers/s, batch median \(tenths(median)) ms, worst \(tenths(worst)) ms")
}

report("make and hash:", making)
report("apply:", applying)
let reader = try SQLiteLedger(readingFrom: path)
var sound = false
let verifying = try seconds { sound = try LedgerVerification.run(on: reader).isSound }
print("verify:", Int(Double(batches * transfersPerBatch) / verifying), "transfers/s, sound:", sound)
let period = Timestamp(nanoseconds: 0)..<Timestamp.never
let stating = try seconds {
  _ = try AccountStatement.make(from: reader, account: AccountId(17), period: period)
}
print(
  "statement of one account: \(tenths(stating * 1000)) ms over \(batches * transfersPerBatch) transfers"
)
