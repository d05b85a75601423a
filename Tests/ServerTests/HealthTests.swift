import Foundation
import JoulebookClient
import MarketModel
import Testing

@testable import JoulebookServer

@Suite("Looking after a server", .serialized)
struct HealthTests {
  /// Status code and body of a page.
  func get(_ port: Int, _ path: String) throws -> (status: Int, text: String) {
    let script = """
      from http.client import HTTPConnection
      c = HTTPConnection("127.0.0.1", \(port), timeout=5)
      c.request("GET", "\(path)")
      r = c.getresponse()
      print(r.status, r.read().decode(), sep="\\n", end="")
      """
    let text = try Script.run("/usr/bin/env", ["python3", "-c", script]).output
    let parts = text.split(separator: "\n", maxSplits: 1)
    return (Int(parts.first ?? "") ?? 0, parts.count > 1 ? String(parts[1]) : "")
  }

  @Test(
    "GET /ready reports that commands of the journal are refused.")
  func refusedCommands() throws {
    let metrics = ServerMetrics()
    let health = try HealthServer(host: "127.0.0.1", port: 0, metrics: metrics) { "" }
    var sample = ServerMetrics.Sample()
    sample.taken = .max / 2
    for (count, text) in [
      (0, "ready\n"), (1, "ready\n1 command of the journal is refused\n"),
      (2, "ready\n2 commands of the journal are refused\n"),
    ] {
      sample.refused = count
      metrics.record(sample)
      #expect(health.answer(to: "/ready") == ("200 OK", text))
    }
  }

  @Test("The wait for the disk is the age of the oldest undurable command, not of the load.")
  func durabilityWait() {
    var wait = DurabilityWait()
    func look(_ last: UInt64, _ durable: UInt64, at steady: UInt64) -> UInt64? {
      wait.observe(last: SequenceNumber(last), durable: SequenceNumber(durable), at: steady)
    }
    #expect(look(7, 7, at: 100) == nil)
    #expect(look(9, 7, at: 200) == 200)
    #expect(look(15, 8, at: 300) == 200, "command 9 still waits")
    #expect(look(15, 9, at: 400) == 400, "command 10 came after the look at 200")
    #expect(look(99, 14, at: 500) == 400)
    #expect(look(99, 99, at: 600) == nil)
    #expect(look(100, 99, at: 700) == 700)
    var sample = ServerMetrics.Sample()
    #expect(sample.durabilityWait(at: 800) == 0)
    sample.undurableSince = 700
    #expect(sample.durabilityWait(at: 800) == 100 && sample.durabilityWait(at: 600) == 0)
  }

