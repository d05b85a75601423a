// PostgreSQL is gone for long: half of the time it hangs, then it is killed and started again. Trading goes on
// as before, and the backlog is drained.
//
//     JOULEBOOK_LEDGER_OUTAGE=600 JOULEBOOK_OUTAGE_RATE=20000 \
//       JOULEBOOK_PROGRAM=.build/release/joulebook swift test --filter PostgresOutageTests

import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel
import Testing

@Suite("PostgreSQL is gone for long", .serialized)
struct PostgresOutageTests {
  private static func number(_ name: String, _ usual: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? usual
  }

  /// How long it is gone, s, and the transfers per second meanwhile.
  private static let seconds = number("JOULEBOOK_LEDGER_OUTAGE", 6)
  private static let rate = number("JOULEBOOK_OUTAGE_RATE", 2_000)

  /// Sends transfers at a rate and measures how long the server takes for each tenth of a second's worth.
  private struct Flow {
    let client: Client
    var reference: UInt64 = 1_000
    private(set) var durations: [Duration] = []

    init(_ client: Client) { self.client = client }

    /// The slowest tenth of a second, and the median, ms.
    var report: String {
      let sorted = durations.sorted()
      func milliseconds(_ duration: Duration) -> String {
        String(format: "%.1f ms", Double(duration / .microseconds(1)) / 1_000)
      }
      let (middle, last) = (sorted[sorted.count / 2], sorted[sorted.count - 1])
      return "median \(milliseconds(middle)), slowest \(milliseconds(last))"
    }

    var median: Duration { durations.sorted()[durations.count / 2] }

    mutating func run(for seconds: Double, rate: Int) throws {
      durations = []
      let start = ContinuousClock.now
      for tenth in 1...max(1, Int(seconds * 10)) {
        let began = ContinuousClock.now
        var last: UInt64 = 0
        for _ in 0..<max(1, rate / 10) {
          reference += 1
          last = try client.submit(
            .cash(
              .deposit(
                CashMovement(
                  account: Village.ben, currency: .eur, amount: Money(units: 1),
                  reference: reference))))
        }
        try client.settle(last)
        durations.append(ContinuousClock.now - began)
        let due = start + .milliseconds(100 * tenth)
        if due > .now { usleep(UInt32((due - .now) / .microseconds(1))) }
      }
    }
  }

  private static func status(_ client: Client) throws -> StatusReport {
    try client.requestStatus(withStateHash: false)
    return try client.wait { if case .status(let status) = $0 { status } else { nil } }
  }

  @Test("Trading goes on as before, and the backlog is drained.")
  func gone() throws {
    let (postgres, folder) = (try PostgresServer(), try TemporaryFolder())
    defer { postgres.end() }
    let data = folder.path + "/data"
    let server = try ServerProcess(
      data: data,
      options: [
        "--set", "ledger=\(postgres.location(schema: "books"))", "--set", "client.work=1000000000",
        "--set", "capacity.orders=1024", "--set", "settlement.nanoseconds=1000000000",
        "--set", "capacity.cashReferences=20000000",
      ])
    let village = Village()
    try village.setUp(on: server)
    let client = try village.operatorClient(server)
    defer { client.close() }
    var flow = Flow(client)
    try flow.run(for: 2, rate: Self.rate)
    let before = (flow.median, flow.report)
    let half = Double(Self.seconds) / 2
    try postgres.signal(SIGSTOP)
    try flow.run(for: half, rate: Self.rate)
    print("PostgreSQL hangs: \(flow.report); before: \(before.1)")
    #expect(flow.median < before.0 * 3 + .milliseconds(50))
    try postgres.signal(SIGCONT)
    try postgres.kill()
    try flow.run(for: half, rate: Self.rate)
    print("PostgreSQL is gone: \(flow.report)")
    #expect(flow.median < before.0 * 3 + .milliseconds(50))
    let status = try Self.status(client)
    let backlog = status.lastSequence.rawValue - status.settledSequence.rawValue
    #expect(backlog > 0)
    try postgres.start()
    let start = ContinuousClock.now
    var settled = status.settledSequence
    while settled < status.lastSequence, ContinuousClock.now - start < .seconds(300) {
      usleep(50_000)
      // A quiet market settles when its batch is due.
      settled = try Self.status(client).settledSequence
    }
    let drained = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1_000
    #expect(settled >= status.lastSequence)
    print(
      "a backlog of \(backlog) commands of \(Self.seconds) s at \(Self.rate)/s drained in \(drained) s"
    )
    #expect(server.stop() == 0, "\(server.log)")
    #expect(try Joulebook.run(["ledger", "verify", "--data", data]).status == 0)
    let booked = try postgres.execute(
      "SELECT count(*), count(DISTINCT reference) FROM books.transfer WHERE code = 14 AND reference > 1000"
    )
    let due = flow.reference - 1_000
    #expect(booked == "\(due)|\(due)")
  }
}
