import Foundation
import MarketModel
import Testing

@testable import Community

@Suite("The demonstration on a real server", .serialized)
struct DemoTests {
  @Test(
    "A day of the Fontana homes over TCP: every proof holds, and the figures are those without it.")
  func fontanaDay() throws {
    var options = CommunityDemo.Options()
    options.community = .fontana
    options.days = 1
    let result = try CommunityDemo.run(options)
    #expect(result.isProven, "\(result.proofs)")
    #expect(result.proofs.count == 5)
    #expect(result.run.trades > 0)
    #expect(result.latency.count == result.run.orders)
    #expect(result.samples.count == 25)
    // The network changes nothing: the bots know the same when they act.
    let inProcess = Simulation(of: try .fontana().first(days: 1), seed: options.seed).result
    #expect(result.customers == inProcess.customers)
    #expect(result.batteryOwner == inProcess.batteryOwner)
  }
}

@Suite("Options of the demonstration")
struct DemoOptionTests {
  @Test("A week of a data set without weeks to choose from is refused, and nothing starts.")
  func weekOfAnotherCommunity() {
    var options = CommunityDemo.Options()
    (options.community, options.week) = (.fontana, .january)
    do throws(CommunityDemo.Failure) {
      _ = try CommunityDemo.run(options)
      Issue.record("the demonstration ran")
    } catch {
      guard case .option(let text) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(text.contains("--week january") && text.contains("only the data set simbench"))
    }
  }
}

@Suite("The whole demonstration")
struct WholeDemoTests {
  /// Set `JOULEBOOK_DEMO_REPORT` to a path to run the village's whole week and write its report.
  static let path = ProcessInfo.processInfo.environment["JOULEBOOK_DEMO_REPORT"]

  @Test("A week of the village over TCP: every proof holds.", .enabled(if: path != nil))
  func villageWeek() throws {
    var options = CommunityDemo.Options()
    options.reportPath = Self.path
    let result = try CommunityDemo.run(options)
    print(TerminalSummary(result).text)
    #expect(result.isProven, "\(result.proofs)")
  }
}
