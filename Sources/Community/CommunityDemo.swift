import ExchangeCore
import Foundation
import JoulebookClient
import JoulebookServer
import Journaling
import MarketModel
import Settlement

/// The demonstration: bots trade for a community on a real server over real sessions. The market's
/// time runs faster than the clock, and a report shows the result.
public enum CommunityDemo {
  /// A data set that the demonstration can use.
  public enum Community: String, Sendable, CaseIterable {
    /// The customers of a SimBench low-voltage grid, in quarter hours.
    case simbench
    /// 17 homes in Fontana, California, in hours.
    case fontana
    /// 537 homes in Switzerland, in quarter hours.
    case swiss
  }

  /// Options of a run.
  public struct Options: Sendable {
    /// The data set.
    public var community = Community.simbench
    /// The week of `simbench`; `nil`: the June week. The other data sets have none to choose from.
    public var week: SimBenchWeek?
    /// Number of days to simulate, from 1 to those of the data set; `nil`: all.
    public var days: Int?
    /// Seed of private values, roles and bots.
    public var seed: UInt64 = 1
    /// Path of the report; `nil`: no report.
    public var reportPath: String?
    /// Folder in which journal and ledger are kept; `nil`: a temporary one that is removed at the
    /// end.
    public var dataFolder: String?
    /// TCP port of the server; 0: a free one.
    public var port: UInt16 = 0

    /// All days of `simbench` with seed 1, no report and a temporary folder.
    public init() {}
  }

  /// Why a demonstration failed.
  public enum Failure: Error, CustomStringConvertible {
    /// The data set cannot be used.
    case data(CommunityDataError)
    /// An option is out of range; the text names it.
    case option(String)
    /// The server did not start.
    case server(StartError)
    /// A session could not be opened, or ended.
    case client(ClientError)
    /// The journal could not be replayed.
    case journal(JournalError)
    /// The ledger could not be read.
    case ledger(LedgerError)
    /// A file could not be written.
    case file(String)

    /// The fault in one line.
    public var description: String {
      switch self {
      case .data(let error): "\(error)"
      case .option(let text): text
      case .server(let error): "\(error)"
      case .client(let error): "\(error)"
      case .journal(let error): "journal: \(error)"
      case .ledger(let error): "ledger: \(error)"
      case .file(let text): text
      }
    }
  }

  /// Starts a server, runs a community on it, checks the result and writes the report. Blocks until
  /// then.
  ///
  /// - Parameters:
  ///   - options: Data set, days, seed and files.
  ///   - progress: Called on the calling thread with the number of simulated intervals and their
  ///     total.
  /// - Returns: All figures of the report.
  /// - Throws: `Failure`. A data folder from the options remains in any case.
  public static func run(
    _ options: Options, progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) throws(Failure) -> DemoResult {
    let model = try model(options)
    if let folder = options.dataFolder { try mustBeNew(folder) }
    let population = Population(of: model, seed: options.seed)
    let plan = CommunityPlan(model: model, population: population)
    let folder =
      options.dataFolder
      ?? FileManager.default.temporaryDirectory.path + "/joulebook-demo-\(UUID().uuidString)"
    defer { if options.dataFolder == nil { remove(folder) } }
    let played = try play(plan, options, folder, progress)
    let result = try check(played, plan, options.seed, folder)
    if let path = options.reportPath {
      do {
        try Data(ReportPage(result).html.utf8).write(to: URL(filePath: path))
      } catch {
        throw .file("cannot write \(path): \(DataFolder.reason(error))")
      }
    }
    return result
  }

  private static func model(_ options: Options) throws(Failure) -> CommunityModel {
    if let week = options.week, options.community != .simbench {
      throw .option(
        "--week \(week.rawValue): only the data set simbench has weeks to choose from")
    }
    let whole: CommunityModel
    do throws(CommunityDataError) {
      switch options.community {
      case .simbench: whole = try .simbench(options.week ?? .june)
      case .fontana: whole = try .fontana()
      case .swiss: whole = try .swiss()
      }
    } catch {
      throw .data(error)
    }
    guard let days = options.days else { return whole }
    guard (1...whole.days).contains(days) else {
      let name = options.community.rawValue
      let most = whole.days == 1 ? "1 day" : "\(whole.days) days; choose 1 to \(whole.days)"
      throw .option("--days \(days): the data set \(name) has \(most)")
    }
    return whole.first(days: days)
  }

