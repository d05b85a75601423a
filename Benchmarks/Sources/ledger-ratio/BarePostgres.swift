// The least that a program on libpq does for a batch: a binary COPY of the rows, one upsert of the
// sums from arrays, one durable transaction.

import CStores
import Settlement

/// PostgreSQL without checks, triggers, time-outs or errors that say anything.
final class BarePostgres: BareStore {
  private let connection: OpaquePointer

  init(_ url: String) throws {
    // libpq knows no schema.
    let parts = url.split(separator: "?", maxSplits: 1)
    let settings = parts.count > 1 ? parts[1].split(separator: "&") : []
    let rest = settings.filter { !$0.hasPrefix("schema=") }.joined(separator: "&")
    guard let connection = PQconnectdb(parts[0] + "?" + rest), PQstatus(connection) == CONNECTION_OK
    else { throw BareFailure(message: "no connection") }
    self.connection = connection
    try run(
      """
      DROP SCHEMA IF EXISTS bare CASCADE; CREATE SCHEMA bare; SET search_path = bare;
      CREATE TABLE account(key bigint PRIMARY KEY, debits bigint, credits bigint)
        WITH (fillfactor = 45);
      CREATE TABLE transfer(id bigint PRIMARY KEY, batch bigint, debit bigint, credit bigint,
        amount bigint, trade_sequence bigint, time bigint, reference bigint, unit integer,
        flags integer, code smallint);
      CREATE TABLE batch(id bigint PRIMARY KEY, last bigint)
      """)
  }

  deinit { PQfinish(connection) }

  func apply(_ content: SettlementBatch) throws {
    try run("BEGIN")
    PQclear(PQexec(connection, "COPY transfer FROM STDIN (FORMAT binary)"))
    let bytes = Self.copy(of: content.transfers)
    bytes.withUnsafeBytes {
      _ = PQputCopyData(connection, $0.baseAddress, Int32($0.count))
    }
    PQputCopyEnd(connection, nil)
    guard let copied = PQgetResult(connection), PQresultStatus(copied) == PGRES_COMMAND_OK else {
      throw BareFailure(message: String(cString: PQerrorMessage(connection)))
    }
    PQclear(copied)
    PQclear(PQgetResult(connection))
    let arrays = [
      Self.array(content.netted.map { Int64($0.key) }),
      Self.array(content.netted.map { Int64($0.debits) }),
      Self.array(content.netted.map { Int64($0.credits) }),
    ]
    try run(
      """
      INSERT INTO account AS a SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
      ON CONFLICT (key) DO UPDATE
        SET debits = a.debits + excluded.debits, credits = a.credits + excluded.credits
      """, arrays)
    try run("INSERT INTO batch VALUES(\(content.id), \(content.last.rawValue))")
    try run("COMMIT")
  }

  private func run(_ sql: String, _ arrays: [[UInt8]] = []) throws {
    let places = arrays.map { bytes in
      let place = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
      for (index, byte) in bytes.enumerated() { place[index] = CChar(bitPattern: byte) }
      return place
    }
    defer { for place in places { place.deallocate() } }
    let result =
      arrays.isEmpty
      ? PQexec(connection, sql)
      : PQexecParams(
        connection, sql, Int32(arrays.count), nil, places.map { UnsafePointer($0) },
        arrays.map { Int32($0.count) }, arrays.map { _ in 1 }, 1)
    defer { PQclear(result) }
    let status = PQresultStatus(result)
    guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else {
      throw BareFailure(message: String(cString: PQerrorMessage(connection)))
    }
  }

  private static func array(_ values: [Int64]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(20 + 12 * values.count)
    for word in [1, 0, 20, Int32(values.count), 1] { append(word, &bytes) }
    for value in values {
      append(Int32(8), &bytes)
      append(value, &bytes)
    }
    return bytes
  }

  private static func copy(of transfers: [LedgerTransfer]) -> [UInt8] {
    var bytes: [UInt8] =
      Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [UInt8](repeating: 0, count: 8)
    bytes.reserveCapacity(21 + 120 * transfers.count)
    for row in transfers {
      append(Int16(11), &bytes)
      let wide: InlineArray<8, Int64> = [
        Int64(row.id), Int64(row.batch), Int64(row.debit.rawValue), Int64(row.credit.rawValue),
        row.amount, Int64(row.tradeSequence.rawValue), Int64(row.time.nanoseconds),
        Int64(row.reference),
      ]
      for index in wide.indices {
        append(Int32(8), &bytes)
        append(wide[index], &bytes)
      }
      append(Int32(4), &bytes)
      append(Int32(row.unit.rawValue), &bytes)
      append(Int32(4), &bytes)
      append(Int32(row.flags.rawValue), &bytes)
      append(Int32(2), &bytes)
      append(Int16(row.code.rawValue), &bytes)
    }
    append(Int16(-1), &bytes)
    return bytes
  }

  private static func append<Value: FixedWidthInteger>(_ value: Value, _ bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
