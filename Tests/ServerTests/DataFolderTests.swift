import Foundation
import JoulebookServer
import Testing

@Suite("The data folder at a start", .serialized)
struct DataFolderTests {
  @Test(
    "No command treats an empty folder name as the root of the file system.",
    arguments: [
      ["serve", "--data", ""], ["serve", "--set", "data="], ["replay", ""], ["snapshot", ""],
      ["journal", "verify", ""], ["journal", "inspect", ""], ["journal", "export", ""],
      ["journal", "diff", "", "x"], ["journal", "prune", "", "--keep", "1"],
      ["ledger", "balances", "--data", ""], ["ledger", "verify", "--data", ""],
      ["admin", "status", "--data", ""], ["explain", "1", "--data", ""],
      ["load", "--data", ""], ["demo", "--data", ""],
    ])
  func emptyName(arguments: [String]) throws {
    let result = try Joulebook.run(arguments)
    #expect(result.status == 64 || result.status == 78, "\(result)")
    #expect(result.errors.contains("names no folder"), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: "/journal"))
  }

  @Test("An empty name in a file is refused with its place.")
  func emptyNameInFile() {
    var read = Configuration()
    #expect(
      throws: ConfigurationError("f:1: data: names no folder; give one, such as ./joulebook-data")
    ) { try read.read(yaml: "data: \"\"", name: "f") }
  }

  private func refusal(_ data: String) throws -> String {
    let result = try Joulebook.run(["serve", "--data", data, "--listen", "127.0.0.1:0"])
    #expect(result.status == 78 || result.status == 74, "\(result)")
    return result.errors
  }

  @Test(
    "A file, a dangling link and a read-only folder are refused by name and stay unchanged."
  )
  func noFolder() throws {
    let folder = try TemporaryFolder()
    let (file, link) = (folder.path + "/file", folder.path + "/link")
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: file))
    #expect(try refusal(file).contains("\(file) is a file, not a folder"))
    #expect(FileManager.default.contents(atPath: file) == Data([1, 2, 3]))
    try #require(symlink(folder.path + "/nowhere", link) == 0)
    #expect(try refusal(link).contains("\(link) is a link to a missing folder"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/nowhere"))
    try FileManager.default.createDirectory(
      atPath: folder.path + "/data", withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: folder.path + "/data/journal"))
    #expect(try refusal(folder.path + "/data").contains("/data/journal is a file"))
  }

  @Test(
    "A link in place of a server's file is refused, and its target stays unchanged.",
    arguments: [
      "journal/next.segment", "journal/next.snapshot", "journal/lock", "market.yaml",
      "ledger.sqlite",
      "ledger.sqlite-wal", "ledger.sqlite.lock", "operator.key", "operator.pub",
    ])
  func links(name: String) throws {
    let folder = try TemporaryFolder()
    let (data, precious) = (folder.path + "/data", folder.path + "/precious")
    try FileManager.default.createDirectory(
      atPath: data + "/journal", withIntermediateDirectories: true)
    try Data([7, 7, 7]).write(to: URL(fileURLWithPath: precious))
    try #require(symlink(precious, data + "/" + name) == 0)
    let words = try refusal(data)
    #expect(words.contains("\(data)/\(name) is a symbolic link"), "\(words)")
    #expect(FileManager.default.contents(atPath: precious) == Data([7, 7, 7]))
  }

  @Test(
    "A folder or a pipe where the server has a file is named at the start, and not waited for.",
    arguments: [
      "journal/next.segment", "journal/in-hand", "journal/lock", "market.yaml", "ledger.sqlite",
      "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite.lock", "operator.key",
    ])
  func noFiles(name: String) throws {
    for make in [{ mkdir($0, 0o700) }, { mkfifo($0, 0o600) }] as [(String) -> Int32] {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      try FileManager.default.createDirectory(
        atPath: data + "/journal", withIntermediateDirectories: true)
      try #require(make(data + "/" + name) == 0)
      let words = try refusal(data)
      #expect(words.contains("\(data)/\(name) is a"), "\(words)")
    }
  }

  @Test(
    "A list of refused commands that is a pipe or a dangling link is refused, not ignored.")
  func refusedIsNoFile() throws {
    for make in [{ symlink("nowhere", $0) }, { mkfifo($0, 0o600) }] as [(String) -> Int32] {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      try FileManager.default.createDirectory(
        atPath: data + "/journal", withIntermediateDirectories: true)
      try #require(make(data + "/journal/refused") == 0)
      #expect(try refusal(data).contains("\(data)/journal/refused"))
    }
  }

  @Test("A start is refused without writing if the journal of an existing exchange is missing.")
  func lostJournal() throws {
    let folder = try TemporaryFolder()
    let (data, journal) = (folder.path + "/data", folder.path + "/data/journal")
    let server = try ServerProcess(data: data)
    try Village().setUp(on: server)
    #expect(server.stop() == 0)
    let serve = ["serve", "--data", data, "--listen", "127.0.0.1:0"]
    let files = FileManager.default
    func mustBeRefused(_ beside: String) throws {
      let before = try files.subpathsOfDirectory(atPath: data).sorted()
      let refused = try Joulebook.run(serve)
      #expect(refused.status == 65, "\(refused)")
      #expect(
        refused.errors.contains("\(journal) has no segment, but \(data)/\(beside) shows"),
        "\(refused.errors)")
      #expect(try files.subpathsOfDirectory(atPath: data).sorted() == before)
    }
    try files.moveItem(atPath: journal, toPath: folder.path + "/away")
    try mustBeRefused("ledger.sqlite")
    // A mount point without its file system.
    try files.createDirectory(atPath: journal, withIntermediateDirectories: true)
    try mustBeRefused("ledger.sqlite")
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"]
    where files.fileExists(atPath: data + "/" + name) {
      try files.moveItem(atPath: data + "/" + name, toPath: folder.path + "/" + name)
    }
    try mustBeRefused("market.yaml")
    // A first start that ended after writing market.yaml left the lock, but no ledger.
    try files.moveItem(atPath: folder.path + "/away/lock", toPath: journal + "/lock")
    let again = try ServerProcess(data: data)
    #expect(again.stop() == 0)
  }

  @Test("Tools that read, prune or refuse do not create a journal.")
  func noJournal() throws {
    let folder = try TemporaryFolder()
    let (data, file) = (folder.path + "/data", folder.path + "/file")
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    try Data([1]).write(to: URL(fileURLWithPath: file))
    let prune = ["journal", "prune", data, "--keep", "1"]
    for command in [["journal", "verify", data], prune, prune + ["--dry-run"]] {
      let result = try Joulebook.run(command)
      #expect(result.status == 66 && result.errors.contains("\(data)/journal"), "\(result)")
    }
    let refuse = try Joulebook.run(
      ["serve", "--data", data, "--listen", "127.0.0.1:0", "--refuse", "7"])
    #expect(
      refuse.status == 64 && refuse.errors.contains("\(data) contains no journal"), "\(refuse)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: data).isEmpty)
    for command in [
      ["journal", "verify", file], ["journal", "inspect", file], ["journal", "export", file],
      ["journal", "diff", file, data], ["journal", "prune", file, "--keep", "1"],
      ["ledger", "balances", "--data", file], ["ledger", "verify", "--data", file],
      ["snapshot", file], ["replay", file],
    ] {
      let result = try Joulebook.run(command)
      #expect(result.status == 78, "\(command) \(result)")
      #expect(result.errors.contains("\(file) is a file, not a folder"), "\(result.errors)")
    }
  }

  @Test("A second server is refused even if the lock file was removed.")
  func secondServer() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data)
    let village = Village()
    try village.setUp(on: server)
    try FileManager.default.removeItem(atPath: data + "/journal/lock")
    for command in [
      ["serve", "--data", data, "--listen", "127.0.0.1:0"], ["snapshot", data],
      ["journal", "prune", data, "--keep", "1"],
    ] {
      let second = try Joulebook.run(command)
      #expect(second.status == 75 && second.errors.contains("is in use"), "\(second)")
    }
    #expect(try village.status(server).lastSequence.rawValue > 0)
    #expect(server.stop() == 0)
    #expect(try Joulebook.run(["replay", data, "--ledger"]).status == 0)
  }

  @Test("A linked data folder is one: the journal may lie on another disk.")
  func linkedFolder() throws {
    let folder = try TemporaryFolder()
    let (data, disk) = (folder.path + "/data", folder.path + "/disk")
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    try #require(symlink(disk, data) == 0)
    let server = try ServerProcess(data: data)
    #expect(server.stop() == 0)
  }

  @Test("A limit of descriptors too low for its connections is refused with both numbers.")
  func descriptors() throws {
    try refusedDescriptors(
      500, ["connections is 1024", "1096", "500", "ulimit -n 1096", "LimitNOFILE=1096", "428 or"])
    try refusedDescriptors(20, ["20 file descriptors", "at least 73", "ulimit -n 1096"])
  }

  private func refusedDescriptors(_ limit: Int, _ words: [String]) throws {
    let folder = try TemporaryFolder()
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "ulimit -n \(limit); exec \"$0\" serve --data \"$1\" --listen 127.0.0.1:0",
      Joulebook.path,
      folder.path + "/data",
    ]
    process.standardError = errors
    try process.start()
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 78)
    for word in words { #expect(said.contains(word), "\(said)") }
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/data"))
  }
}
