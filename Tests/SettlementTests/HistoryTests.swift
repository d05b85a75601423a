// The history of accounts gives what the ledger gives, whatever it has of the ledger.

import Foundation
import MarketModel
import Settlement
import Testing

@testable import AccountHistory

@Suite("The history of accounts")
struct HistoryTests {
  static let genesis = LedgerGenesis(rules: BatchRules(transfers: 7_000, nanoseconds: .max))
  static let ever = Timestamp(nanoseconds: 0)..<Timestamp.never

  /// A ledger with `count` batches of 7,000 random transfers among 50 accounts, a second each.
  func fill(_ ledger: any Ledger, _ count: Int, seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for _ in 0..<count {
      let head = try ledger.head()
      let transfers = (1...UInt64(7_000)).map { index in
        let debit = 1 + UInt32(random.next(below: 50))
        let credit = 1 + (debit + UInt32(random.next(below: 48))) % 50
        let id = head.transfers + index
        return LedgerTransfer(
          id: id, batch: head.batch + 1, debit: AccountId(debit), credit: AccountId(credit),
          unit: random.next(below: 2) == 0 ? .currency(.eur) : .energy(AreaId(7)),
          amount: 1 + Int64(random.next(below: 1 << 62)), code: .cashTransfer,
          flags: TransferFlags(rawValue: UInt16(random.next(below: 4))),
          tradeSequence: SequenceNumber(id / 3 + 1),
          time: Timestamp(nanoseconds: id * 1_000_000_000), reference: random.next())
      }
      let batch = SettlementBatch(
        shard: 0, id: head.batch + 1, first: SequenceNumber(head.last.rawValue + 1),
        last: SequenceNumber(transfers.last?.tradeSequence.rawValue ?? 0), previous: head.hash,
        transfers: transfers)
      #expect(try ledger.apply(batch) == .applied)
    }
  }

  func compare(_ ledger: any Ledger, _ history: AccountHistory) throws {
    let indexed = try #require(try IndexedLedger(ledger, history))
    let middle = Timestamp(nanoseconds: 31_000 * 1_000_000_000)
    for account in [AccountId(1), AccountId(50), AccountId(77)] {
      for period in [Self.ever, middle..<Timestamp.never, Self.ever.lowerBound..<middle] {
        #expect(
          try indexed.transfers(of: account, in: period)
            == ledger.transfers(of: account, in: period))
      }
    }
    let statement = try AccountStatement.make(
      from: indexed, account: AccountId(9), period: Self.ever)
    #expect(
      try statement
        == AccountStatement.make(from: ledger, account: AccountId(9), period: Self.ever))
  }

  @Test(
    "With none, a part, or all of the ledger: an account's transfers are the ledger's.",
    arguments: LedgerBackend.stores)
  func equal(_ backend: LedgerBackend) throws {
    let (place, folder) = (backend.place(), SQLitePlace())
    let ledger = try place.open(Self.genesis)
    let history = try AccountHistory(path: folder.folder + "/history.sqlite")
    #expect(try history.fill(from: ledger) == 0)
    try compare(ledger, history)
    try fill(ledger, 3, seed: 1)
    #expect(try history.fill(from: ledger) == 0 && history.extent().batch == 0)
    try fill(ledger, 6, seed: 2)
    let reader = try place.openForReading()
    #expect(try history.fill(from: reader) == 2 * 28_000)
    #expect(try history.extent() == HistoryExtent(batch: 4, transfer: 28_000))
    try compare(reader, history)
    #expect(try history.fill(from: reader) == 2 * 28_000 && history.fill(from: reader) == 0)
    try compare(reader, history)
    try compare(reader, AccountHistory(readingFrom: folder.folder + "/history.sqlite"))
  }

  @Test("A history of another ledger is not used, and is filled anew.")
  func other() throws {
    let (one, two, folder) = (SQLitePlace(), SQLitePlace(), SQLitePlace())
    let (first, second) = (try one.open(Self.genesis), try two.open(Self.genesis))
    try fill(first, 4, seed: 1)
    try fill(second, 8, seed: 2)
    let history = try AccountHistory(path: folder.folder + "/history.sqlite")
    #expect(try history.fill(from: first) > 0)
    #expect(try IndexedLedger(second, history) == nil)
    #expect(try history.fill(from: second) > 0 && history.fits(second))
    try compare(second, history)
  }

  @Test("A snapshot of the ledger that is older than the history sees nothing newer.")
  func olderSnapshot() throws {
    let (place, folder) = (SQLitePlace(), SQLitePlace())
    let ledger = try place.open(Self.genesis)
    try fill(ledger, 4, seed: 1)
    let history = try AccountHistory(path: folder.folder + "/history.sqlite")
    _ = try history.fill(from: ledger)
    let reader = try place.openForReading()
    let indexed = try #require(try IndexedLedger(reader, history))
    try indexed.snapshot { () throws(LedgerError) in
      let before = try reader.transfers(of: AccountId(1), in: Self.ever)
      do {
        try fill(ledger, 4, seed: 2)
      } catch {
        Issue.record(error)
      }
      let added = try history.fill(from: ledger)
      let seen = try indexed.transfers(of: AccountId(1), in: Self.ever)
      #expect(added > 0 && seen == before)
    }
  }

  @Test("Lines come back at their limits, and damaged ones are noticed.")
  func packing() throws {
    let account = AccountId(.max)
    func transfer(_ number: UInt64, _ amount: Int64, _ code: TransferCode) -> LedgerTransfer {
      LedgerTransfer(
        id: number, batch: number, debit: account, credit: AccountId(0), unit: .currency(.eur),
        amount: amount, code: code, flags: TransferFlags(rawValue: .max),
        tradeSequence: SequenceNumber(number), time: Timestamp(nanoseconds: number),
        reference: number)
    }
    let transfers = [
      transfer(.max, .max, .cashLeg), transfer(1, 1, .withdrawal), transfer(0, 5, .mint),
    ]
    var lines = HistoryLines()
    for one in transfers { lines.add(one, isCredited: false) }
    #expect(HistoryLines.unpack(lines.bytes, of: account) == transfers)
    #expect(HistoryLines.unpack(Array(lines.bytes.dropLast()), of: account) == nil)
    #expect(HistoryLines.unpack([UInt8](repeating: 0xFF, count: 40), of: account) == nil)
  }
}
