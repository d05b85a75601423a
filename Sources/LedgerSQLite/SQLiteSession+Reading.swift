import MarketModel
import SQLite
import Settlement

extension SQLiteSession {
  /// The transfers of a stored batch.
  func transfers(in row: BatchRow) throws(LedgerError) -> [LedgerTransfer] {
    try transfers(
      where: "id >= ? AND id < ? ORDER BY id",
      [
        Int64(bitPattern: row.firstTransfer),
        Int64(bitPattern: row.firstTransfer + UInt64(row.count)),
      ])
  }

  /// At most `most` transfers from number `id` on.
  func transfers(from id: UInt64, most: Int) throws(LedgerError) -> [LedgerTransfer] {
    let (first, count) = (Int64(clamping: id), Int64(most))
    return try transfers(where: "id >= ? ORDER BY id LIMIT ?", [first, count])
  }

  /// The transfers that debit or credit `account` in `period`; reads all transfers. The times are
  /// compared here, because SQLite would treat one from 2^63 on as negative.
  func transfers(
    of account: AccountId, in period: Range<Timestamp>
  ) throws(LedgerError) -> [LedgerTransfer] {
    try transfers(
      where: "(debit = ?1 OR credit = ?1) ORDER BY id", [Int64(account.rawValue)], in: period)
  }

  /// The notes about an order or an account's orders; none in a file of an older version. Those of an
  /// account are found by reading all notes.
  func notes(about subject: NoteSubject) throws(LedgerError) -> [LedgerNote] {
    if version < LedgerSchema.firstWithNotes { return [] }
    let (column, value): (String, Int64) =
      switch subject {
      case .order(let order): ("order_id", Int64(bitPattern: order.rawValue))
      case .account(let account): ("account", Int64(account.rawValue))
      }
    let select = try query { () throws(SQLiteFailure) in
      let columns = LedgerSchema.noteColumns
      let select = try connection.prepare(
        "SELECT \(columns) FROM note WHERE \(column) = ? ORDER BY sequence")
      try select.bind(1, value)
      return select
    }
    var notes: [LedgerNote] = []
    while try query({ () throws(SQLiteFailure) in try select.step() }) {
      guard let account = UInt32(exactly: select.integer(4)),
        let text = NoteText(bytes: select.bytes(5))
      else { throw .corrupt("the note of command \(select.integer(0)) cannot be read") }
      notes.append(
        LedgerNote(
          sequence: SequenceNumber(UInt64(bitPattern: select.integer(0))),
          time: Timestamp(nanoseconds: UInt64(bitPattern: select.integer(1))),
          order: OrderId(UInt64(bitPattern: select.integer(2))),
          clientOrderId: ClientOrderId(UInt64(bitPattern: select.integer(3))),
          account: AccountId(account), text: text))
    }
    return notes
  }

  /// The readings and corrections of `account`; none in a file of an older version. Reads all readings.
  func readings(of account: AccountId) throws(LedgerError) -> [LedgerReading] {
    if version < LedgerSchema.version { return [] }
    let select = try query { () throws(SQLiteFailure) in
      let columns = LedgerReading.columns.joined(separator: ", ")
      let select = try connection.prepare(
        "SELECT \(columns) FROM reading WHERE account = ? ORDER BY sequence")
      try select.bind(1, Int64(account.rawValue))
      return select
    }
    var readings: [LedgerReading] = []
    while try query({ () throws(SQLiteFailure) in try select.step() }) {
      let row = LedgerReading.columns.indices.map { select.integer(Int32($0)) }
      guard let reading = LedgerReading(row: row) else {
        throw .corrupt("the reading of command \(row[0]) cannot be read")
      }
      readings.append(reading)
    }
    return readings
  }

  /// The time of transfer `id`; `nil` when there is none.
  func time(ofTransfer id: UInt64) throws(LedgerError) -> Timestamp? {
    try query { () throws(SQLiteFailure) in
      let select = try connection.prepare("SELECT time FROM transfer WHERE id = ?")
      try select.bind(1, Int64(bitPattern: id))
      defer { select.reset() }
      guard try select.step() else { return nil }
      return Timestamp(nanoseconds: UInt64(bitPattern: select.integer(0)))
    }
  }

  /// The number of stored transfers.
  func transferCount() throws(LedgerError) -> UInt64 {
    try query { () throws(SQLiteFailure) in
      UInt64(bitPattern: try connection.integer("SELECT count(*) FROM transfer"))
    }
  }

  /// Every balance, ascending by unit, then account.
  func balances() throws(LedgerError) -> [LedgerBalance] {
    let select = try query { () throws(SQLiteFailure) in
      try connection.prepare(LedgerSchema.selectAccounts(version: version))
    }
    var balances: [LedgerBalance] = []
    while try query({ () throws(SQLiteFailure) in try select.step() }) {
      let key = UInt64(bitPattern: select.integer(0))
      guard let unit = LedgerUnit(rawValue: UInt32(truncatingIfNeeded: key >> 32)) else {
        throw .corrupt("account \(key) has an unknown unit")
      }
      balances.append(
        LedgerBalance(
          account: AccountId(UInt32(truncatingIfNeeded: key)), unit: unit,
          debits: sum(select, 1), credits: sum(select, 3)))
    }
    return balances
  }

  /// The sum in two columns, of which the first has the low part.
  private func sum(_ row: SQLiteStatement, _ column: Int32) -> Int128 {
    Int128(row.integer(column + 1)) << LedgerSchema.lowBits + Int128(row.integer(column))
  }

  /// Runs a call of a query and converts its error.
  func query<Value>(
    _ body: () throws(SQLiteFailure) -> Value
  ) throws(LedgerError) -> Value {
    do throws(SQLiteFailure) { return try body() } catch { throw LedgerError(error) }
  }

  private func transfers(
    where condition: String, _ parameters: [Int64], in period: Range<Timestamp>? = nil
  ) throws(LedgerError) -> [LedgerTransfer] {
    let select = try query { () throws(SQLiteFailure) in
      let columns = LedgerSchema.transferColumns
      let select = try connection.prepare("SELECT \(columns) FROM transfer WHERE \(condition)")
      for (index, parameter) in parameters.enumerated() {
        try select.bind(Int32(index + 1), parameter)
      }
      return select
    }
    var transfers: [LedgerTransfer] = []
    while try query({ () throws(SQLiteFailure) in try select.step() }) {
      let transfer = try transfer(select)
      if period?.contains(transfer.time) ?? true { transfers.append(transfer) }
    }
    return transfers
  }

  private func transfer(_ row: SQLiteStatement) throws(LedgerError) -> LedgerTransfer {
    guard let debit = UInt32(exactly: row.integer(2)), let credit = UInt32(exactly: row.integer(3)),
      let unit = UInt32(exactly: row.integer(4)).flatMap(LedgerUnit.init(rawValue:)),
      let code = UInt16(exactly: row.integer(6)).flatMap(TransferCode.init(rawValue:)),
      let flags = UInt16(exactly: row.integer(7))
    else { throw .corrupt("transfer \(row.integer(0)) cannot be read") }
    return LedgerTransfer(
      id: UInt64(bitPattern: row.integer(0)), batch: UInt64(bitPattern: row.integer(1)),
      debit: AccountId(debit), credit: AccountId(credit), unit: unit, amount: row.integer(5),
      code: code, flags: TransferFlags(rawValue: flags),
      tradeSequence: SequenceNumber(UInt64(bitPattern: row.integer(8))),
      time: Timestamp(nanoseconds: UInt64(bitPattern: row.integer(9))),
      reference: UInt64(bitPattern: row.integer(10)))
  }
}
