// What PostgreSQL can be or do that a ledger must refuse, wait for, or survive: each with a
// sentence.

import Foundation
import MarketModel
import Settlement
import Testing

@testable import LedgerPostgres

@Suite("A ledger in PostgreSQL: obstacles")
struct PostgresObstacleTests {
  let genesis = LedgerGenesis(rules: BatchRules(transfers: 6, nanoseconds: 60_000_000_000))

  func server() throws -> PostgresServer { try PostgresServer.shared.get() }

  func batches(_ rounds: Int = 4) throws -> [SettlementBatch] {
    var script = EventScript()
    for _ in 0..<rounds {
      script.cash(2, 1_000_000)
      script.checkpoint()
    }
    return try BatchBuilder.batches(of: script, genesis)
  }

  @Test("A server that would lose what it confirms is refused, with what to do.")
  func unsafeServer() throws {
    let server = try PostgresServer(settings: ["fsync=off"])
    defer { server.end() }
    let address = try server.address(schema: "books")
    let words = "has fsync off: it would lose batches that it confirmed. Set fsync = on"
    guard
      case .incompatible(let found) = errorOf({ _ = try PostgresLedger(address, genesis: genesis) })
    else {
      Issue.record("opened")
      return
    }
    #expect(found.contains(words), "\(found)")
    #expect(try !address.exists)
    #expect(throws: LedgerAddressError.self) { try address.checkNew(making: "data") }
    try server.execute("ALTER SYSTEM SET fsync = on")
    try server.execute("ALTER SYSTEM SET full_page_writes = off")
    try server.stop()
    try server.start()
    guard
      case .incompatible(let page) = errorOf({ _ = try PostgresLedger(address, genesis: genesis) })
    else {
      Issue.record("opened")
      return
    }
    #expect(page.contains("has full_page_writes off"), "\(page)")
  }

  @Test("A session commits synchronously, whatever the server's setting, and says so.")
  func synchronousCommit() throws {
    let address = try server().address(
      schema: PostgresPlace().schema, settings: "&options=-csynchronous_commit%3Doff")
    let ledger = try PostgresLedger(address, genesis: genesis)
    #expect(ledger.notes == ["PostgreSQL has synchronous_commit off; the ledger's session uses on"])
    let session = try PostgresSession(
      try server().address(schema: PostgresPlace().schema), writes: true, expecting: genesis,
      creates: true, PostgresLimits())
    #expect(session.notes == [])
  }

  @Test("An older PostgreSQL is refused by its version.")
  func old() throws {
    var limits = PostgresLimits()
    limits.oldestServer = 990_000
    let address = try server().address(schema: PostgresPlace().schema)
    let error = errorOf { _ = try PostgresLedger(address, genesis: genesis, limits: limits) }
    guard case .incompatible(let words) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(words.contains("the ledger needs 99 or newer"), "\(words)")
    #expect(try !address.exists)
  }

  @Test("Who may not connect, or to what is not there, gets a sentence with a remedy.")
  func connecting() throws {
    let (server, schema) = (try server(), PostgresPlace().schema)
    let name = "user_" + schema
    try server.execute("CREATE ROLE \(name) LOGIN PASSWORD 'other'")
    let plain = server.location(schema: schema)
    let cases: [(String, String)] = [
      (server.location(schema: schema, user: name), "PGPASSFILE"),
      (plain.replacingOccurrences(of: "/books?", with: "/other?"), "Create it with createdb"),
      (plain.replacingOccurrences(of: ":\(server.port)/", with: ":1/"), "Connection refused"),
      (
        plain.replacingOccurrences(of: "127.0.0.1:", with: "no.such.host.invalid:"),
        "could not translate"
      ),
    ]
    for (location, words) in cases {
      let address = try PostgresAddress(String(location.dropFirst("postgresql:".count)))
      let error = errorOf { _ = try PostgresLedger(address, genesis: genesis) }
      guard case .unavailable(let found) = error else {
        Issue.record("\(location): \(String(describing: error))")
        continue
      }
      #expect(found.contains(words) && !found.contains("\n"), "\(found)")
      #expect(throws: LedgerError.self) { try address.exists }
      #expect(throws: LedgerError.self) { try address.isWritten }
      #expect(throws: LedgerAddressError.self) { try address.checkNew(making: "data") }
    }
  }

