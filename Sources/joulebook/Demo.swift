import ArgumentParser
import Community
import Presentation

/// `joulebook demo`.
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Simulates a community that trades its solar energy and writes a report.",
    discussion: """
      Bots trade on a real server in this process. The report is an HTML page with the market's \
      prices, the households' bills and the checks of journal and ledger. It compares the market \
      with each customer alone, with the community netted and without storage, and with one shared \
      battery. With --data, journal and \
      ledger remain in a new folder, on which the tools for data folders work. Exit code 70 when a \
      check fails.

        joulebook demo
        joulebook demo --week january
        joulebook demo --community fontana --days 2 --report fontana.html
      """)

  @Option(name: .long, help: "Data set: simbench, fontana or swiss.") var community = "simbench"
  @Option(
    name: .long, help: "Week of 2016 of simbench: january, june or october; june unless given.")
  var week: String?
  @Option(name: .long, help: "Days to simulate; all days of the data set unless given.") var days:
    Int?
  @Option(name: .long, help: "Seed of the private values and of the bots.") var seed: UInt64 = 1
  @Option(name: .long, help: "Output file of the report (HTML).", transform: newFileName)
  var report = "report.html"
  @Option(
    name: .long, help: "Folder in which journal and ledger are kept; a temporary one unless given.",
    transform: folderName)
  var data: String?

  func run() throws {
    guard let chosen = CommunityDemo.Community(rawValue: community) else {
      throw ValidationError("--community \(community): choose simbench, fontana or swiss.")
    }
    var options = CommunityDemo.Options()
    if let week {
      options.week = SimBenchWeek(rawValue: week)
      if options.week == nil {
        throw ValidationError("--week \(week): choose january, june or october.")
      }
    }
    (options.community, options.days, options.seed) = (chosen, days, seed)
    (options.reportPath, options.dataFolder) = (report, data)
    let result: DemoResult
    var bar: ProgressBar?
    do throws(CommunityDemo.Failure) {
      defer { bar?.clear() }
      result = try CommunityDemo.run(options) { done, total in
        if bar == nil { bar = ProgressBar(total: UInt64(total), unit: "intervals") }
        bar?.show(UInt64(done))
      }
    } catch {
      throw Failure(error).exit("\(error)")
    }
    print(TerminalSummary(result).text)
    print("report: \(report)")
    guard result.isProven else { throw Failure.checkFailed.exit("a check above failed") }
  }
}

extension Failure {
  /// The exit code for a demonstration that failed.
  fileprivate init(_ error: CommunityDemo.Failure) {
    switch error {
    case .option: self = .usage
    case .data, .ledger: self = .badData
    case .server(let error): self = Failure(error)
    case .client: self = .unavailable
    case .journal(let error): self = Failure(error)
    case .file: self = .io
    }
  }
}
