import Foundation
import MarketModel
import Testing

@testable import Community

@Suite("The community at the exchange, in process")
struct SimulationTests {
  @Test("A week of the village: conserved, invariants hold, the market helps.")
  func villageWeek() throws {
    let model = try CommunityModel.simbench()
    let run = Simulation(of: model, seed: 1)
    #expect(run.violations.isEmpty)
    #expect(run.result.isProven)
    #expect(run.result.energy.isConserved)
    print(TerminalSummary(run.result).text)
    if let path = ProcessInfo.processInfo.environment["REPORT"] {
      try Data(ReportPage(run.result).html.utf8).write(to: URL(filePath: path))
    }
  }

  @Test(
    "Two days of 537 homes: conserved, invariants hold, every meter was read, the market helps.")
  func swissDays() throws {
    let model = try CommunityModel.swiss()
    let clock = ContinuousClock()
    let start = clock.now
    let run = Simulation(of: model, seed: 1)
    print(
      "\(run.result.run.commands) commands, \(run.result.run.trades) trades in \(clock.now - start)"
    )
    #expect(run.violations.isEmpty)
    #expect(run.result.isProven, "\(run.result.proofs)")
    #expect(run.result.energy.isConserved)
    #expect(run.result.run.readings == 537 * 192)
    #expect(run.result.run.trades > 5_000)
    #expect(run.result.energy.selfSufficiency > run.result.alone.selfSufficiency)
    for (customer, home) in zip(run.result.customers, model.customers) {
      #expect(customer.energy.consumed == home.consumption.total.wattHours)
      #expect(customer.energy.produced == home.production.total.wattHours)
    }
  }
}
