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
}
