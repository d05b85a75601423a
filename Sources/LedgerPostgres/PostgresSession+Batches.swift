// What a session writes and reads: batches with their transfers, balances and notes.

import MarketModel
import Settlement

extension PostgresSession {
  /// Writes `batch` within the open transaction.
  /// - Throws: `.contentRejected` when debits and credits differ or a constraint is broken.
  func insert(_ batch: SettlementBatch) throws(LedgerError) {
    try batch.checkDoubleEntry()
    do throws(PostgresFailure) {
      try connection.copy(PostgresSchema.copyTransfers, PostgresCopy.bytes(of: batch.transfers))
      let changes = batch.netted
      _ = try connection.query(
        PostgresSchema.addToAccounts,
        [
          .integers(changes) { Int64(bitPattern: $0.key) },
          .integers(changes) { Self.low($0.debits) }, .integers(changes) { Self.high($0.debits) },
          .integers(changes) { Self.low($0.credits) }, .integers(changes) { Self.high($0.credits) },
        ])
      try insert(batch.notes, of: batch.id)
      try insert(batch.readings, of: batch.id)
      try insert(batch.row)
    } catch {
      throw LedgerError(error, inserting: batch.id)
    }
  }

  private func insert(_ notes: [LedgerNote], of batch: UInt64) throws(PostgresFailure) {
    if notes.isEmpty { return }
    _ = try connection.query(
      PostgresSchema.insertNotes,
      [
        .integers(notes) { Int64(bitPattern: $0.sequence.rawValue) },
        .integers(notes) { Int64(bitPattern: $0.time.nanoseconds) },
        .integers(notes) { Int64(bitPattern: $0.order.rawValue) },
        .integers(notes) { Int64(bitPattern: $0.clientOrderId.rawValue) },
        .integers(notes) { Int64($0.account.rawValue) }, .bytes(notes) { $0.text.bytes },
        .integer(Int64(bitPattern: batch)),
      ])
  }

  private func insert(_ readings: [LedgerReading], of batch: UInt64) throws(PostgresFailure) {
    if readings.isEmpty { return }
    let rows = readings.map(\.row)
    let columns = LedgerReading.columns.indices.map { column in
      PostgresValue.integers(rows) { $0[column] }
    }
    _ = try connection.query(
      PostgresSchema.insertReadings, columns + [.integer(Int64(bitPattern: batch))])
  }

  private func insert(_ row: BatchRow) throws(PostgresFailure) {
    _ = try connection.query(
      "INSERT INTO batch(\(PostgresSchema.batchColumns)) VALUES($1, $2, $3, $4, $5, $6, $7)",
      [
        .integer(Int64(bitPattern: row.id)), .integer(Int64(bitPattern: row.first.rawValue)),
        .integer(Int64(bitPattern: row.last.rawValue)), .bytes(row.previous.bytes),
        .bytes(row.hash.bytes), .integer(Int64(bitPattern: row.firstTransfer)),
        .integer(Int64(row.count)),
      ])
  }

  /// Commits the open transaction.
  /// - Throws: `.ambiguous`, because the effect of a failed commit is known only after connecting
  ///   again.
  func commit() throws(LedgerError) {
    do throws(PostgresFailure) {
      let tag = try connection.execute("COMMIT")
      // The answer to the commit of a transaction that failed before.
      guard tag == "COMMIT" else { throw PostgresFailure(state: "25P02", message: tag) }
    } catch {
      throw .ambiguous("\(error.message)\(error.state.isEmpty ? "" : " (\(error.state))")")
    }
  }

  /// Rolls back the open transaction, if there is one.
  /// - Returns: `error`, or an error that includes the failure of the rollback.
  func rolledBack(after error: LedgerError) -> LedgerError {
    guard !connection.isLost, connection.isInTransaction else { return error }
    do throws(PostgresFailure) {
      try connection.execute("ROLLBACK")
      return error
    } catch let second {
      // Closing the connection ends the transaction, and the remedy of either error reconnects or
      // halts.
      return error.remedy == .halt ? error : .ambiguous("\(error); rollback: \(second.message)")
    }
  }

  /// Runs a statement without results.
  func run(_ sql: String) throws(LedgerError) {
    try Self.answer { () throws(PostgresFailure) in _ = try connection.execute(sql) }
  }

  /// The stored row of batch `id`; `nil` when there is none.
  func row(ofBatch id: UInt64) throws(LedgerError) -> BatchRow? {
    try row("WHERE id = $1", [.integer(Int64(bitPattern: id))])
  }

  /// The row of the last batch; `nil` for an empty ledger.
  func lastRow() throws(LedgerError) -> BatchRow? { try row("ORDER BY id DESC LIMIT 1", []) }

  private func row(_ rest: String, _ values: [PostgresValue]) throws(LedgerError) -> BatchRow? {
    let rows = try query("SELECT \(PostgresSchema.batchColumns) FROM batch \(rest)", values)
    guard rows.count > 0 else { return nil }
    guard let previous = BatchHash(bytes: rows.bytes(0, 3)),
      let hash = BatchHash(bytes: rows.bytes(0, 4)), let count = UInt32(exactly: rows.integer(0, 6))
    else { throw .corrupt("batch \(rows.integer(0, 0)) cannot be read") }
    return BatchRow(
      id: UInt64(bitPattern: rows.integer(0, 0)),
      first: SequenceNumber(UInt64(bitPattern: rows.integer(0, 1))),
      last: SequenceNumber(UInt64(bitPattern: rows.integer(0, 2))), previous: previous, hash: hash,
      firstTransfer: UInt64(bitPattern: rows.integer(0, 5)), count: count)
  }

