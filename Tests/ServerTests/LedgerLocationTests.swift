import Foundation
import JoulebookServer
import MarketModel
import Settlement
import Testing

@Suite("Where the ledger is", .serialized)
struct LedgerLocationTests {
  static let known = "sqlite:PATH, postgresql://HOST/DATABASE"

  @Test(
    "A location is printed as it was read, also after a round trip through a file.",
    arguments: [
      "sqlite:ledger.sqlite", "sqlite:/var/lib/a b/ledger", "sqlite:./x", "sqlite:/a/../x.sqlite",
      "postgresql://joule@db.example:5433,other/books?schema=m2&sslmode=verify-full",
      "sqlite:a:b#c", #"sqlite:a"b\c'd"#, "sqlite:Bücher/β",
    ])
  func roundTrip(text: String) throws {
    let location = try LedgerLocation(text)
    #expect("\(location)" == text)
    var (written, read) = (Configuration(), Configuration())
    written.ledger = location
    try read.read(yaml: written.yaml, name: "f")
    #expect(read == written)
  }

  @Test(
    "A text that names no ledger is refused with the accepted forms.",
    arguments: [
      ("", "ledger: \"\" does not begin with a known kind of ledger; known: \(Self.known)"),
      (
        "ledger.sqlite",
        "ledger: \"ledger.sqlite\" does not begin with a known kind of ledger; known: \(Self.known)"
      ),
      (
        "oracle:x",
        "ledger: \"oracle:x\" does not begin with a known kind of ledger; known: \(Self.known)"
      ),
      (
        "SQLite:x",
        "ledger: \"SQLite:x\" does not begin with a known kind of ledger; known: \(Self.known)"
      ),
      (
        "postgresql://a:b@c/d",
        "ledger: the location must not contain a password, because it is stored and "
          + "printed; put it in the file that PGPASSFILE names, or in ~/.pgpass"
      ),
      ("sqlite:", "ledger: \"sqlite:\" names no file; write a path such as ledger.sqlite"),
      ("sqlite:a/", "ledger: \"sqlite:a/\" names no file; write a path such as ledger.sqlite"),
      ("sqlite:a/..", "ledger: \"sqlite:a/..\" names no file; write a path such as ledger.sqlite"),
      (
        "sqlite:a/../../x",
        "ledger: \"sqlite:a/../../x\" leads out of the data folder; write an absolute path"
      ),
      (
        "sqlite://host/a",
        "ledger: \"sqlite://host/a\" is not a URL; an absolute path begins with one slash: "
          + "sqlite:/var/ledger.sqlite"
      ),
      (
        "sqlite: a",
        "ledger: \"sqlite: a\" must not begin or end with a space or contain a control character"
      ),
      (
        "sqlite:a\0b",
        "ledger: \"sqlite:a\0b\" must not begin or end with a space or contain a control character"
      ),
    ])
  func refusals(text: String, message: String) {
    #expect(throws: ConfigurationError(message)) { try LedgerLocation(text) }
  }