  @Test("A user without rights is told what is missing, and a first start finds out before.")
  func rights() throws {
    let (server, schema) = (try server(), PostgresPlace().schema)
    let name = "user_" + schema
    // The password of all in the tests' password file.
    try server.execute("CREATE ROLE \(name) LOGIN PASSWORD '\(PostgresServer.password)'")
    let address = try server.address(schema: schema, user: name)
    guard
      case .unavailable(let words) = errorOf({ _ = try PostgresLedger(address, genesis: genesis) })
    else {
      Issue.record("opened")
      return
    }
    #expect(words.contains("GRANT the missing right"), "\(words)")
    #expect(throws: LedgerAddressError.self) { try address.checkNew(making: "data") }
    try server.execute("CREATE SCHEMA \(schema) AUTHORIZATION \(name)")
    try address.checkNew(making: "data")
    let ledger = try PostgresLedger(address, genesis: genesis)
    #expect(try ledger.apply(batches()[0]) == .applied)
  }

  @Test("A server that can only be read is waited for; the ledger can be read there.")
  func readOnly() throws {
    let (server, schema) = (try server(), PostgresPlace().schema)
    let address = try server.address(schema: schema)
    let batches = try batches()
    do {
      let ledger = try PostgresLedger(address, genesis: genesis)
      _ = try ledger.apply(batches[0])
      try ledger.close()
    }
    let only = try server.address(
      schema: schema, settings: "&options=-cdefault_transaction_read_only%3Don")
    guard case .unavailable(let words) = errorOf({ _ = try PostgresLedger(only, genesis: genesis) })
    else {
      Issue.record("opened")
      return
    }
    #expect(words.contains("read-only"), "\(words)")
    #expect(try PostgresLedger(readingFrom: only).head().batch == 1)
  }

  @Test("Tables that are not a ledger's are not touched; nor are those of a newer program.")
  func otherTables() throws {
    let (server, schema) = (try server(), PostgresPlace().schema)
    let address = try server.address(schema: schema)
    func refusal() -> String {
      guard
        case .incompatible(let words) = errorOf({
          _ = try PostgresLedger(address, genesis: genesis)
        })
      else { return "opened" }
      return words
    }
    try server.execute("CREATE SCHEMA \(schema); CREATE TABLE \(schema).orders(id int)")
    #expect(refusal().contains("has tables, but not those of a Joulebook ledger"))
    try server.execute("DROP TABLE \(schema).orders; CREATE TABLE \(schema).ledger(id int)")
    #expect(refusal().contains("has a table ledger, but not Joulebook's"))
    try server.execute("DROP TABLE \(schema).ledger")
    try PostgresLedger(address, genesis: genesis).close()
    try server.execute("UPDATE \(schema).ledger SET version = 99")
    #expect(refusal().contains("has table version 99, but this program uses"))
    try server.execute("UPDATE \(schema).ledger SET version = 1, batch_transfers = 0")
    guard case .corrupt = errorOf({ _ = try PostgresLedger(readingFrom: address) }) else {
      Issue.record("read")
      return
    }
  }

  @Test("The batches of another exchange with equal rules are refused at the first one.")
  func otherExchange() throws {
    let place = PostgresPlace()
    let ledger = try place.open(genesis)
    _ = try ledger.apply(batches()[0])
    var other = EventScript()
    other.cash(9, 5)
    other.checkpoint()
    let foreign = try #require(try BatchBuilder.batches(of: other, genesis).first)
    #expect(errorOf { _ = try ledger.apply(foreign) }.isChainMismatch)
    #expect(try ledger.balances().count == 2)
  }

