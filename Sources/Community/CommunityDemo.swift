import ExchangeCore
import Foundation
import JoulebookClient
import JoulebookServer
import Journaling
import MarketModel
import Settlement

/// The demonstration: a real server, real sessions, a community's days in fast-forward, and a report.
public enum CommunityDemo {
  /// Which community.
  public enum Community: String, Sendable, CaseIterable {
    /// A SimBench village, quarter hours.
    case simbench
    /// 17 homes in Fontana, hourly.
    case fontana
    /// 537 homes in Switzerland, quarter hours.
    case swiss
  }

  /// What can be chosen.
  public struct Options: Sendable {
    /// Which community.
    public var community = Community.simbench
    /// How many days, 1...7; `nil`: all that the data has.
    public var days: Int?
    /// What private values, roles and bots follow from.
    public var seed: UInt64 = 1
    /// Where the report is written; `nil`: nowhere.
    public var reportPath: String?
    /// Folder of journal and ledger, kept; `nil`: a temporary one, removed at the end.
    public var dataFolder: String?
    /// TCP port; 0: a free one.
    public var port: UInt16 = 0

    /// The defaults.
    public init() {}
  }

  /// Why a demonstration came to no end.
  public enum Failure: Error, CustomStringConvertible {
    /// The data cannot be used.
    case data(CommunityDataError)
    /// The option named cannot be.
    case option(String)
    /// The server did not start.
    case server(StartError)
    /// A session broke.
    case client(ClientError)
    /// The journal could not be replayed.
    case journal(JournalError)
    /// The ledger could not be read.
    case ledger(LedgerError)
    /// A file could not be written.
    case file(String)

    /// One line for a person.
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

  /// Runs a community against a server started for it; blocks until all is checked and written.
  ///
  /// - Parameters:
  ///   - options: What to run.
  ///   - progress: Hears how many intervals are done, of how many; on the calling thread.
  /// - Returns: everything that the report shows.
  /// - Throws: `Failure`; the data folder is kept when it was given.
  public static func run(
    _ options: Options, progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) throws(Failure) -> DemoResult {
    let model = try model(options)
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
        throw .file("cannot write \(path): \(error.localizedDescription)")
      }
    }
    return result
  }

  private static func model(_ options: Options) throws(Failure) -> CommunityModel {
    let whole: CommunityModel
    do throws(CommunityDataError) {
      switch options.community {
      case .simbench: whole = try .simbench()
      case .fontana: whole = try .fontana()
      case .swiss: whole = try .swiss()
      }
    } catch {
      throw .data(error)
    }
    guard let days = options.days else { return whole }
    guard (1...whole.days).contains(days) else {
      throw .option("--days \(days): the data has 1 to \(whole.days) days")
    }
    return whole.first(days: days)
  }

  private static func remove(_ folder: String) {
    do {
      try FileManager.default.removeItem(atPath: folder)
    } catch {
      // A temporary folder that stays behind is the system's to clear; the run is not wrong by it.
      FileHandle.standardError.write(Data("left behind: \(folder)\n".utf8))
    }
  }

  /// What is known when the server has drained.
  struct Played {
    var seconds: Double
    var latency: DemoResult.LatencyFigures
    var published: [BookOrder]
    var summary: Server.Summary?
    var configuration: Configuration
  }

  /// Starts a server, plays the community, drains the server.
  private static func play(
    _ plan: CommunityPlan, _ options: Options, _ folder: String,
    _ progress: (Int, Int) -> Void
  ) throws(Failure) -> Played {
    var configuration = Configuration()
    (configuration.dataFolder, configuration.port) = (folder, options.port)
    configuration.clock = .driven
    configuration.capacity = .community
    // Market time runs fast: a batch an hour of it.
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

  /// Replays the journal twice, reads the ledger, and gathers the result.
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
        run: run, samples: recorder.samples, energy: recorder.total, alone: recorder.alone,
        deepestOverlap: recorder.deepestOverlap, customers: recorder.customers,
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
          claim: "The ledger is the engine", evidence: "the ledger cannot be read: \(error)",
          holds: false)
      ]
    }
  }
}
