import Foundation
import Simulation
import Synchronization
import Testing

@Suite("The whole exchange under faults")
struct SimulationTests {
  /// Seeds of one run of the tests.
  private static let seeds = 1...UInt64(1_000)
  /// Steps of a run: short, so that there are many.
  private static let steps = 150

  @Test(
    "No fault of disk, network or clock loses or repeats an acknowledged command.")
  func thousandSeeds() throws {
    let simulation = try Simulation(steps: Self.steps)
    var total = RunReport()
    for seed in Self.seeds {
      let outcome = simulation.play(seed)
      total.add(outcome.report)
      #expect(
        outcome.violation == nil, "joulebook simulate --first \(seed) --steps \(Self.steps)")
    }
    // What was to be met was met.
    #expect(total.kills > 100 && total.powerLosses > 100 && total.failStops > 100)
    #expect(total.snapshots > 100 && total.snapshotStarts > 100)
    #expect(total.corrections > 100 && total.quarantined > 100 && total.released > 10)
    #expect(total.ledgerBreaks > 20)
    #expect(total.refusals > 10 && total.flips > 100 && total.misdirected > 10)
  }

  @Test("A seed gives the same run every time.", arguments: [3, 17, 256])
  func deterministic(seed: UInt64) throws {
    let simulation = try Simulation(steps: Self.steps)
    #expect(simulation.play(seed).report == simulation.play(seed).report)
  }

  @Test("Parallel runs in one process are independent, even with equal seeds.")
  func sideBySide() throws {
    let simulation = try Simulation(steps: Self.steps)
    let alone = simulation.play(3).report
    let reports = Mutex<[RunReport]>([])
    DispatchQueue.concurrentPerform(iterations: 12) { _ in
      let report = simulation.play(3).report
      reports.withLock { $0.append(report) }
    }
    #expect(reports.withLock { $0 } == Array(repeating: alone, count: 12))
  }
}
