import ArgumentParser
import Foundation
import JoulebookClient
import JoulebookServer
import Load
import MarketFile
import MarketModel
import TLS

/// `joulebook load`.
struct LoadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Sends load to an exchange and measures the latency of its answers.",
    discussion: """
      Messages are due at even intervals. A latency counts from the time when its message was due, \
      not from when it could be sent, so a stall of the server counts for every message that it \
      delayed. With --rate 0 each connection sends as soon as a message is answered; with \
      --ping-pong one message is sent at a time.

        joulebook load --embedded --rate 100000 --duration 10s --max-p99 1ms
        joulebook load --embedded --no-journal --rate 0 --connections 64
        joulebook load --embedded --ping-pong --server-wait spin
        joulebook load --embedded --meters 1000 --rate 0
        joulebook load --embedded --ping-pong --meters 1000 --rate 5000
        joulebook load --embedded --mix new=40,iceberg=10,cancel=45,ioc=5
        joulebook load --data my-exchange --flow A.flow --plot a.svg

      A line shows the answers per second and in total, the number of unanswered messages (open) and \
      the latencies so far: on a terminal every second in place of the last one, in a log every ten \
      seconds. In the result, sent, answered, rejected and late \
      include the warm-up; rate and latencies exclude it. Late are cancels and replaces that \
      arrived after their order had traded, which is no error. Exit code 0: done; 70: a limit \
      (--max-..., --min-...) was exceeded.

      On a running server the load creates an area, instruments, participants and accounts with \
      numbers from --base upwards, with the operator's key. They remain, and another load with the \
      same --base uses them again. The server's message rate limits apply to the load too \
      (client.messages).
      """)

  @Flag(help: "Start a server in this process; its data are removed at the end.") var embedded =
    false
  @Flag(name: .customLong("no-journal"), help: "The embedded server writes nothing to disk.")
  var noJournal = false
  @Option(
    name: .customLong("server-wait"), help: "How the embedded server waits: park, yield or spin.")
  var serverWait = Configuration.Wait.park.rawValue
  @Option(
    name: .customLong("set"),
    help: "KEY=VALUE sets one key of the embedded server's configuration. Repeatable.")
  var settings: [String] = []
  @Option(help: "ADDRESS:PORT of a running server.") var connect = "127.0.0.1:9100"
  @Option(
    help: "Data folder with the server's operator key; joulebook-data unless given.",
    completion: .directory,
    transform: folderName)
  var data = "joulebook-data"
  @Option(help: "Private key file; operator.key of the data folder unless given.") var key: String?
  @Option(help: "Session identity (number) of the operator.") var session: UInt32 = 1

  @OptionGroup var security: TLSOptions

  @Option(
    help: "Messages per second over all sessions; with --ping-pong, of the meters; 0: no limit.")
  var rate: UInt64 = 100_000
  @Option(help: "Number of sessions that send, 1 to 20000.") var connections = 4
  @Option(help: "Most unanswered messages per session, 1 to 16384.") var outstanding = 64
  @Option(help: "Relative shares of the kinds of messages.") var mix =
    "new=50,cancel=45,replace=0,ioc=5,iceberg=0"
  @Option(help: "Order-flow file (OBFLOW01) to send instead of the mix.") var flow: String?
  @Option(help: "Measured time, such as 10s or 500ms.") var duration = Span(milliseconds: 10_000)
  @Option(help: "Time before it that is not measured.") var warmUp = Span(milliseconds: 1_000)
  @Option(help: "Stop after this number of messages; 0: no limit.") var messages: UInt64 = 0
  @Flag(help: "Send one message at a time.") var pingPong = false
  @Option(help: "Meters that send readings instead of orders; with --ping-pong, beside the orders.")
  var meters = 0
  @Option(help: "Number of further sessions that send nothing.") var idle = 0
  @Option(help: "Number of instruments that the mix trades.") var instruments = 1
  @Option(help: "How the load waits: spin (sends on time, keeps a core busy) or park.")
  var wait = "spin"
  @Option(help: "Seed of orders and keys.") var seed: UInt64 = 1
  @Option(help: "Lowest number of the load's sessions, accounts, meters and instruments.") var base:
    UInt32 = 1_000

  @Option(
    help: "Output file of the latency distribution in us (HdrHistogram, .hgrm).",
    transform: newFileName)
  var histogram: String?
  @Option(help: "Output file of a plot of the distribution (SVG).", transform: newFileName)
  var plot: String?
  @Flag(help: "Print only the result.") var quiet = false

  @Option(name: .customLong("max-p50"), help: "Fail when the median exceeds this, such as 100us.")
  var maxP50: Span?
  @Option(name: .customLong("max-p99"), help: "Fail when p99 exceeds this, such as 1ms.")
  var maxP99: Span?
  @Option(name: .customLong("max-p999"), help: "Fail when p99.9 exceeds this, such as 5ms.")
  var maxP999: Span?
  @Option(name: .customLong("min-rate"), help: "Fail below this number of answers per second.")
  var minRate: Double?
  @Option(name: .customLong("max-rejects"), help: "Fail above this number of rejects.")
  var maxRejects: UInt64?

  func run() throws {
    let report: LoadReport
    DescriptorLimit.raise()
    do throws(LoadError) {
      report = try embedded ? runEmbedded(loadOptions()) : runConnected(loadOptions())
    } catch {
      throw Self.failure(error)
    }
    print(report.text)
    try write(report)
    let broken = limits.broken(by: report)
    for sentence in broken { printError("joulebook: \(sentence)") }
    if !broken.isEmpty { throw ExitCode(Failure.checkFailed.rawValue) }
  }

  private func loadOptions() throws(LoadError) -> LoadOptions {
    guard let shares = OrderMix(mix) else {
      throw .options(
        "--mix \(mix): write shares such as new=45,cancel=45,replace=2,ioc=5,iceberg=3")
    }
    guard ["spin", "park"].contains(wait) else { throw .options("--wait \(wait): spin or park") }
    var options = LoadOptions()
    (options.rate, options.connections, options.outstanding) = (rate, connections, outstanding)
    (options.mix, options.flow, options.isPingPong) = (shares, flow, pingPong)
    options.durationMilliseconds = max(1, duration.nanoseconds / 1_000_000)
    options.warmUpMilliseconds = warmUp.nanoseconds / 1_000_000
    (options.meters, options.idle, options.spins) = (meters, idle, wait == "spin")
    options.messages = messages
    (options.seed, options.base, options.instruments) = (seed, base, instruments)
    do throws(TLSError) {
      options.security = try security.context()
    } catch {
      throw .options("--tls-authorities: \(error)")
    }
    return options
  }

  private func runEmbedded(_ options: LoadOptions) throws(LoadError) -> LoadReport {
    var configuration = JoulebookServer.Configuration()
    do throws(ConfigurationError) {
      try configuration.set("wait", to: serverWait)
      if noJournal { try configuration.set("journal.kept", to: "none") }
      for setting in settings {
        let pair = setting.split(separator: "=", maxSplits: 1).map(String.init)
        guard pair.count == 2 else {
          throw ConfigurationError("--set \(setting): write key=value")
        }
        try configuration.set(pair[0], to: pair[1])
      }
    } catch {
      throw .options("\(error)")
    }
    return try Load.runEmbedded(options, configuration, isShown: !quiet)
  }

  private func runConnected(_ options: LoadOptions) throws(LoadError) -> LoadReport {
    let address: (host: String, port: UInt16)
    do throws(ConfigurationError) {
      address = try JoulebookServer.Configuration.parseAddress(connect)
    } catch {
      throw .options("--connect: \(error)")
    }
    let administrator: Credentials
    do throws(ClientError) {
      administrator = try Credentials(
        session: SessionId(session), keyFile: key ?? DataFolder(data).operatorKey)
    } catch {
      throw .client(error)
    }
    return try Load.run(
      options, on: LoadTarget(host: address.host, port: address.port),
      administrator: administrator, isShown: !quiet)
  }

  private var limits: LoadLimits {
    var limits = LoadLimits()
    let asked: [(Double, Span?)] = [(50, maxP50), (99, maxP99), (99.9, maxP999)]
    limits.latencies = asked.compactMap { percentile, span in
      span.map { (percentile, $0.nanoseconds) }
    }
    (limits.rate, limits.rejects) = (minRate, maxRejects)
    return limits
  }

  private func write(_ report: LoadReport) throws {
    if let histogram { try Self.write(report.hgrm, to: histogram) }
    if let plot {
      let title = "\(Int(report.rate)) answers a second, \(connections) connections"
      try Self.write(
        LatencyPlot(title: title, [("due to answered", report.latency)]).svg, to: plot)
    }
  }

  private static func write(_ text: String, to path: String) throws {
    do {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw Failure.io.exit("\(path) cannot be written: \(DataFolder.reason(error))")
    }
  }

  private static func failure(_ error: LoadError) -> ExitCode {
    switch error {
    case .options, .flow: Failure.configuration.exit("\(error)")
    case .client, .unanswered: Failure.unavailable.exit("\(error)")
    case .server(let error): Failure(error).exit("\(error)")
    case .setUp: Failure.refused.exit("\(error)")
    case .file: Failure.io.exit("\(error)")
    }
  }
}

/// A duration on the command line, in ns.
struct Span: ExpressibleByArgument {
  let nanoseconds: UInt64

  init(milliseconds: UInt64) { nanoseconds = milliseconds * 1_000_000 }

  /// Parses "10s", "500ms", "80us", "900ns" or "2m"; a number without a unit is in seconds.
  init?(argument: String) {
    let units: [(String, Int)] = [("ns", 0), ("us", 3), ("ms", 6), ("s", 9)]
    let unit = units.first { argument.hasSuffix($0.0) }
    let minutes = argument.hasSuffix("m")
    let number = argument.dropLast(unit?.0.count ?? (minutes ? 1 : 0))
    guard let value = DecimalText.units(number, places: unit?.1 ?? 9), value >= 0 else {
      return nil
    }
    nanoseconds = UInt64(value) * (minutes ? 60 : 1)
  }

  /// The duration in the largest unit of s, ms, us and ns that gives a whole number.
  var defaultValueDescription: String {
    let units: [(String, UInt64)] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)]
    let exact = units.first { nanoseconds.isMultiple(of: $0.1) }
    return exact.map { "\(nanoseconds / $0.1)\($0.0)" } ?? "\(nanoseconds)ns"
  }
}