  /// The transfers with a condition, by ascending id.
  func transfers(
    where condition: String, _ parameters: [Int64], in period: Range<Timestamp>? = nil
  ) throws(LedgerError) -> [LedgerTransfer] {
    let rows = try query(
      "SELECT \(PostgresSchema.transferColumns) FROM transfer WHERE \(condition)",
      parameters.map { .integer($0) })
    var transfers: [LedgerTransfer] = []
    transfers.reserveCapacity(rows.count)
    for row in 0..<rows.count {
      let transfer = try Self.transfer(rows, row)
      // A time from 2^63 on is negative in the table.
      if period?.contains(transfer.time) ?? true { transfers.append(transfer) }
    }
    return transfers
  }

  private static func transfer(
    _ rows: PostgresResult, _ row: Int
  ) throws(LedgerError) -> LedgerTransfer {
    guard let debit = UInt32(exactly: rows.integer(row, 2)),
      let credit = UInt32(exactly: rows.integer(row, 3)),
      let unit = UInt32(exactly: rows.integer(row, 4)).flatMap(LedgerUnit.init(rawValue:)),
      let code = UInt16(exactly: rows.integer(row, 6)).flatMap(TransferCode.init(rawValue:)),
      let flags = UInt16(exactly: rows.integer(row, 7))
    else { throw .corrupt("transfer \(rows.integer(row, 0)) cannot be read") }
    return LedgerTransfer(
      id: UInt64(bitPattern: rows.integer(row, 0)), batch: UInt64(bitPattern: rows.integer(row, 1)),
      debit: AccountId(debit), credit: AccountId(credit), unit: unit, amount: rows.integer(row, 5),
      code: code, flags: TransferFlags(rawValue: flags),
      tradeSequence: SequenceNumber(UInt64(bitPattern: rows.integer(row, 8))),
      time: Timestamp(nanoseconds: UInt64(bitPattern: rows.integer(row, 9))),
      reference: UInt64(bitPattern: rows.integer(row, 10)))
  }

  /// The notes about an order or an account's orders.
  func notes(about subject: NoteSubject) throws(LedgerError) -> [LedgerNote] {
    let (column, value): (String, Int64) =
      switch subject {
      case .order(let order): ("order_id", Int64(bitPattern: order.rawValue))
      case .account(let account): ("account", Int64(account.rawValue))
      }
    let rows = try query(
      "SELECT \(PostgresSchema.noteColumns) FROM note WHERE \(column) = $1 ORDER BY sequence",
      [.integer(value)])
    var notes: [LedgerNote] = []
    for row in 0..<rows.count {
      guard let account = UInt32(exactly: rows.integer(row, 4)),
        let text = NoteText(bytes: rows.bytes(row, 5))
      else { throw .corrupt("the note of command \(rows.integer(row, 0)) cannot be read") }
      notes.append(
        LedgerNote(
          sequence: SequenceNumber(UInt64(bitPattern: rows.integer(row, 0))),
          time: Timestamp(nanoseconds: UInt64(bitPattern: rows.integer(row, 1))),
          order: OrderId(UInt64(bitPattern: rows.integer(row, 2))),
          clientOrderId: ClientOrderId(UInt64(bitPattern: rows.integer(row, 3))),
          account: AccountId(account), text: text))
    }
    return notes
  }

  /// The readings and corrections of `account`; none in tables of an older version. Reads all readings.
  func readings(of account: AccountId) throws(LedgerError) -> [LedgerReading] {
    if version < PostgresSchema.version { return [] }
    let columns = LedgerReading.columns
    let rows = try query(
      "SELECT \(columns.joined(separator: ", ")) FROM reading WHERE account = $1 ORDER BY sequence",
      [.integer(Int64(account.rawValue))])
    var readings: [LedgerReading] = []
    readings.reserveCapacity(rows.count)
    for row in 0..<rows.count {
      let values = columns.indices.map { rows.integer(row, $0) }
      guard let reading = LedgerReading(row: values) else {
        throw .corrupt("the reading of command \(values[0]) cannot be read")
      }
      readings.append(reading)
    }
    return readings
  }

  /// Every balance, ascending by unit, then account.
  func balances() throws(LedgerError) -> [LedgerBalance] {
    let rows = try query(
      """
      SELECT key, debits_low, debits_high, credits_low, credits_high FROM account ORDER BY key
      """)
    var balances: [LedgerBalance] = []
    balances.reserveCapacity(rows.count)
    for row in 0..<rows.count {
      let key = UInt64(bitPattern: rows.integer(row, 0))
      guard let unit = LedgerUnit(rawValue: UInt32(truncatingIfNeeded: key >> 32)) else {
        throw .corrupt("account \(key) has an unknown unit")
      }
      balances.append(
        LedgerBalance(
          account: AccountId(UInt32(truncatingIfNeeded: key)), unit: unit,
          debits: Self.sum(rows, row, 1), credits: Self.sum(rows, row, 3)))
    }
    return balances
  }

  /// Runs a query and converts its error.
  func query(
    _ sql: String, _ values: [PostgresValue] = []
  ) throws(LedgerError) -> PostgresResult {
    try Self.answer { () throws(PostgresFailure) in try connection.query(sql, values) }
  }

  private static func low(_ sum: Int128) -> Int64 {
    Int64(truncatingIfNeeded: sum & Int128(PostgresSchema.lowMask))
  }

  private static func high(_ sum: Int128) -> Int64 {
    Int64(truncatingIfNeeded: sum >> PostgresSchema.lowBits)
  }

  /// The sum in two columns, of which the first has the low part.
  private static func sum(_ rows: PostgresResult, _ row: Int, _ column: Int) -> Int128 {
    Int128(rows.integer(row, column + 1)) << PostgresSchema.lowBits
      + Int128(rows.integer(row, column))
  }
}
