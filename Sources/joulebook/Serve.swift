import ArgumentParser
import CoreMetrics
import Foundation
import JoulebookServer
import Journaling
import Logging
import MarketFile
import MarketModel

/// `joulebook serve`.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs an exchange until SIGTERM or SIGINT.",
    discussion: """
      Without options it listens on 127.0.0.1:9100 and stores its data in ./joulebook-data. The \
      first start makes an operator key pair there, which `joulebook admin` uses.

        joulebook serve --data my-exchange --listen 127.0.0.1:0
        joulebook serve --print-default-config > joulebook.yaml
        joulebook serve --config joulebook.yaml --set wait=spin
        joulebook serve --data my-exchange --market village.yaml
        joulebook serve --data my-exchange --set ledger=sqlite:/mnt/ledger.sqlite
        joulebook serve --data my-exchange --refuse 4711
        joulebook serve --data my-exchange --recover-operator new.pub

      "listening on ADDRESS" on standard output says that it is ready; to a service manager that sets \
      NOTIFY_SOCKET (systemd, Type=notify) it says READY=1 then, and STOPPING=1 when it drains. \
      `joulebook wait` waits until it answers.

      SIGHUP reads the configuration again and applies its log level; other keys need a restart. \
      SIGTERM and SIGINT drain: every accepted command is applied, written and answered before the \
      process ends. A second signal ends the process at once; acknowledged commands are on disk.
      """)

  @Option(name: .long, help: "Configuration file (YAML).", completion: .file())
  var config: String?
  @Option(
    name: .long, help: "Data folder; joulebook-data unless given.", completion: .directory,
    transform: folderName)
  var data: String?
  @Option(
    name: .long, help: "ADDRESS:PORT to listen on; with port 0 the system chooses a free port.")
  var listen: String?
  @Option(
    name: .customLong("set"), help: "KEY=VALUE sets one key of the configuration. Repeatable.")
  var settings: [String] = []
  @Flag(
    name: .long,
    help: "Allow plain TCP on an address that others can reach (insecure: true).")
  var insecure = false
  @Flag(
    name: .long,
    help:
      "Accept the system's clock at this start, however far it is ahead of the journal's last time."
  )
  var acceptTime = false
  @Option(
    name: .long,
    help: "Market file (YAML): makes what it defines and is missing (see joulebook market --help).",
    completion: .file())
  var market: String?
  @Option(
    name: .long, help: "Skip this command, on which the last run crashed (see docs/RUNBOOK.md).")
  var refuse: UInt64?
  @Option(
    name: .long,
    help: "Replace the key of the operator's session 1 by the one in this file (docs/RUNBOOK.md).")
  var recoverOperator: String?
  @Flag(name: .long, help: "Print a configuration file with every default and exit.")
  var printDefaultConfig = false

  func run() throws {
    if printDefaultConfig {
      print(JoulebookServer.Configuration().yaml, terminator: "")
      return
    }
    var (configuration, chosen) = try read()
    if let recoverOperator {
      configuration.recoveredOperator = try AdminCommand.publicKey(recoverOperator)
    }
    configuration.marketFile = try readMarket(configuration)
    SignalWatch.arm()
    CrashHandler.install()
    let threshold = LogThreshold(Self.level(configuration))
    LoggingSystem.bootstrap { AdjustableLog($0, threshold) }
    let page = MetricsPage()
    MetricsSystem.bootstrap(page)
    let log = Logger(label: "joulebook")
    let target = StopTarget(log: log)
    _ = SignalWatch.start(
      stop: {
        ServiceManager.notify("STOPPING=1\nSTATUS=draining")
        target.stop($0)
      }, reload: { [self] in reload(threshold, log) })
    let server = try start(configuration, chosen, log, page)
    target.serve(server.stopper)
    print("listening on \(server.address)")
    fflush(nil)
    ServiceManager.notify("READY=1\nSTATUS=listening on \(server.address)")
    let summary = server.run()
    print("stopped after command \(summary.lastSequence.rawValue)")
    print("event hash \(hexadecimal(summary.eventHash))")
    print("state hash \(hexadecimal(summary.stateHash))")
    if summary.settlementHasStopped {
      throw Failure.checkFailed.exit(
        "settlement has stopped: the log line with ALARM names the fault, and docs/RUNBOOK.md the "
          + "remedy. The next start then settles the missing batches from the journal")
    }
    if summary.settlementIsBehind {
      throw Failure.temporary.exit(
        "the ledger did not accept all batches before the end: the next start settles the rest "
          + "from the journal. The log names the cause")
    }
  }

  /// Reads the market file, and checks it against a market in memory before a new data folder is
  /// made for it.
  private func readMarket(
    _ configuration: JoulebookServer.Configuration
  ) throws -> MarketDescription? {
    guard let market else { return nil }
    let file = try MarketCommand.read(market)
    let faults = MarketTrial.faultsOfFirstStart(file, in: configuration)
    guard faults.isEmpty else {
      throw Failure.configuration.exit(faults.joined(separator: "\n"))
    }
    return file
  }

  private func start(
    _ configuration: JoulebookServer.Configuration, _ chosen: Set<String>, _ log: Logger,
    _ page: MetricsPage
  ) throws -> Server {
    do throws(StartError) {
      let clock = ClockCheck(program: ClockCheck.programTime, acceptsTime: acceptTime)
      return try Server(
        configuration, chosen: chosen, clock: clock, refusing: refuse.map { SequenceNumber($0) },
        options: optionsButData, log: log, metrics: { page.text })
    } catch {
      throw Failure(error).exit("\(error)")
    }
  }

  private static func level(_ configuration: JoulebookServer.Configuration) -> Logger.Level {
    Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
  }

  /// Handles SIGHUP: reads the configuration again and applies its log level. All other keys apply
  /// at the next start.
  private func reload(_ threshold: LogThreshold, _ log: Logger) {
    do throws(ConfigurationError) {
      let (configuration, _) = try readSettings()
      threshold.value = Self.level(configuration)
      log.notice(
        "SIGHUP: the log level was applied; other keys need a restart",
        metadata: ["log": "\(configuration.logLevel.rawValue)"])
    } catch {
      log.error(
        "SIGHUP: the configuration cannot be read and was not applied",
        metadata: ["error": "\(error)"])
    }
  }

  private func read() throws -> (JoulebookServer.Configuration, Set<String>) {
    do throws(ConfigurationError) {
      return try readSettings()
    } catch {
      throw Failure.configuration.exit("\(error)")
    }
  }

  /// Reads the configuration file, then applies the options, which take precedence.
  private func readSettings() throws(ConfigurationError) -> (
    JoulebookServer.Configuration, Set<String>
  ) {
    var configuration = JoulebookServer.Configuration()
    var chosen: Set<String> = []
    if let config {
      try configuration.read(yaml: DataFolder.text(of: config), name: config, noting: &chosen)
    }
    for (key, value) in try options() {
      try configuration.set(key, to: value)
      chosen.insert(key)
    }
    return (configuration, chosen)
  }

  /// The options except --data that start the same server again. The server prints them with the
  /// line to type for --refuse.
  private var optionsButData: [String] {
    var words: [String] = []
    if let config { words += ["--config", CommandLineText.absolute(config)] }
    if let listen { words += ["--listen", listen] }
    if insecure { words.append("--insecure") }
    if let market { words += ["--market", CommandLineText.absolute(market)] }
    for setting in settings where !setting.hasPrefix("data=") { words += ["--set", setting] }
    return words
  }

  private func options() throws(ConfigurationError) -> [(String, String)] {
    var pairs: [(String, String)] = []
    if let data { pairs.append(("data", data)) }
    if let listen { pairs.append(("listen", listen)) }
    if insecure { pairs.append(("insecure", "true")) }
    for setting in settings {
      guard let equals = setting.firstIndex(of: "="), equals > setting.startIndex else {
        throw ConfigurationError("--set \(setting): write KEY=VALUE")
      }
      pairs.append((String(setting[..<equals]), String(setting[setting.index(after: equals)...])))
    }
    return pairs
  }
}
