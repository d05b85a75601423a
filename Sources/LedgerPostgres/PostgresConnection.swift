// A connection to PostgreSQL by libpq, with a bound for every wait: a server that stops answering
// must not keep the settler for ever, since a stop of the exchange waits for it.

import CPostgres
import Glibc

/// An error of PostgreSQL or of the connection to it.
struct PostgresFailure: Error {
  /// The SQLSTATE, five characters; empty when the connection failed or was lost.
  var state: String
  /// The message, in one line.
  var message: String

  /// The first two characters of the SQLSTATE: the class of the error.
  var family: Substring { state.prefix(2) }
  /// Whether the connection cannot be used any more.
  var isLost: Bool { state.isEmpty || family == "08" || state.hasPrefix("57P0") }
}

/// One connection. Owned by one thread.
final class PostgresConnection {
  private let handle: OpaquePointer
  /// The longest time without an answer, ms.
  private let timeoutMilliseconds: Int32
  /// Whether a call failed in a way after which the connection cannot be used.
  private(set) var isLost = false

  /// Connects. Waits at most `connect_timeout` for each host.
  /// - Parameters:
  ///   - parameters: Parameters of libpq, in order; a later one replaces an earlier one. The value of
  ///     `dbname` may be a URL.
  ///   - timeoutMilliseconds: The longest time that a later call waits for an answer.
  init(
    _ parameters: [(key: String, value: String)], timeoutMilliseconds: Int32
  ) throws(PostgresFailure) {
    self.timeoutMilliseconds = timeoutMilliseconds
    var keys = parameters.map { UnsafePointer(strdup($0.key)) } + [nil]
    var values = parameters.map { UnsafePointer(strdup($0.value)) } + [nil]
    defer { for text in keys + values { free(UnsafeMutablePointer(mutating: text)) } }
    guard let handle = PQconnectdbParams(&keys, &values, 1) else {
      throw PostgresFailure(state: "", message: "no memory for a connection")
    }
    guard PQstatus(handle) == CONNECTION_OK, PQsetnonblocking(handle, 1) == 0 else {
      let message = Self.line(PQerrorMessage(handle))
      PQfinish(handle)
      throw PostgresFailure(state: "", message: message)
    }
    // Notices go to standard error otherwise.
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    self.handle = handle
  }

  deinit { PQfinish(handle) }

  /// The server's version: 150018 is 15.18.
  var serverVersion: Int32 { PQserverVersion(handle) }

  /// The value of a parameter that the server reports, such as `in_hot_standby`; `nil` when it does
  /// not.
  func reported(_ name: String) -> String? {
    PQparameterStatus(handle, name).map { String(cString: $0) }
  }

  /// The host and port of the connection, for messages.
  var place: String {
    let host = PQhost(handle).map { String(cString: $0) } ?? ""
    let port = PQport(handle).map { String(cString: $0) } ?? ""
    return host.hasPrefix("/") ? host : "\(host):\(port)"
  }

  /// Whether a transaction is open, also one that failed.
  var isInTransaction: Bool {
    let status = PQtransactionStatus(handle)
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE
  }

  /// Runs statements without parameters and ignores their rows.
  /// - Returns: The tag of the last one, such as `COMMIT`.
  @discardableResult
  func execute(_ sql: String) throws(PostgresFailure) -> String {
    guard PQsendQuery(handle, sql) == 1 else { throw lost() }
    return try results().last?.tag ?? ""
  }

  /// Runs one statement; its rows are in binary form.
  func query(_ sql: String, _ parameters: [PostgresValue] = []) throws(PostgresFailure)
    -> PostgresResult
  {
    try send(sql, parameters)
    guard let result = try results().last else {
      throw PostgresFailure(state: "XX000", message: "the server gave no answer to a statement")
    }
    return result
  }

  /// Runs a `COPY ... FROM STDIN` with `bytes`.
  func copy(_ sql: String, _ bytes: [UInt8]) throws(PostgresFailure) {
    guard PQsendQuery(handle, sql) == 1 else { throw lost() }
    guard let start = try next() else { throw lost() }
    guard PQresultStatus(start.handle) == PGRES_COPY_IN else {
      _ = try results()
      throw failure(of: start)
    }
    for begin in stride(from: 0, to: bytes.count, by: Self.piece) {
      let end = min(begin + Self.piece, bytes.count)
      let sent = bytes[begin..<end].withUnsafeBytes {
        PQputCopyData(handle, $0.baseAddress, Int32($0.count))
      }
      guard sent == 1 else { throw lost() }
      try flush()
    }
    guard PQputCopyEnd(handle, nil) == 1 else { throw lost() }
    _ = try results()
  }

  /// Bytes of a COPY that are handed to libpq at once.
  private static let piece = 1 << 16