  @Test("A YAML mapping instead of a location is refused with an explanation.")
  func mapping() {
    var read = Configuration()
    #expect(
      throws: ConfigurationError("f:1: ledger: takes a value, not a mapping of keys to values")
    ) { try read.read(yaml: "ledger: {sqlite: x}", name: "f") }
  }

  @Test("A relative location is one of the data folder, an absolute one is itself.")
  func resolution() throws {
    var configuration = Configuration()
    configuration.dataFolder = "data"
    #expect("\(configuration.ledgerLocation)" == "sqlite:data/ledger.sqlite")
    configuration.ledger = try LedgerLocation("sqlite:./books/x")
    #expect(
      configuration.ledgerLocation.files == [
        "data/books/x", "data/books/x-wal", "data/books/x-shm", "data/books/x.lock",
      ])
    configuration.ledger = try LedgerLocation("sqlite:/x")
    #expect("\(configuration.ledgerLocation)" == "sqlite:/x")
  }

  @Test("A location reports whether its ledger exists and is being written.")
  func opening() throws {
    let folder = try TemporaryFolder()
    let location = try LedgerLocation("sqlite:\(folder.path)/x")
    #expect(try !location.exists && !location.isWritten)
    #expect(throws: LedgerError.self) { try location.openForReading() }
    #expect(try !location.exists)
    let ledger = try location.open(genesis: LedgerGenesis())
    #expect(try location.exists && location.isWritten && ledger.notes.isEmpty)
    guard case .inUse = inUse(location) else {
      Issue.record("two write")
      return
    }
    let reader = try location.openForReading()
    #expect(try reader.head() == ledger.head())
    let present = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(present.map { "\(folder.path)/\($0)" }).isSubset(of: location.files))
  }

  private func inUse(_ location: LedgerLocation) -> LedgerError? {
    do throws(LedgerError) {
      _ = try location.open(genesis: LedgerGenesis())
      return nil
    } catch {
      return error
    }
  }

  @Test("A server settles into a ledger outside its folder, and the tools find it.")
  func elsewhere() throws {
    let folder = try TemporaryFolder()
    let (data, book) = (folder.path + "/data", folder.path + "/books/book.db")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/books", withIntermediateDirectories: true)
    let options = ["--set", "settlement.transfers=2", "--set", "ledger=sqlite:\(book)"]
    var server = try ServerProcess(data: data, options: options)
    try Village().setUp(on: server)
    #expect(server.stop() == 0)
    let made = FileManager.default
    #expect(made.fileExists(atPath: book) && !made.fileExists(atPath: data + "/ledger.sqlite"))
    try agree(data)
    // The key may be omitted or repeated.
    for again in [[], options] {
      server = try ServerProcess(data: data, options: again)
      #expect(server.stop() == 0)
    }
    try agree(data)
    let before = try files(folder)
    let other = try serve(data, "sqlite:other.sqlite")
    #expect(other.status == 78, "\(other)")
    #expect(
      other.errors.contains("ledger is sqlite:\(book) since the first start"), "\(other)")
    #expect(try files(folder) == before)
  }

  /// Every tool that reads the ledger finds the server's ledger.
  private func agree(_ data: String) throws {
    for command in [
      ["replay", data, "--ledger"], ["ledger", "verify", "--data", data],
      ["ledger", "statement", "\(Village.ben.rawValue)", "--data", data],
      ["ledger", "balances", "--data", data], ["ledger", "export", "--data", data],
    ] {
      let result = try Joulebook.run(command)
      #expect(result.status == 0, "\(command): \(result)")
    }
  }

  @Test("A folder from before the key has the ledger that it had; one that is gone is named.")
  func folderWithoutKey() throws {
    let folder = try TemporaryFolder()
    let (data, market) = (folder.path + "/data", folder.path + "/data/market.yaml")
    var server = try ServerProcess(data: data)
    try Village().setUp(on: server)
    #expect(server.stop() == 0)
    let text = try String(contentsOfFile: market, encoding: .utf8)
    let old = text.split(separator: "\n").filter { !$0.hasPrefix("ledger:") }
    #expect(old.count == text.split(separator: "\n").count - 1)
    try old.joined(separator: "\n").write(toFile: market, atomically: true, encoding: .utf8)
    server = try ServerProcess(data: data)
    #expect(server.stop() == 0)
    try agree(data)
    try FileManager.default.removeItem(atPath: data + "/ledger.sqlite")
    let gone = try Joulebook.run(["ledger", "balances", "--data", data])
    #expect(gone.status == 69 && gone.errors.contains("sqlite:\(data)/ledger.sqlite"), "\(gone)")
  }

  private func serve(
    _ data: String, _ ledger: String
  ) throws -> (status: Int32, output: String, errors: String) {
    let result = try Joulebook.run(
      ["serve", "--data", data, "--listen", "127.0.0.1:0", "--set", "ledger=\(ledger)"])
    return (result.status, result.output, result.errors)
  }

  private func files(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
  }

  @Test(
    "A first start with an impossible ledger ends with status 78 and creates nothing.",
    arguments: [
      ("ledger.sqlite", "known: sqlite:PATH"), ("sqlite:", "names no file"),
      ("sqlite:missing/x", "data/missing: No such file or directory"),
      ("sqlite:FOLDER/file/x", "file: Not a directory"),
      ("sqlite:market.yaml", "for another purpose"),
      ("sqlite:FOLDER/./data/operator.key", "for another purpose"),
      ("sqlite:journal/x", "for another purpose"),
      ("sqlite:market.yaml.new", "for another purpose"),
      ("sqlite:FOLDER/link", "is a symbolic link"),
      ("sqlite:FOLDER", "is a folder, not a file"), ("sqlite:../x", "write an absolute path"),
    ])
  func badFirstStart(ledger: String, words: String) throws {
    let folder = try TemporaryFolder()
    try Data([1]).write(to: URL(fileURLWithPath: folder.path + "/file"))
    try #require(symlink("file", folder.path + "/link") == 0)
    let before = try files(folder)
    let result = try serve(
      folder.path + "/data", ledger.replacingOccurrences(of: "FOLDER", with: folder.path))
    #expect(result.status == 78 && result.errors.contains(words), "\(result)")
    #expect(try files(folder) == before)
  }

  @Test("A first start refuses the ledger of another exchange.")
  func takenLedger() throws {
    let folder = try TemporaryFolder()
    let first = try ServerProcess(data: folder.path + "/one")
    try Village().setUp(on: first)
    #expect(first.stop() == 0)
    let before = try files(folder)
    let second = try serve(folder.path + "/two", "sqlite:\(folder.path)/one/ledger.sqlite")
    #expect(second.status == 65 && second.errors.contains("ledger.sqlite shows"), "\(second)")
    #expect(try files(folder) == before)
  }
}