  @Test("A full disk stops nothing for ever: the batch is applied when there is space.")
  func full() throws {
    guard getuid() == 0 else { return }
    let server = try PostgresServer()
    defer { server.end() }
    let small = server.folder + "/small"
    try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: false)
    try PostgresServer.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", small])
    defer { try? PostgresServer.run(["umount", "-l", small]) }
    try PostgresServer.run(["chown", "postgres:postgres", small])
    try server.execute("CREATE TABLESPACE small LOCATION '\(small)'")
    let address = try server.address(
      schema: "books", settings: "&options=-cdefault_tablespace%3Dsmall")
    let ledger = try PostgresLedger(address, genesis: genesis)
    let batches = try batches()
    #expect(try ledger.apply(batches[0]) == .applied)
    try PostgresServer.run([
      "sh", "-c", "dd if=/dev/zero of=\(small)/filler bs=64k 2> /dev/null; test -s \(small)/filler",
    ])
    // Space that a table has already is used first.
    let head = try ledger.head()
    let many = (1...20_000).map { index in
      LedgerTransfer(
        id: head.transfers + UInt64(index), batch: 2, debit: AccountId(2), credit: AccountId(3),
        unit: .currency(.eur), amount: 1, code: .deposit, flags: [],
        tradeSequence: SequenceNumber(9), time: Timestamp(nanoseconds: 1), reference: 1)
    }
    let large = SettlementBatch(
      shard: 0, id: 2, first: SequenceNumber(head.last.rawValue + 1), last: SequenceNumber(99),
      previous: head.hash, transfers: many)
    guard case .unavailable(let words) = errorOf({ _ = try ledger.apply(large) }) else {
      Issue.record("applied, or failed otherwise")
      return
    }
    #expect(words.contains("the disk of PostgreSQL is full"), "\(words)")
    #expect(try ledger.head() == head)
    try FileManager.default.removeItem(atPath: small + "/filler")
    try ledger.reconnect()
    #expect(try ledger.apply(large) == .applied)
    #expect(try LedgerVerification.run(on: ledger).problems == [])
  }

  @Test("Transfers, batches and notes cannot be changed; balances are shown as exact numbers.")
  func tables() throws {
    let (server, place) = (try server(), PostgresPlace())
    let ledger = try place.open(genesis)
    var script = EventScript()
    for _ in 0..<3 { script.cash(2, .max) }
    script.checkpoint()
    for batch in try BatchBuilder.batches(of: script, genesis) { _ = try ledger.apply(batch) }
    for statement in [
      "UPDATE transfer SET amount = 1", "DELETE FROM batch", "TRUNCATE transfer",
      "DELETE FROM note",
    ] {
      #expect(throws: PostgresServer.Failure.self) {
        try server.execute("SET search_path = \(place.schema); \(statement)")
      }
    }
    let shown = try server.execute(
      "SELECT id, unit, debits, credits, amount FROM \(place.schema).balance WHERE id = 2")
    #expect(shown == "2|66514|0|27670116110564327421|27670116110564327421")
    let sums = try server.execute("SELECT sum(amount) FROM \(place.schema).balance")
    #expect(sums == "0")
  }

  @Test("The statements of docs/LEDGER.md find nothing in a sound ledger, and what was forged.")
  func statementsOfThePage() throws {
    let (server, place) = (try server(), PostgresPlace())
    let ledger = try place.open(genesis)
    for batch in try batches() { #expect(try ledger.apply(batch) == .applied) }
    let page = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../docs/LEDGER.md"), encoding: .utf8)
    let chapter = try #require(page.components(separatedBy: "\n## PostgreSQL\n").last)
      .components(separatedBy: "\n## ")[0]
    let lines = chapter.split(separator: "\n").filter { $0.hasPrefix("    ") }
    let start = try #require(lines.firstIndex { $0.contains("-- double entry") })
    let statements = lines[start...].joined(separator: "\n").split(separator: ";")
      .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.filter { !$0.isEmpty }
    #expect(statements.count == 3)
    func answers() throws -> [Bool] {
      try statements.map {
        try server.execute("SET search_path = \(place.schema);\n\($0)").isEmpty
      }
    }
    #expect(try answers() == [true, true, true])
    try server.execute(
      """
      SET search_path = \(place.schema);
      UPDATE account SET credits_low = credits_low + 1 WHERE key = (SELECT min(key) FROM account);
      ALTER TABLE batch DISABLE TRIGGER keep; UPDATE batch SET hash = '\\x00' WHERE id = 2
      """)
    #expect(try answers() == [false, false, false])
  }

  @Test("A database that comes back empty is not filled in silence.")
  func emptied() throws {
    let (server, place) = (try server(), PostgresPlace())
    let ledger = try place.open(genesis)
    let batches = try batches()
    _ = try ledger.apply(batches[0])
    try server.execute("DROP SCHEMA \(place.schema) CASCADE")
    guard case .unavailable = errorOf({ _ = try ledger.apply(batches[1]) }) else {
      Issue.record("applied")
      return
    }
    guard case .unavailable(let words) = errorOf({ try ledger.reconnect() }) else {
      Issue.record("connected")
      return
    }
    #expect(words.contains("has no ledger"), "\(words)")
  }

  @Test("An address tells whether its ledger exists and is written.")
  func address() throws {
    let place = PostgresPlace()
    let address = try place.address()
    #expect(try !address.exists && !address.isWritten)
    try address.checkNew(making: "data")
    guard case .unavailable = errorOf({ _ = try place.openForReading() }) else {
      Issue.record("read")
      return
    }
    let ledger = try place.open(genesis)
    #expect(try address.exists && address.isWritten)
    try ledger.close()
    try server().wait("has ended the session") { try !address.isWritten }
    #expect(try address.exists)
  }

  @Test("TLS with a checked certificate, by the usual settings of libpq.")
  func tls() throws {
    let server = try PostgresServer()
    defer { server.end() }
    let (key, certificate) = (server.folder + "/key", server.folder + "/certificate")
    try PostgresServer.run([
      "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
      key,
      "-out", certificate,
    ])
    if getuid() == 0 { try PostgresServer.run(["chown", "postgres:postgres", key, certificate]) }
    chmod(key, 0o600)
    try server.stop()
    try server.start(settings: ["ssl=on", "ssl_cert_file=\(certificate)", "ssl_key_file=\(key)"])
    let location = server.location(schema: "books").replacingOccurrences(
      of: "sslmode=disable", with: "sslmode=verify-full&sslrootcert=\(certificate)")
    let address = try PostgresAddress(String(location.dropFirst("postgresql:".count)))
    let ledger = try PostgresLedger(address, genesis: genesis)
    #expect(try ledger.apply(batches()[0]) == .applied)
    #expect(
      try server.execute(
        "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
          + "WHERE ssl AND application_name = 'joulebook settlement'") == "1")
    let wrong = location.replacingOccurrences(of: certificate, with: server.folder + "/passwords")
    let other = try PostgresAddress(String(wrong.dropFirst("postgresql:".count)))
    guard case .unavailable = errorOf({ _ = try PostgresLedger(other, genesis: genesis) }) else {
      Issue.record("connected without a certificate that fits")
      return
    }
  }
}

