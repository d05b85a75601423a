// A PostgreSQL server of the tests' own: a cluster in a temporary folder, started as an ordinary
// process, so that a test can kill it, cut its connections, fill its settings with mistakes, and
// promote a standby.

import Foundation

/// A cluster and its server. The server ends and the folder goes when the test process ends.
final class PostgresServer: @unchecked Sendable {
  /// A step of the fixture that failed.
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// The server of the tests that need nothing special; started by the first of them.
  static let shared = Result { try PostgresServer() }

  /// The user that owns everything.
  static let user = "joule"
  /// The password of every user in the tests' password file.
  static let password = "a secret: with a colon"
  let folder: String
  let port: UInt16
  private var process: Process?
  private var control: Pipe?

  /// The folder with `initdb` and `postgres`.
  static func programs() throws -> String {
    let root = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
    let newest = versions.compactMap(Int.init).max()
    let place = newest.map { "\(root)/\($0)/bin" } ?? "/usr/bin"
    guard FileManager.default.isExecutableFile(atPath: place + "/initdb") else {
      throw Failure(description: "PostgreSQL's server is missing; `make deps` installs it")
    }
    return place
  }

  /// Makes a cluster and starts its server.
  /// - Parameter primary: The server that this one is a standby of.
  init(standbyOf primary: PostgresServer? = nil, settings: [String] = []) throws {
    let number = UInt64.random(in: 0 ..< .max)
    folder = NSTemporaryDirectory() + "postgres-tests-" + String(number, radix: 36)
    port = try Self.freePort()
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let data = folder + "/data"
    // libpq takes \: for a colon in a field.
    let field = Self.password.replacingOccurrences(of: ":", with: "\\:")
    try "*:*:*:*:\(field)\n".write(
      toFile: passwords, atomically: false, encoding: .utf8)
    try "\(Self.password)\n".write(toFile: folder + "/word", atomically: false, encoding: .utf8)
    chmod(passwords, 0o600)
    if getuid() == 0 { try Self.run(["chown", "-R", "postgres:postgres", folder]) }
    let programs = try Self.programs()
    if let primary {
      try Self.run(
        Self.asOwner([
          "env", "PGPASSFILE=\(folder)/passwords", "\(programs)/pg_basebackup", "-D", data, "-R",
          "-X", "stream", "-c", "fast", "-d",
          "host=127.0.0.1 port=\(primary.port) user=\(Self.user) passfile=\(folder)/passwords",
        ]))
    } else {
      try Self.run(
        Self.asOwner([
          "\(programs)/initdb", "-D", data, "-U", Self.user, "--pwfile=\(folder)/word",
          "--auth=scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C",
        ]))
    }
    try start(settings: settings)
    if primary == nil { try execute("CREATE DATABASE books", in: "postgres") }
  }

  private var passwords: String { folder + "/passwords" }

  /// The location of a ledger in a schema of this server.
  func location(schema: String, settings: String = "", user: String = PostgresServer.user) -> String
  {
    "postgresql://\(user)@127.0.0.1:\(port)/books?\(access)&schema=\(schema)\(settings)"
  }

  /// The location of a ledger on several servers, by their ports.
  func location(ports: [UInt16], schema: String) -> String {
    let hosts = ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
    return "postgresql://\(Self.user)@\(hosts)/books?\(access)&schema=\(schema)"
  }

  private var access: String { "passfile=\(passwords)&gssencmode=disable&sslmode=disable" }

  /// Starts the server and waits until it answers.
  func start(settings: [String] = []) throws {
    let programs = try Self.programs()
    let (process, control) = (Process(), Pipe())
    // The shell outlives a killed server; it ends both when its input ends, which it does with the
    // tests.
    let script = """
      "$@" > "$0/log" 2>&1 & server=$!
      read -r word; kill -QUIT $server 2> /dev/null; wait $server
      [ "$word" = keep ] || rm -rf "$0"
      """
    let command = Self.asOwner(
      [
        "sh", "-c", script, folder, "\(programs)/postgres", "-D", folder + "/data",
        "-p", "\(port)", "-h", "127.0.0.1", "-k", "", "-c", "max_connections=200",
        "-c", "shared_buffers=32MB",
      ] + settings.flatMap { ["-c", $0] })
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardInput = control
    try process.start()
    (self.process, self.control) = (process, control)
    try wait("answers") {
      try Self.runs(["\(programs)/pg_isready", "-q", "-h", "127.0.0.1", "-p", "\(port)"])
    }
  }

  /// Ends the server as a crash does, and keeps its folder.
  func kill() throws {
    Foundation.kill(try postmaster(), SIGKILL)
    try stop()
  }

  /// Ends the server at once, and keeps its folder.
  func stop() throws { try stop("keep") }

  /// Ends the server and removes its folder, unless it was ended before.
  func end() {
    do {
      if process != nil { try stop("remove") } else { try Self.run(["rm", "-rf", folder]) }
    } catch {
      print("the folder \(folder) could not be removed: \(error)")
    }
  }

  private func stop(_ word: String) throws {
    try control?.fileHandleForWriting.write(contentsOf: Data("\(word)\n".utf8))
    process?.waitUntilExit()
    (process, control) = (nil, nil)
    // Children of a killed server end when they notice; until then the port may be taken.
    let lock = folder + "/data/postmaster.pid"
    try? FileManager.default.removeItem(atPath: lock)
  }

  /// Stops or continues all processes of the server.
  func signal(_ number: Int32) throws {
    let master = try postmaster()
    let children = try Self.output(["pgrep", "-P", "\(master)"]).split(separator: "\n")
    for child in children.compactMap({ pid_t($0) }) + [master] { Foundation.kill(child, number) }
  }

  private func postmaster() throws -> pid_t {
    let text = try String(contentsOfFile: folder + "/data/postmaster.pid", encoding: .utf8)
    guard let first = text.split(separator: "\n").first, let id = pid_t(first) else {
      throw Failure(description: "no server runs in \(folder)")
    }
    return id
  }

  /// Runs statements by psql.
  @discardableResult
  func execute(_ sql: String, in database: String = "books") throws -> String {
    try Self.output([
      "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d",
      "host=127.0.0.1 port=\(port) user=\(Self.user) dbname=\(database) passfile=\(passwords)",
      "-c",
      sql,
    ])
  }

  /// Waits until `condition` is true, ten seconds at most.
  func wait(_ what: String, until condition: () throws -> Bool) throws {
    for _ in 0..<200 {
      if try condition() { return }
      usleep(50_000)
    }
    let log = (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? ""
    throw Failure(description: "waited in vain until PostgreSQL \(what): \(log.suffix(2000))")
  }

  /// A port that nobody listens on.
  private static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard found else { throw Failure(description: "no free port") }
    return UInt16(bigEndian: address.sin_port)
  }

  /// PostgreSQL refuses to run as root.
  private static func asOwner(_ command: [String]) -> [String] {
    getuid() == 0
      ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] + command : command
  }

  private static func runs(_ command: [String]) throws -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardError = FileHandle.nullDevice
    try process.start()
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  /// Runs a command.
  static func run(_ command: [String]) throws { _ = try output(command) }

  private static func output(_ command: [String]) throws -> String {
    let (process, pipe) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = URL(fileURLWithPath: "/")
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.start()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(command.joined(separator: " ")): \(text)")
    }
    return text
  }
}
