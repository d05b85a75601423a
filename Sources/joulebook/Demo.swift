import ArgumentParser
import Community
import Presentation

/// `joulebook demo`.
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A community trades its sunshine for a June week; writes a report.",
    discussion: """
        joulebook demo
        joulebook demo --community fontana --days 2 --report fontana.html
      """)

  @Option(name: .long, help: "simbench, fontana or swiss.") var community = "simbench"
  @Option(name: .long, help: "How many days; all unless given.") var days: Int?
  @Option(name: .long, help: "What private values and bots follow from.") var seed: UInt64 = 1
  @Option(name: .long, help: "File of the report.", transform: newFileName)
  var report = "report.html"
  @Option(name: .long, help: "Keeps journal and ledger here.", transform: folderName)
  var data: String?

  func run() throws {
    guard let chosen = CommunityDemo.Community(rawValue: community) else {
      throw ValidationError("--community \(community): choose simbench, fontana or swiss.")
    }
    var options = CommunityDemo.Options()
    (options.community, options.days, options.seed) = (chosen, days, seed)
    (options.reportPath, options.dataFolder) = (report, data)
    let result: DemoResult
    var bar: ProgressBar?
    do throws(CommunityDemo.Failure) {
      defer { bar?.clear() }
      result = try CommunityDemo.run(options) { done, total in
        if bar == nil { bar = ProgressBar(total: UInt64(total)) }
        bar?.show(UInt64(done))
      }
    } catch {
      throw Failure.checkFailed.exit("\(error)")
    }
    print(TerminalSummary(result).text)
    print("report: \(report)")
    guard result.isProven else { throw Failure.checkFailed.exit("a proof above does not hold") }
  }
}
