import Foundation
import JoulebookServer
import Logging
import Testing
import Transport

@Suite("Starts that cannot be, or that wait", .serialized)
struct StartTests {
  /// A port that is in use as long as the object lives.
  private final class UsedPort {
    let transport: Transport
    let port: UInt16

    init() throws {
      transport = try Transport()
      port = try transport.listen(host: "127.0.0.1", port: 0)
    }
  }

  @Test("An address that cannot be used leaves nothing behind, and the message names its key.")
  func addresses() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let used = try UsedPort()
    let busy = "127.0.0.1:\(used.port)"
    let (absent, folderKey) = (folder.path + "/none.pub", folder.path)
    let secret = folder.path + "/k2.key"
    _ = try KeyPairFile.generate(at: secret)
    let bad = folder.path + "/bad.pub"
    try "hello\n".write(toFile: bad, atomically: true, encoding: .utf8)
    func keys(_ file: String) -> [String] {
      ["--listen", "127.0.0.1:0", "--set", "operator.keys=\(file)"]
    }
    let cases: [(options: [String], status: Int32, words: [String])] = [
      (
        ["--listen", "127.0.0.1:39417", "--set", "health=127.0.0.1:39417"], 78,
        ["health: 127.0.0.1:39417 is the address of listen (--listen) too"]
      ),
      (
        ["--listen", "127.0.0.1:39417", "--set", "health=0.0.0.0:39417"], 78,
        ["health: 0.0.0.0:39417", "listen (--listen)"]
      ),
      (keys(absent), 78, ["operator.keys: there is no file \(absent)"]),
      (keys(secret), 78, ["operator.keys: \(secret) is the file of a private key", "k2.pub"]),
      (keys(folderKey), 78, ["operator.keys: ", "it is a folder"]),
      (keys(bad), 78, ["operator.keys: \(bad) contains no key"]),
      (keys(bad) + ["--set", "journal.kept=none"], 78, ["operator.keys: \(bad)"]),
      (["--listen", "no.such.host.invalid:0"], 78, ["--listen", "no.such.host.invalid"]),
      (["--listen", "9100"], 78, ["listen", "127.0.0.1:9100"]),
      (["--listen", "192.0.2.1:0", "--insecure"], 69, ["192.0.2.1:0", "--listen"]),
      (["--listen", busy], 69, [busy, "address already in use", "--listen"]),
      (["--listen", "127.0.0.1:0", "--set", "health=\(busy)"], 69, [busy, "Change health"]),
      (["--set", "health=7"], 78, ["health: 7 is not an address"]),
      (["--listen", "0.0.0.0:0"], 78, ["others can reach 0.0.0.0"]),
    ]
    for (options, status, words) in cases {
      let refused = try Joulebook.run(["serve", "--data", data] + options)
      #expect(refused.status == status, "\(options): \(refused)")
      #expect(words.allSatisfy(refused.errors.contains), "\(options): \(refused.errors)")
      #expect(refused.errors.split(separator: "\n").count == 1, "\(refused.errors)")
      #expect(!FileManager.default.fileExists(atPath: data), "\(options)")
    }
    withExtendedLifetime(used) {}
  }

  @Test("The message about a further gateway's address names the gateway.")
  func gateway() throws {
    let folder = try TemporaryFolder()
    let used = try UsedPort()
    var setting = Configuration()
    (setting.dataFolder, setting.port) = (folder.path + "/data", 0)
    let plan = GatewayPlan("words", host: "localhost", port: used.port) { _, _ in
      preconditionFailure("the address is tried before")
    }
    do throws(StartError) {
      _ = try Server(setting, gateways: [plan], log: Logger(label: "test"))
      Issue.record("the address is in use")
    } catch {
      #expect("\(error)".hasSuffix("Change the address of the gateway words"), "\(error)")
    }
    #expect(!FileManager.default.fileExists(atPath: setting.dataFolder))
  }

  @Test("Names of this machine and all of 127.0.0.0/8 can be listened on without TLS.")
  func ownMachine() throws {
    let folder = try TemporaryFolder()
    for (number, host) in ["localhost", "127.0.0.2"].enumerated() {
      let server = try ServerProcess(
        data: folder.path + "/\(number)",
        options: ["--set", "capacity.orders=1024", "--listen", "\(host):0"])
      #expect(server.log.contains("the journal is empty: a new exchange begins"), "\(server.log)")
      let wait = try Joulebook.run([
        "wait", "\(host == "localhost" ? "127.0.0.1" : host):\(server.port)",
      ])
      #expect(wait.status == 0, "\(wait)")
      #expect(server.stop() == 0)
    }
  }

  @Test("An operator's key that others can read is refused by the server and by the tools.")
  func exposedKey() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data, options: ["--set", "capacity.orders=1024"])
    let key = DataFolder(data).operatorKey
    for mode in [0o644, 0o640, 0o602] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: key)
      let tool = try Joulebook.run([
        "admin", "status", "--data", data, "--connect", "127.0.0.1:\(server.port)",
      ])
      #expect(tool.status == 64 && tool.errors.contains("chmod 600 \(key)"), "\(tool)")
    }
    #expect(server.stop() == 0)
    let start = try Joulebook.run(["serve", "--data", data, "--listen", "127.0.0.1:0"])
    #expect(start.status == 78 && start.errors.contains("chmod 600 \(key)"), "\(start)")
  }

  @Test(
    "A size of the intake that is no power of two is rounded up.",
    arguments: Configuration.Threading.allCases)
  func intake(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data",
      options: ["--set", "capacity.orders=1024", "--set", "ingress.commands=1000"],
      assembly: assembly)
    #expect(try Village().status(server).participantCount == 1)
    #expect(server.stop() == 0)
  }

  /// A folder as a start leaves it that was killed after it wrote `key`, and `publicKey` if given.
  private func killed(_ folder: String, key: String, publicKey: String? = nil) throws -> DataFolder
  {
    let data = DataFolder(folder)
    try FileManager.default.createDirectory(
      atPath: data.journal, withIntermediateDirectories: true)
    try key.write(toFile: data.operatorKey, atomically: false, encoding: .utf8)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o600], ofItemAtPath: data.operatorKey)
    try publicKey?.write(toFile: data.operatorPublicKey, atomically: false, encoding: .utf8)
    return data
  }

  @Test("A start goes on with the operator's key of one that was killed before it was journaled.")
  func keyOfKilledStart() throws {
    let folder = try TemporaryFolder()
    let made = try KeyPairFile.generate(at: folder.path + "/made.key")
    let key = try String(contentsOfFile: folder.path + "/made.key", encoding: .utf8)
    let publicKey = try String(contentsOfFile: made.file, encoding: .utf8)
    let left: [(key: String, publicKey: String?, isKept: Bool)] = [
      (key, nil, true), (key, "", true), (key, String(publicKey.prefix(20)), true),
      (key, publicKey, true), (String(key.prefix(64)), nil, true), ("", nil, false),
      (String(key.prefix(40)), nil, false),
    ]
    for (number, left) in left.enumerated() {
      let data = try killed(
        folder.path + "/\(number)", key: left.key, publicKey: left.publicKey)
      let server = try ServerProcess(
        data: data.path, options: ["--set", "capacity.orders=1024"])
      #expect(try Village().status(server).participantCount == 1, "\(left)")
      #expect(server.stop() == 0)
      let now = try String(contentsOfFile: data.operatorKey, encoding: .utf8)
      #expect((now == left.key) == left.isKept, "\(left)")
      #expect(try KeyPairFile.publicKeys(at: data.operatorPublicKey).count == 1)
      #expect(server.log.contains("an earlier start made this key") == left.isKept)
    }
  }

  @Test("A file that is no private key, or not that of the public one, is not overwritten.")
  func foreignKeyFiles() throws {
    let folder = try TemporaryFolder()
    let made = try KeyPairFile.generate(at: folder.path + "/made.key")
    let other = try KeyPairFile.generate(at: folder.path + "/other.key")
    let key = try String(contentsOfFile: folder.path + "/made.key", encoding: .utf8)
    let publicKey = try String(contentsOfFile: other.file, encoding: .utf8)
    #expect(made.key != other.key)
    for (number, left) in [("my notes\n", nil), (key, publicKey)].enumerated() {
      let data = try killed(folder.path + "/\(number)", key: left.0, publicKey: left.1)
      let start = try Joulebook.run(["serve", "--data", data.path, "--listen", "127.0.0.1:0"])
      #expect(start.status == 78 && start.errors.contains(data.operatorKey), "\(start)")
      #expect(start.errors.contains("ove"), "it says what to do: \(start.errors)")
      #expect(try String(contentsOfFile: data.operatorKey, encoding: .utf8) == left.0)
    }
  }

  /// Whether a small file system can be mounted for one process.
  private static var canMount: Bool {
    let tried = try? Script.run(
      "/usr/bin/env", ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"])
    return tried?.status == 0
  }

  @Test(
    "On a full disk the first start says that it waits, and SIGTERM ends it.",
    .enabled(if: canMount, "only root can mount a small disk"))
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    let (process, errors) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let script = """
      mount -t tmpfs -o size=2m tmpfs '\(folder.path)' && exec '\(Joulebook.path)' serve \
        --data '\(folder.path)/data' --listen 127.0.0.1:0
      """
    process.arguments = ["unshare", "--mount", "sh", "-c", script]
    process.standardError = errors
    try process.start()
    var log = ""
    while !log.contains("the start waits for the journal's disk") {
      let more = errors.fileHandleForReading.availableData
      if more.isEmpty { break }
      log += String(decoding: more, as: UTF8.self)
    }
    #expect(log.contains("No space left on device"), "\(log)")
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    log += String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(log.contains("signal received before the start was complete"), "\(log)")
  }
}
