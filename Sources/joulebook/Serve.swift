import ArgumentParser
import Foundation
import JoulebookServer
import Logging

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

      SIGTERM and SIGINT drain: what was taken is applied, written and answered. A second one ends the
      process at once, which loses nothing that was acknowledged.
      """)

  @Option(name: .long, help: "Configuration file (YAML).", completion: .file())
  var config: String?
  @Option(name: .long, help: "Data folder.", completion: .directory)
  var data: String?
  @Option(name: .long, help: "address:port; port 0 is a free one.")
  var listen: String?
  @Option(name: .customLong("set"), help: "One key of the configuration: key=value. Repeatable.")
  var settings: [String] = []
  @Flag(name: .long, help: "Prints the configuration file with every default, and ends.")
  var printDefaultConfig = false

  func run() throws {
    if printDefaultConfig {
      print(JoulebookServer.Configuration().yaml, terminator: "")
      return
    }
    let (configuration, chosen) = try read()
    SignalWatch.arm()
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var log = Logger(label: "joulebook")
    log.logLevel = Logger.Level(rawValue: configuration.logLevel.rawValue) ?? .info
    let server = try start(configuration, chosen, log)
    let (stopper, signals) = (server.stopper, log)
    _ = SignalWatch.start { name in
      signals.info("\(name)")
      stopper.stop()
    }
    print("listening on \(server.address)")
    fflush(nil)
    let summary = server.run()
    print("stopped behind command \(summary.lastSequence.rawValue)")
    print("event hash \(hexadecimal(summary.eventHash))")
    print("state hash \(hexadecimal(summary.stateHash))")
  }

  private func start(
    _ configuration: JoulebookServer.Configuration, _ chosen: Set<String>, _ log: Logger
  ) throws -> Server {
    do throws(StartError) {
      return try Server(configuration, chosen: chosen, log: log)
    } catch {
      throw Failure(error).exit("\(error)")
    }
  }

  /// The file, then the options, which win.
  private func read() throws -> (JoulebookServer.Configuration, Set<String>) {
    var configuration = JoulebookServer.Configuration()
    var chosen: Set<String> = []
    do throws(ConfigurationError) {
      if let config {
        try configuration.read(yaml: DataFolder.text(of: config), name: config, noting: &chosen)
      }
      for (key, value) in try options() {
        try configuration.set(key, to: value)
        chosen.insert(key)
      }
    } catch {
      throw Failure.configuration.exit("\(error)")
    }
    return (configuration, chosen)
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