  private func send(_ sql: String, _ parameters: [PostgresValue]) throws(PostgresFailure) {
    let types = parameters.map(\.type)
    let lengths = parameters.map { Int32($0.bytes.count) }
    let formats = [Int32](repeating: 1, count: parameters.count)
    let places = parameters.map { value in
      let place = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, value.bytes.count))
      value.bytes.withUnsafeBytes {
        UnsafeMutableRawBufferPointer(start: place, count: $0.count).copyMemory(from: $0)
      }
      return place
    }
    defer { for place in places { place.deallocate() } }
    let sent = PQsendQueryParams(
      handle, sql, Int32(parameters.count), types, places.map { UnsafePointer($0) }, lengths,
      formats, 1)
    guard sent == 1 else { throw lost() }
  }

  /// All results of what was sent.
  /// - Throws: The first error among them.
  private func results() throws(PostgresFailure) -> [PostgresResult] {
    var results: [PostgresResult] = []
    var first: PostgresFailure?
    while let result = try next() {
      switch PQresultStatus(result.handle) {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK: results.append(result)
      default: if first == nil { first = failure(of: result) }
      }
    }
    if PQstatus(handle) == CONNECTION_BAD { isLost = true }
    if let first {
      if first.isLost { isLost = true }
      throw first
    }
    return results
  }

  /// The next result; `nil` after the last one.
  private func next() throws(PostgresFailure) -> PostgresResult? {
    try flush()
    while PQisBusy(handle) != 0 {
      try wait(for: POLLIN)
      guard PQconsumeInput(handle) == 1 else { throw lost() }
    }
    return PQgetResult(handle).map { PostgresResult($0) }
  }

  /// Sends what libpq has buffered.
  private func flush() throws(PostgresFailure) {
    while true {
      switch PQflush(handle) {
      case 0: return
      case 1:
        try wait(for: POLLIN | POLLOUT)
        // A server that has something to say first may not read on before it is heard.
        guard PQconsumeInput(handle) == 1 else { throw lost() }
      default: throw lost()
      }
    }
  }

  private func wait(for events: Int32) throws(PostgresFailure) {
    var socket = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
    while true {
      let found = poll(&socket, 1, timeoutMilliseconds)
      if found > 0 { return }
      if found < 0, errno == EINTR { continue }
      isLost = true
      let seconds = timeoutMilliseconds / 1000
      throw PostgresFailure(
        state: "", message: "PostgreSQL at \(place) has not answered for \(seconds) s")
    }
  }

  private func lost() -> PostgresFailure {
    isLost = true
    return PostgresFailure(state: "", message: Self.line(PQerrorMessage(handle)))
  }

  private func failure(of result: PostgresResult) -> PostgresFailure {
    let field = PQresultErrorField(result.handle, Int32(UInt8(ascii: "C")))
    let state = field.map { String(cString: $0) } ?? ""
    return PostgresFailure(state: state, message: Self.line(PQresultErrorMessage(result.handle)))
  }

  /// A message of libpq, of several lines, as one line.
  private static func line(_ text: UnsafeMutablePointer<CChar>?) -> String {
    guard let text else { return "no reason was given" }
    return String(cString: text).split(separator: "\n")
      .map { $0.drop { $0 == " " || $0 == "\t" } }.joined(separator: "; ")
  }
}

/// The rows of a query, in binary form. Integers have 8 bytes: a query casts smaller ones.
final class PostgresResult {
  fileprivate let handle: OpaquePointer

  fileprivate init(_ handle: OpaquePointer) { self.handle = handle }

  deinit { PQclear(handle) }

  /// The number of rows.
  var count: Int { Int(PQntuples(handle)) }

  /// The tag of the command: `COMMIT`, `INSERT 0 1`.
  var tag: String { PQcmdStatus(handle).map { String(cString: $0) } ?? "" }

  /// The integer in a column of 8 bytes; 0 for NULL.
  func integer(_ row: Int, _ column: Int) -> Int64 {
    guard PQgetlength(handle, Int32(row), Int32(column)) == 8,
      let place = PQgetvalue(handle, Int32(row), Int32(column))
    else { return 0 }
    return Int64(bigEndian: UnsafeRawPointer(place).loadUnaligned(as: Int64.self))
  }

  /// The bytes of a `bytea` or the text in a column.
  func bytes(_ row: Int, _ column: Int) -> [UInt8] {
    guard let place = PQgetvalue(handle, Int32(row), Int32(column)) else { return [] }
    let count = Int(PQgetlength(handle, Int32(row), Int32(column)))
    return [UInt8](UnsafeRawBufferPointer(start: place, count: count))
  }

  /// The text in a column.
  func text(_ row: Int, _ column: Int) -> String {
    String(decoding: bytes(row, column), as: UTF8.self)
  }
}