  @Test("Alarms of the start are counted: one for each line.")
  func alarmsOfTheStart() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let options = ["--set", "health=127.0.0.1:0", "--set", "capacity.orders=1024"]
    var server = try ServerProcess(data: data, options: options)
    #expect(server.stop() == 0)
    // Damages the crash note.
    try String(repeating: "?", count: 150).write(
      toFile: data + "/journal/in-hand", atomically: false, encoding: .utf8)
    server = try ServerProcess(data: data, options: options)
    let line = server.log.split(separator: "\n").last { $0.contains("health and metrics") }
    let port = try #require(line?.split(separator: "=").last.flatMap { Int($0) })
    let alarms = server.log.split(separator: "\n").count { $0.contains(": ALARM: ") }
    #expect(alarms > 0, "\(server.log)")
    #expect(try get(port, "/metrics").text.contains("joulebook_alarms_total \(alarms)\n"))
    #expect(server.stop() == 0)
  }

  @Test(
    "Health, readiness and every counter can be read while a server runs.",
    arguments: Configuration.Threading.allCases)
  func pages(assembly: Configuration.Threading) throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(
      data: data, options: ["--set", "health=127.0.0.1:0", "--set", "capacity.orders=1024"],
      assembly: assembly)
    let line = try #require(
      server.log.split(separator: "\n").first { $0.contains("health and metrics") })
    let port = try #require(line.split(separator: "=").last.flatMap { Int($0) })
    try Village().setUp(on: server)
    usleep(600_000)
    #expect(try get(port, "/health") == (200, "alive\n"))
    #expect(try get(port, "/ready") == (200, "ready\n"))
    #expect(try get(port, "/other").status == 404)
    let metrics = try get(port, "/metrics").text
    let numbers = metrics.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(numbers.count > 20, "\(metrics)")
    let commands = numbers.first { $0.hasPrefix("joulebook_commands_total ") }
    #expect(commands.flatMap { Int($0.split(separator: " ")[1]) } ?? 0 > 10, "\(metrics)")
    #expect(metrics.contains("joulebook_durability_lag_commands 0"), "\(metrics)")
    // Every queue, state and error has a metric.
    for name in [
      "durability_wait_nanoseconds", "ingress_commands", "outbox_events", "readings_under_way",
      "retransmissions_waiting",
      "intake", "refused_commands",
      "settlement_waiting", "settlement_stopped", "ledger_log_bytes",
      "retransmission_failures_total",
      "snapshot_failures_total", "gateway_rejects_total", "sessions_terminated_total",
      "alarms_total", "pipeline_commands", "pipeline_events", "send_queue_bytes", "readers_paused",
      "connections_accepted_total", "connections_refused_total", "connections_lost_total",
      "connections_refused_by_address_total", "connections_replaced_total",
      "connections_cut_total", "handshakes_delayed_total", "send_memory_bytes",
      "slow_readers_total", "log_ons_refused_bad_signature_total", "sessions_throttled_total",
      "gateway_overworked_total", "log_errors_total",
    ] {
      #expect(metrics.contains("joulebook_\(name) "), "\(name)")
    }
    let desk = try Client(
      host: "127.0.0.1", port: server.port, credentials: Village().operatorCredentials(server))
    let ready = try Joulebook.run([
      "admin", "status", "--ready", "--data", data, "--connect", "127.0.0.1:\(server.port)",
    ])
    #expect(ready.status == 0 && ready.output == "ready\n", "\(ready.errors)")
    // The check took no session: the operator's is still there.
    try desk.requestStatus(withStateHash: false)
    try desk.wait { if case .status = $0 { () } else { nil } }
    #expect(server.stop() == 0)
    let gone = try Joulebook.run([
      "admin", "status", "--ready", "--data", data, "--connect", "127.0.0.1:\(server.port)",
    ])
    #expect(gone.status == 69)
  }

  @Test("Clients that send a byte now and then do not keep others from being answered.")
  func tricklingClients() throws {
    let metrics = ServerMetrics()
    let health = try HealthServer(host: "127.0.0.1", port: 0, metrics: metrics) { "" }
    var sample = ServerMetrics.Sample()
    sample.taken = .max / 2
    metrics.record(sample)
    let thread = Thread { health.run() }
    thread.start()
    // Twelve clients within the limit, then as many as take the places of the first ones. They are
    // connected when the others ask, because the test itself connects them, in this order.
    for count in [12, 40] {
      let slow = try (0..<count).map { _ in try RawSession(port: health.port) }
      for client in slow { client.send(Array("G".utf8)) }
      for _ in 0..<3 {
        #expect(try get(Int(health.port), "/health") == (200, "alive\n"))
        for client in slow { client.send(Array("E".utf8)) }
      }
    }
    // A request that does not end is over after two seconds.
    let endless = try RawSession(port: health.port)
    endless.send(Array("GET".utf8))
    while endless.frame() != nil {}
    #expect(endless.isOver)
    health.end()
  }

  @Test("SIGHUP reloads the log level and ends nothing.")
  func hangUp() throws {
    let folder = try TemporaryFolder()
    let config = folder.path + "/joulebook.yaml"
    try "log: warning\n".write(toFile: config, atomically: true, encoding: .utf8)
    let server = try ServerProcess(data: folder.path + "/data", options: ["--config", config])
    #expect(!server.log.contains("SIGHUP"))
    try "log: info\n".write(toFile: config, atomically: true, encoding: .utf8)
    server.signal(SIGHUP)
    let isTaken = { server.log.contains("SIGHUP: the log level was applied; ") }
    for _ in 0..<200 where !isTaken() { usleep(20_000) }
    #expect(isTaken() && server.log.contains(" log=info\n"), "\(server.log)")
    #expect(server.stop() == 0)
    #expect(server.log.contains("SIGTERM"))
  }
}
