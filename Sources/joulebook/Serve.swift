import ArgumentParser
import CoreMetrics
import Foundation
import JoulebookServer
import Journaling
import Logging
import MarketModel

/// `joulebook serve`.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs an exchange until SIGTERM or SIGINT.",
    discussion: """
      Without options it listens on 127.0.0.1:9100 and keeps its data in ./joulebook-data. The first
      start makes an operator key pair there, for `joulebook admin`.

        joulebook serve --data my-exchange --listen 127.0.0.1:0
        joulebook serve --print-default-config > joulebook.yaml
        joulebook serve --config joulebook.yaml --set wait=spin
        joulebook serve --data my-exchange --set ledger=sqlite:/var/lib/books/ledger.sqlite
        joulebook serve --data my-exchange --refuse 4711

      SIGHUP reads the configuration again and takes over the log's level. SIGTERM and SIGINT drain: what was taken is applied, written and answered. A second one ends the
      process at once, which loses nothing that was acknowledged.
      """)

  @Option(name: .long, help: "Configuration file (YAML).", completion: .file())
  var config: String?
  @Option(name: .long, help: "Data folder.", completion: .directory, transform: folderName)
  var data: String?
  @Option(name: .long, help: "address:port; port 0 is a free one.")
  var listen: String?
  @Option(name: .customLong("set"), help: "One key of the configuration: key=value. Repeatable.")
  var settings: [String] = []
  @Flag(
    name: .long,
    help:
      "Accepts the system's clock for this start, however far it is from the journal's last time.")
  var acceptTime = false
  @Option(
    name: .long, help: "Goes on without the command in which the last run ended (docs/RUNBOOK.md).")
  var refuse: UInt64?
  @Flag(name: .long, help: "Prints the configuration file with every default, and ends.")
  var printDefaultConfig = false

  func run() throws {
    if printDefaultConfig {
      print(JoulebookServer.Configuration().yaml, terminator: "")
      return
    }
    let (configuration, chosen) = try read()
    SignalWatch.arm()
    CrashHandler.install()
    let threshold = LogThreshold(Self.level(configuration))
    LoggingSystem.bootstrap { AdjustableLog($0, threshold) }
    let page = MetricsPage()
    MetricsSystem.bootstrap(page)
    let log = Logger(label: "joulebook")
    let server = try start(configuration, chosen, log, page)
    let stopper = server.stopper
    _ = SignalWatch.start(
      stop: { name in
        log.info("asked to end", metadata: ["signal": "\(name)"])
        stopper.stop()
      }, reload: { [self] in reload(threshold, log) })
    print("listening on \(server.address)")
    fflush(nil)
    let summary = server.run()
    print("stopped behind command \(summary.lastSequence.rawValue)")
    print("event hash \(hexadecimal(summary.eventHash))")
    print("state hash \(hexadecimal(summary.stateHash))")
    if summary.settlementHasStopped {
      throw Failure.checkFailed.exit(
        "settlement has stopped: the log's ALARM says what must be mended, and the runbook how. What the "
          + "ledger lacks is brought to it from the journal by a start after that")
    }
    if summary.settlementIsBehind {
      throw Failure.temporary.exit(
        "the ledger was waited for, and may lack batches that the journal closes: the next start brings them "
          + "to it. The log says what it waited for")
    }
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

  /// SIGHUP: reads the configuration again. Only the log's level is taken over while the server runs.
  private func reload(_ threshold: LogThreshold, _ log: Logger) {
    do throws(ConfigurationError) {
      let (configuration, _) = try readSettings()
      threshold.value = Self.level(configuration)
      log.notice(
        "SIGHUP: the log's level is taken over; other keys wait for a restart",
        metadata: ["log": "\(configuration.logLevel.rawValue)"])
    } catch {
      log.error("SIGHUP: everything stays as it is", metadata: ["error": "\(error)"])
    }
  }

  private func read() throws -> (JoulebookServer.Configuration, Set<String>) {
    do throws(ConfigurationError) {
      return try readSettings()
    } catch {
      throw Failure.configuration.exit("\(error)")
    }
  }

  /// The file, then the options, which win.
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

  /// What must be typed again beside --data to start the same server.
  private var optionsButData: [String] {
    var words: [String] = []
    if let config { words += ["--config", CommandLineText.absolute(config)] }
    if let listen { words += ["--listen", listen] }
    for setting in settings where !setting.hasPrefix("data=") { words += ["--set", setting] }
    return words
  }

  private func options() throws(ConfigurationError) -> [(String, String)] {
    var pairs: [(String, String)] = []
    if let data { pairs.append(("data", data)) }
    if let listen { pairs.append(("listen", listen)) }
    for setting in settings {
      guard let equals = setting.firstIndex(of: "=") else {
        throw ConfigurationError("--set \(setting): write key=value")
      }
      pairs.append((String(setting[..<equals]), String(setting[setting.index(after: equals)...])))
    }
    return pairs
  }
}
