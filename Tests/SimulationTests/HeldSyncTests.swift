import JoulebookServer
import MarketModel
import Testing

@testable import Simulation

@Suite("Questions while the journal's disk does not sync")
struct HeldSyncTests {
  @Test("No answer contains undurable commands; after one sync all answers arrive.")
  func heldBack() throws {
    // The order has the same number in both runs.
    let twin = try setUpCount()
    twin.clients[1].ask(order)
    turns(of: twin, 20)
    let number = try #require(twin.clients[1].orders.last)
    twin.disk.endProcess()
    let run = try setUpCount()
    let (operatorClient, ana) = (run.clients[0], run.clients[1])
    let seen = operatorClient.observationCount + ana.observationCount
    // From here on nothing is synced.
    ana.ask(order)
    turns(of: run, 20, syncing: false)
    let server = try #require(run.server)
    #expect(server.lastSequence > server.durable)
    for kind in 0..<3 { ana.question(kind, of: number, run.network) }
    operatorClient.question(2, of: number, run.network)
    turns(of: run, 20, syncing: false)
    #expect(ana.outstanding.count == 1, "nor is there a report")
    #expect(
      operatorClient.observationCount + ana.observationCount == seen,
      "an answer left before the sync")
    turns(of: run, 3)
    #expect(operatorClient.observationCount + ana.observationCount == seen + 4)
    #expect(ana.outstanding.isEmpty)
    run.disk.endProcess()
  }

  @Test("After five seconds without a sync the server is not ready, and afterwards ready again.")
  func readiness() throws {
    let run = try setUpCount()
    let server = try #require(run.server)
    #expect(server.readiness() == "ready\n")
    run.clients[1].ask(order)
    turns(of: run, 20, syncing: false)
    #expect(server.lastSequence > server.durable)
    #expect(server.readiness() == "ready\n")
    run.clock.advance(nanoseconds: 4_000_000_000)
    #expect(server.readiness() == "ready\n")
    run.clock.advance(nanoseconds: 2_000_000_000)
    #expect(
      server.readiness()
        == "the journal's disk does not answer: commands have waited for it for 6 s\n")
    turns(of: run, 3)
    #expect(server.readiness() == "ready\n")
    run.disk.endProcess()
  }

  private var order: Request {
    Request(
      .enter(
        NewOrder(
          account: AccountId(1), instrument: Village.instrument, side: .buy,
          clientOrderId: ClientOrderId(1), price: Price(ticks: 20_000),
          quantity: Energy(wattHours: 100))))
  }

  /// A run after the set-up of its village.
  private func setUpCount() throws -> Run {
    let run = Run(seed: 1, steps: 100, village: try Village())
    try run.boot()
    for body in run.village.setUp() { run.clients[0].ask(Request(body)) }
    turns(of: run, 200)
    #expect(run.clients[0].outstanding.isEmpty && run.clients[1].isEstablished)
    return run
  }

  /// Turns of a loop in which everything arrives.
  private func turns(of run: Run, _ count: Int, syncing: Bool = true) {
    for _ in 0..<count {
      for link in run.network.all { run.network.deliver(on: link, limit: 1 << 16) }
      run.network.endTurn()
      for client in run.clients { client.receiveAndAct(run.network) }
      if syncing { run.journalStep() }
      run.clock.advance(nanoseconds: 1_000_000)
    }
  }
}
