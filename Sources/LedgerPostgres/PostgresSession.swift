// A session with PostgreSQL: connecting, what is checked before a server is trusted with a ledger,
// and the tables. `PostgresLedger.reconnect` replaces it.

import Glibc
import MarketModel
import Settlement

/// A connection to a ledger in PostgreSQL. Owned by one thread.
final class PostgresSession: LedgerSession {
  let connection: PostgresConnection
  let genesis: LedgerGenesis
  /// Sentences about settings that this session replaced.
  let notes: [String]
  /// The version of the tables.
  let version: Int64

  /// Connects, checks the server, takes the writer's lock, and checks the tables.
  /// - Parameters:
  ///   - writes: Whether batches will be applied.
  ///   - expected: The genesis that the ledger must have, if given; tables that are missing are created
  ///     with it when `creates`.
  init(
    _ address: PostgresAddress, writes: Bool, expecting expected: LedgerGenesis?, creates: Bool,
    _ limits: PostgresLimits
  ) throws(LedgerError) {
    let connection: PostgresConnection
    do throws(PostgresFailure) {
      connection = try Self.connect(address, writes: writes, limits)
    } catch {
      throw LedgerError(error)
    }
    self.connection = connection
    notes = writes ? try Self.checkServer(connection, limits) : []
    if writes { try Self.lock(connection, address) }
    var found = try Self.found(connection, address)
    if let expected, creates, found == nil {
      try Self.migrate(connection, address, from: 0, expected)
      found = try Self.found(connection, address)
    }
    guard let found else {
      throw .unavailable(
        "the schema \(address.schema) at \(connection.place) has no ledger; a server that starts with "
          + "this location makes one")
    }
    if let expected, found.genesis != expected {
      throw .incompatible(
        "the schema \(address.schema) was created with \(found.genesis), not with \(expected). Use "
          + "those settings, or another schema, which the journal fills (schema=NAME)")
    }
    genesis = found.genesis
    version = writes ? PostgresSchema.version : found.version
    if writes, found.version < version {
      try Self.migrate(connection, address, from: found.version, genesis)
    }
  }

  /// Connects and sets what every session needs.
  static func connect(
    _ address: PostgresAddress, writes: Bool, _ limits: PostgresLimits = PostgresLimits()
  ) throws(PostgresFailure) -> PostgresConnection {
    // Whatever the URL or the environment says replaces these.
    let standards = [
      ("connect_timeout", "PGCONNECT_TIMEOUT", "5"),
      ("fallback_application_name", "PGAPPNAME", writes ? "joulebook settlement" : "joulebook"),
      ("target_session_attrs", "PGTARGETSESSIONATTRS", "read-write"),
      ("keepalives_idle", "", "10"), ("keepalives_interval", "", "5"),
      ("keepalives_count", "", "3"),
      ("tcp_user_timeout", "", "20000"),
    ].filter { writes || $0.0 != "target_session_attrs" || address.servers.count > 1 }
    let parameters = standards.filter { getenv($0.1) == nil }.map { (key: $0.0, value: $0.2) }
    let connection = try connect(
      address, parameters, writes ? limits.writerMilliseconds : limits.readerMilliseconds)
    try connection.execute("SET search_path = \(address.schema)")
    if writes {
      // A session that the settler gave up must end by itself: it holds the writer's lock.
      try connection.execute(
        """
        SET statement_timeout = '25s';
        SET idle_in_transaction_session_timeout = '60s'
        """)
      if connection.serverVersion >= 140_000 {
        try connection.execute("SET client_connection_check_interval = '5s'")
      }
    }
    return connection
  }

  /// Connects to the first server that accepts. libpq goes on to the next one only when a server
  /// cannot be reached or says that it is starting; one that is dying accepts a connection and
  /// closes it.
  private static func connect(
    _ address: PostgresAddress, _ standards: [(key: String, value: String)],
    _ timeoutMilliseconds: Int32
  ) throws(PostgresFailure) -> PostgresConnection {
    let named = [(key: "dbname", value: address.url), (key: "client_encoding", value: "UTF8")]
    do throws(PostgresFailure) {
      return try PostgresConnection(standards + named, timeoutMilliseconds: timeoutMilliseconds)
    } catch let first {
      for server in address.servers.dropFirst() {
        do throws(PostgresFailure) {
          return try PostgresConnection(
            standards + named + server, timeoutMilliseconds: timeoutMilliseconds)
        } catch {
          continue
        }
      }
      throw first
    }
  }

  /// Checks all that a new ledger at `address` needs; changes nothing.
  static func check(_ address: PostgresAddress) throws(LedgerError) {
    do throws(PostgresFailure) {
      let connection = try connect(address, writes: true)
      do throws(LedgerError) {
        _ = try checkServer(connection, PostgresLimits())
      } catch {
        throw PostgresFailure(state: "00000", message: error.description)
      }
      let mayCreate = try connection.query(
        """
        SELECT (CASE WHEN to_regnamespace($1) IS NULL
          THEN has_database_privilege(current_database(), 'CREATE')
          ELSE has_schema_privilege($1, 'CREATE') END)::int::bigint
        """, [.text(address.schema)]
      ).integer(0, 0)
      guard mayCreate == 1 else {
        throw PostgresFailure(
          state: "42501", message: "the user may not create the schema \(address.schema)")
      }
    } catch {
      throw LedgerError(error)
    }
  }