  /// The demonstration makes a market of its own, from the first command on.
  private static func mustBeNew(_ folder: String) throws(Failure) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else {
      throw .option("--data \(folder): this is a file, not a folder")
    }
    let content: [String]
    do {
      content = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw .file("cannot read \(folder): \(DataFolder.reason(error))")
    }
    guard content.isEmpty else {
      throw .option(
        "--data \(folder): the folder is not empty, and the demonstration makes a new market; name "
          + "a folder that does not exist")
    }
  }

  private static func remove(_ folder: String) {
    do {
      try FileManager.default.removeItem(atPath: folder)
    } catch {
      // A temporary folder that remains does not affect the result.
      FileHandle.standardError.write(
        Data("cannot remove \(folder): \(DataFolder.reason(error))\n".utf8))
    }
  }

  /// Figures of a run after the server has drained.
  struct Played {
    var seconds: Double
    var latency: DemoResult.LatencyFigures
    var published: [BookOrder]
    var summary: Server.Summary?
    var configuration: Configuration
  }

  /// Starts a server, simulates the community and drains the server.
  private static func play(
    _ plan: CommunityPlan, _ options: Options, _ folder: String,
    _ progress: (Int, Int) -> Void
  ) throws(Failure) -> Played {
    var configuration = Configuration()
    (configuration.dataFolder, configuration.port) = (folder, options.port)
    configuration.clock = .driven
    configuration.capacity = .community
    // One settlement batch per hour of market time, which runs faster than the clock.
    configuration.settlement = BatchRules(nanoseconds: 3_600_000_000_000)
    let host: ServerHost
    do throws(StartError) { host = try ServerHost(configuration) } catch { throw .server(error) }
    defer { _ = host.stop() }
    let start = Client.monotonicNow()
    let venue: ServerVenue
    do throws(ClientError) {
      let credentials = try Credentials(
        session: SessionId(1), keyFile: DataFolder(folder).operatorKey)
      let keys = CommunityKeys(plan: plan, seed: options.seed)
      venue = try ServerVenue(
        plan: plan, keys: keys, host: "127.0.0.1", port: host.port, operatorKey: credentials)
      var run = CommunityRun(plan: plan, venue: venue, seed: options.seed)
      try run.play(
        setup: plan.setup(
          sessionKey: { keys.credentials($0).publicKey },
          meterKey: { PublicKey(keys.meter($0).publicKey) }), progress: progress)
      try venue.settleFeed()
    } catch {
      throw .client(error)
    }
    let seconds = Double(Client.monotonicNow() - start) / 1e9
    venue.close()
    return Played(
      seconds: seconds, latency: venue.latency, published: venue.published, summary: host.stop(),
      configuration: configuration)
  }

  /// Replays the journal twice, verifies the ledger and collects the result.
  private static func check(
    _ played: Played, _ plan: CommunityPlan, _ seed: UInt64, _ folder: String
  ) throws(Failure) -> DemoResult {
    let data = DataFolder(folder)
    var recorder = RunRecorder(model: plan.model, population: plan.population)
    let capacity = played.configuration.capacity
    let bare: ReplayReport
    do throws(StartError) {
      bare = try ReplayReport.run(data)
    } catch {
      throw .server(error)
    }
    do throws(JournalError) {
      let full = try Replay(data.journal, capacity, into: &recorder, begin: { $0.begin($1) })
      recorder.finish()
      var run = recorder.run
      run.seconds = played.seconds
      run.connections = plan.traders.count
      run.replayCommandsPerSecond = bare.commandsPerSecond
      var proofs = Proofs.conservation(
        plan: plan, totals: full.totals, cash: full.cash)
      proofs += try ledgerProof(played.configuration.ledgerLocation, full, &run)
      proofs.append(
        Proofs.replay(
          played.summary,
          [
            (Int(bare.commands), bare.eventHash, bare.stateHash),
            (full.commands, full.eventHash, full.stateHash),
          ]))
      proofs.append(Proofs.feed(played.published, full.openOrders))
      return DemoResult(
        setting: DemoResult.Setting(model: plan.model, population: plan.population, seed: seed),
        run: run, samples: recorder.samples, energy: recorder.total,
        baselines: recorder.baselines, deepestOverlap: recorder.deepestOverlap,
        customers: recorder.customers, batteryOwner: recorder.batteryOwner,
        latency: played.latency, proofs: proofs)
    } catch {
      throw .journal(error)
    }
  }

  private static func ledgerProof(
    _ location: LedgerLocation, _ replay: Replay, _ run: inout DemoResult.RunFigures
  ) throws(JournalError) -> [DemoResult.Proof] {
    do throws(LedgerError) {
      let ledger = try location.openForReading()
      let verification = try LedgerVerification.run(on: ledger)
      run.batches = Int(verification.head.batch)
      run.transfers = Int(verification.transfers)
      return [Proofs.ledger(verification, replay)]
    } catch {
      return [
        DemoResult.Proof(
          claim: "The ledger equals the engine", evidence: "the ledger cannot be read: \(error)",
          holds: false)
      ]
    }
  }
}
