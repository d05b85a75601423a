import Foundation
import Testing

@Suite("Waiting for a server", .serialized)
struct WaitTests {
  /// Starts `joulebook wait`.
  private func start(_ arguments: [String]) throws -> (process: Process, errors: Pipe) {
    let (process, errors) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: Joulebook.path)
    process.arguments = ["wait"] + arguments
    process.standardError = errors
    try process.start()
    return (process, errors)
  }

  /// Ends a wait and compares how it ended.
  private func expectSuccess(of wait: (process: Process, errors: Pipe)) {
    let printed = wait.errors.fileHandleForReading.readDataToEndOfFile()
    wait.process.waitUntilExit()
    #expect(wait.process.terminationStatus == 0 && printed.isEmpty, "\(printed)")
  }

  /// A port that nothing listens on: the one that a server had which has ended.
  private func freePorts(_ folder: TemporaryFolder) throws -> (server: UInt16, health: Int) {
    let server = try ServerProcess(
      data: folder.path + "/first",
      options: ["--set", "capacity.orders=1024", "--set", "health=127.0.0.1:0"])
    let health = try health(of: server)
    #expect(server.stop() == 0)
    return (server.port, health)
  }

  private func health(of server: ServerProcess) throws -> Int {
    let line = server.log.split(separator: "\n").last { $0.contains("health and metrics") }
    return try #require(line?.split(separator: "=").last.flatMap { Int($0) })
  }

  @Test("A wait that begins before the server ends when the server answers, and prints nothing.")
  func beforeTheServer() throws {
    let folder = try TemporaryFolder()
    let ports = try freePorts(folder)
    let addresses = ["127.0.0.1:\(ports.server)", "http://127.0.0.1:\(ports.health)"]
    let waits = try addresses.map { try start([$0, "--timeout", "120"]) }
    usleep(200_000)
    #expect(waits.allSatisfy { $0.process.isRunning })
    let server = try ServerProcess(
      data: folder.path + "/data",
      options: [
        "--set", "capacity.orders=1024", "--listen", addresses[0],
        "--set", "health=127.0.0.1:\(ports.health)",
      ])
    for wait in waits { expectSuccess(of: wait) }
    // A server that runs already is found too, by the path of its page.
    let again = try Joulebook.run(["wait", addresses[1] + "/health"])
    #expect(again.status == 0 && again.output.isEmpty && again.errors.isEmpty)
    #expect(server.stop() == 0)
  }

  @Test("A wait without an answer ends with status 75, the address and the reason.")
  func noServer() throws {
    let folder = try TemporaryFolder()
    let ports = try freePorts(folder)
    for address in ["127.0.0.1:\(ports.server)", "http://127.0.0.1:\(ports.health)/ready"] {
      let result = try Joulebook.run(["wait", address, "--timeout", "300ms"])
      #expect(result.status == 75 && result.output.isEmpty)
      #expect(
        result.errors.hasPrefix(
          "joulebook: no exchange answered at \(address) within 300ms: cannot connect"),
        "\(result.errors)")
    }
    let server = try ServerProcess(
      data: folder.path + "/data",
      options: ["--set", "capacity.orders=1024", "--set", "health=127.0.0.1:0"])
    // A page that does not exist is an answer of another program, perhaps.
    let page = "http://127.0.0.1:\(try health(of: server))/other"
    let result = try Joulebook.run(["wait", page, "--timeout", "300ms"])
    #expect(result.status == 75 && result.errors.contains("/other is answered with 404"))
    #expect(server.stop() == 0)
  }

  @Test(
    "An address that names no port of a host is refused.",
    arguments: [
      "127.0.0.1", "127.0.0.1:0", ":9100", "127.0.0.1:99999", "http://127.0.0.1",
      "https://127.0.0.1:1", "http://127.0.0.1:1/a b",
    ])
  func badAddresses(address: String) throws {
    let result = try Joulebook.run(["wait", address])
    #expect(result.status == 64 && result.errors.contains("\(address) is not an address"))
  }

  @Test("Certificates that cannot be read are named.")
  func badCertificates() throws {
    let result = try Joulebook.run(["wait", "127.0.0.1:1", "--tls-ca", "/none.pem"])
    #expect(result.status == 66 && result.errors.contains("/none.pem"), "\(result.errors)")
  }
}