  /// Checks that a commit that the server answers is on its disk.
  /// - Returns: A sentence about each setting that this session replaces.
  static func checkServer(
    _ connection: PostgresConnection, _ limits: PostgresLimits
  ) throws(LedgerError) -> [String] {
    guard connection.serverVersion >= limits.oldestServer else {
      throw .incompatible(
        "PostgreSQL at \(connection.place) has version \(connection.serverVersion / 10_000); the ledger "
          + "needs \(limits.oldestServer / 10_000) or newer")
    }
    let settings = try answer { () throws(PostgresFailure) in
      try connection.query(
        """
        SELECT current_setting('fsync'), current_setting('full_page_writes'),
          current_setting('synchronous_commit'), current_setting('transaction_read_only'),
          current_setting('server_encoding')
        """)
    }
    if settings.text(0, 3) == "on" {
      throw .unavailable(
        "PostgreSQL at \(connection.place) is read-only, or a standby. Settlement resumes when it can be "
          + "written to")
    }
    for (column, name) in [(0, "fsync"), (1, "full_page_writes")]
    where settings.text(0, column) == "off" {
      throw .incompatible(
        "PostgreSQL at \(connection.place) has \(name) off: it would lose batches that it confirmed. Set "
          + "\(name) = on, reload PostgreSQL, and start again")
    }
    guard settings.text(0, 2) == "off" else { return [] }
    try answer { () throws(PostgresFailure) in
      _ = try connection.execute("SET synchronous_commit = on")
    }
    return ["PostgreSQL has synchronous_commit off; the ledger's session uses on"]
  }

  /// Takes the writer's lock, which the server releases when the session ends. Waits a second for a
  /// session that is ending.
  private static func lock(
    _ connection: PostgresConnection, _ address: PostgresAddress
  ) throws(LedgerError) {
    do throws(PostgresFailure) {
      try connection.execute("SET lock_timeout = '1s'")
      _ = try connection.query(
        "SELECT pg_advisory_lock($1::int, $2::int)",
        [.integer(PostgresSchema.lockClass), .integer(PostgresSchema.lock(of: address.schema))])
      try connection.execute("SET lock_timeout = '10s'")
    } catch {
      guard error.state == "55P03" else { throw LedgerError(error) }
      throw .inUse(
        "another session settles into the schema \(address.schema) at \(connection.place); it ends with "
          + "its process, or within a minute when its machine is gone")
    }
  }

  /// The genesis and the version of the tables; `nil` when the schema has none.
  private static func found(
    _ connection: PostgresConnection, _ address: PostgresAddress
  ) throws(LedgerError) -> (genesis: LedgerGenesis, version: Int64)? {
    let schema = address.schema
    let (isThere, others) = try answer { () throws(PostgresFailure) in
      let row = try connection.query(
        """
        SELECT (to_regclass($1) IS NOT NULL)::int::bigint,
          (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($2))
        """, [.text("\(schema).ledger"), .text(schema)])
      return (row.integer(0, 0) == 1, row.integer(0, 1))
    }
    guard isThere else {
      if others == 0 { return nil }
      throw .incompatible(
        "the schema \(schema) has tables, but not those of a Joulebook ledger. Name another schema in "
          + "the location: schema=NAME")
    }
    let row: PostgresResult
    do throws(PostgresFailure) {
      row = try connection.query(
        "SELECT version, shard, batch_transfers, batch_nanoseconds FROM ledger")
    } catch {
      if error.state == "42703" {
        throw .incompatible("the schema \(schema) has a table ledger, but not Joulebook's")
      }
      throw LedgerError(error)
    }
    guard row.count == 1, let shard = UInt16(exactly: row.integer(0, 1)),
      let transfers = UInt32(exactly: row.integer(0, 2)), transfers > 0
    else { throw .corrupt("the schema \(schema) has lost its settings (table ledger)") }
    let version = row.integer(0, 0)
    guard version >= 1, version <= PostgresSchema.version else {
      throw .incompatible(
        "the schema \(schema) has table version \(version), but this program uses "
          + "\(PostgresSchema.version)")
    }
    let rules = BatchRules(
      transfers: transfers, nanoseconds: UInt64(bitPattern: row.integer(0, 3)))
    return (LedgerGenesis(shard: shard, rules: rules), version)
  }

  /// Brings the tables from version `from` to the present one in one transaction; 0: there are
  /// none.
  private static func migrate(
    _ connection: PostgresConnection, _ address: PostgresAddress, from: Int64,
    _ genesis: LedgerGenesis
  ) throws(LedgerError) {
    // After an error the connection is closed, which ends the transaction.
    try answer { () throws(PostgresFailure) in
      try connection.execute("BEGIN")
      if from == 0, try !hasSchema(connection, address) {
        try connection.execute("CREATE SCHEMA \(address.schema)")
      }
      for step in PostgresSchema.migrations[Int(from)...] { try connection.execute(step) }
      if from == 0 {
        _ = try connection.query(
          """
          INSERT INTO ledger(version, shard, batch_transfers, batch_nanoseconds)
            VALUES($1, $2, $3, $4)
          """,
          [
            .integer(PostgresSchema.version), .integer(Int64(genesis.shard)),
            .integer(Int64(genesis.rules.transfers)),
            .integer(Int64(bitPattern: genesis.rules.nanoseconds)),
          ])
      } else {
        _ = try connection.query(
          "UPDATE ledger SET version = $1", [.integer(PostgresSchema.version)])
      }
      try connection.execute("COMMIT")
    }
  }

  private static func hasSchema(
    _ connection: PostgresConnection, _ address: PostgresAddress
  ) throws(PostgresFailure) -> Bool {
    try connection.query(
      "SELECT (to_regnamespace($1) IS NOT NULL)::int::bigint", [.text(address.schema)]
    ).integer(0, 0) == 1
  }

  /// Runs a call and converts its error.
  static func answer<Value>(
    _ body: () throws(PostgresFailure) -> Value
  ) throws(LedgerError) -> Value {
    do throws(PostgresFailure) { return try body() } catch { throw LedgerError(error) }
  }
}
