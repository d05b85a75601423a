// Where a ledger in PostgreSQL is:
//
//   postgresql://USER@HOST1:5432,HOST2:5432/DATABASE?schema=market2&sslmode=verify-full
//             ──────────────────────────┬───────────────────────────────────────────────
//                      the address: a URL of libpq, and the schema, which libpq does not know

import CPostgres
import Glibc
import MarketModel
import Settlement

/// The address of a ledger in PostgreSQL: `postgresql://HOST/DATABASE`. It never has a password,
/// because it is stored, printed and logged.
public struct PostgresAddress: LedgerAddress {
  /// The scheme `postgresql`.
  public static let scheme = "postgresql"
  /// The placeholder `//HOST/DATABASE`.
  public static let form = "//HOST/DATABASE"
  /// The schema of an address that names none.
  static let standardSchema = "joulebook"
  private static let key = "schema="

  /// What follows `postgresql:`.
  public let text: String
  /// The URL for libpq, without the schema.
  let url: String
  /// The schema of the tables.
  let schema: String
  /// The servers of a URL that names several, each as parameters that replace those of the URL.
  let servers: [[(key: String, value: String)]]

  /// The address in a URL after its scheme.
  /// - Throws: When libpq cannot read it, it has a password, or the schema has an odd name.
  public init(_ text: String) throws(LedgerAddressError) {
    guard text.hasPrefix("//") else {
      throw LedgerAddressError("is no URL; write postgresql://USER@HOST/DATABASE")
    }
    let hasControl = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    if hasControl || text.contains(" ") {
      throw LedgerAddressError("must not contain a space or a control character; write %20")
    }
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let words = parts.count > 1 ? parts[1].split(separator: "&") : []
    let schemas = words.filter { $0.hasPrefix(Self.key) }.map { $0.dropFirst(Self.key.count) }
    let rest = words.filter { !$0.hasPrefix(Self.key) }.joined(separator: "&")
    let schema = schemas.first.map(String.init) ?? Self.standardSchema
    guard schemas.count < 2, Self.isName(schema) else {
      throw LedgerAddressError(
        "names no schema; write schema= and small letters, digits and _, at most 63, once")
    }
    let url = "postgresql:" + parts[0] + (rest.isEmpty ? "" : "?\(rest)")
    let settings = try Self.parse(url)
    (self.text, self.schema, self.url) = (text, schema, url)
    servers = Self.servers(settings)
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count < 64, !text.hasPrefix("pg_") else {
      return false
    }
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    let underscore = UInt8(ascii: "_")
    return (letters.contains(first) || first == underscore)
      && text.utf8.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == underscore }
  }

  /// The settings in a URL.
  /// - Throws: When libpq cannot read it, or it has a password.
  private static func parse(_ url: String) throws(LedgerAddressError) -> [String: String] {
    var message: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(url, &message) else {
      defer { PQfreemem(message) }
      // libpq's words may quote what it cannot read, which may be a password.
      if url.contains("@") {
        throw LedgerAddressError("cannot be read by libpq as a URL", isSecret: true)
      }
      let words = message.map { String(cString: $0) } ?? "libpq says no more"
      throw LedgerAddressError(
        "cannot be read: " + words.split(separator: "\n").joined(separator: "; "))
    }
    defer { PQconninfoFree(options) }
    var (settings, option): ([String: String], _) = ([:], options)
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        settings[String(cString: keyword)] = String(cString: value)
      }
      option += 1
    }
    guard settings["password"] == nil, settings["sslpassword"] == nil else {
      throw LedgerAddressError(
        "must not contain a password, because it is stored and printed; put it in the file that "
          + "PGPASSFILE names, or in ~/.pgpass", isSecret: true)
    }
    return settings
  }

  /// The servers, when the settings name several.
  private static func servers(
    _ settings: [String: String]
  ) -> [[(key: String, value: String)]] {
    func list(_ key: String) -> [String] {
      (settings[key] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let lists = ["host", "hostaddr", "port"].map { (key: $0, values: list($0)) }
    let count = lists.map(\.values.count).max() ?? 1
    guard count > 1 else { return [] }
    return (0..<count).map { index in
      lists.map { ($0.key, $0.values.count > 1 ? $0.values[index] : $0.values.first ?? "") }
    }
  }

  /// Opens the ledger for writing; creates its schema and tables when there are none.
  public func open(genesis: LedgerGenesis) throws(LedgerError) -> any Ledger {
    try PostgresLedger(self, genesis: genesis)
  }

  /// Opens the ledger for reading.
  public func openForReading() throws(LedgerError) -> any Ledger {
    try PostgresLedger(readingFrom: self)
  }

  /// Whether the schema has a ledger. Connects.
  /// - Throws: `.unavailable` when PostgreSQL does not answer.
  public var exists: Bool {
    get throws(LedgerError) {
      let schema = schema
      return try asking { (connection) throws(PostgresFailure) in
        try connection.query(
          "SELECT (to_regclass($1) IS NOT NULL)::int::bigint", [.text("\(schema).ledger")]
        ).integer(0, 0) == 1
      }
    }
  }

  /// Whether a session holds the writer's lock. Connects.
  /// - Throws: `.unavailable` when PostgreSQL does not answer.
  public var isWritten: Bool {
    get throws(LedgerError) {
      let lock = PostgresSchema.lock(of: schema)
      return try asking { (connection) throws(PostgresFailure) in
        try connection.query(
          """
          SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND classid::bigint = $1 AND objid::bigint = $2 & 4294967295
          """, [.integer(PostgresSchema.lockClass), .integer(lock)]
        ).integer(0, 0) > 0
      }
    }
  }

  /// Connects, and checks everything that opening for writing needs.
  public func checkNew(making folder: String) throws(LedgerAddressError) {
    do throws(LedgerError) {
      try PostgresSession.check(self)
    } catch {
      throw LedgerAddressError("cannot be used: \(error)")
    }
  }

  private func asking<Value>(
    _ body: (PostgresConnection) throws(PostgresFailure) -> Value
  ) throws(LedgerError) -> Value {
    do throws(PostgresFailure) {
      return try body(PostgresSession.connect(self, writes: false))
    } catch {
      throw LedgerError(error)
    }
  }
}
