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
    let cases: [(options: [String], status: Int32, words: [String])] = [
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