@Suite("The address of a ledger in PostgreSQL")
struct PostgresAddressTests {
  @Test(
    "Every URL of libpq is one, and the schema is set apart.",
    arguments: [
      ("//db.example/books", "postgresql://db.example/books", "joulebook"),
      (
        "//joule@a:1,b:2/x?sslmode=require", "postgresql://joule@a:1,b:2/x?sslmode=require",
        "joulebook"
      ),
      ("//a/x?schema=m2&sslmode=require", "postgresql://a/x?sslmode=require", "m2"),
      ("//a/x?schema=m2", "postgresql://a/x", "m2"), ("//", "postgresql://", "joulebook"),
      ("///books?host=/run/postgresql", "postgresql:///books?host=/run/postgresql", "joulebook"),
    ])
  func good(_ text: String, _ url: String, _ schema: String) throws {
    let address = try PostgresAddress(text)
    #expect(address.text == text && address.url == url && address.schema == schema)
  }

  @Test(
    "What is no URL, has a password or an odd schema is refused.",
    arguments: [
      ("", "is no URL"), ("books", "is no URL"),
      ("//joule:secret@a/x", "must not contain a password"),
      ("//a/x?password=secret", "must not contain a password"),
      ("//a/x?sslpassword=secret", "must not contain a password"),
      ("//a/x?schema=", "names no schema"), ("//a/x?schema=A", "names no schema"),
      ("//a/x?schema=a-b", "names no schema"), ("//a/x?schema=a;drop", "names no schema"),
      ("//a/x?schema=a&schema=b", "names no schema"), ("//a/x?schema=pg_a", "names no schema"),
      ("//a/x?nonsense=1", "cannot be read: invalid URI query parameter: \"nonsense\""),
      ("//a/x y", "space"), ("//a/x\n", "control"),
    ])
  func bad(_ text: String, _ words: String) {
    do throws(LedgerAddressError) {
      _ = try PostgresAddress(text)
      Issue.record("accepted \(text)")
    } catch {
      #expect(error.description.contains(words), "\(error)")
      #expect(!error.description.contains("secret"))
    }
  }
}
