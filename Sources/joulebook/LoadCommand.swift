import ArgumentParser
import Foundation
import JoulebookClient
import JoulebookServer
import Load
import MarketModel
import TLS

/// `joulebook load`.
struct LoadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Puts load on an exchange and measures its answers.",
    discussion: """
      Messages are due at even intervals; a latency counts from when its message was due, not from when it
      could be sent: a stall of the server shows in everything that it delayed. With --rate 0 each
      connection sends as soon as something is answered; with --ping-pong there is one message at a time.

        joulebook load --embedded --rate 100000 --duration 10s --max-p99 1ms
        joulebook load --embedded --no-journal --rate 0 --connections 64
        joulebook load --embedded --ping-pong --server-wait spin
        joulebook load --embedded --meters 1000 --rate 0
        joulebook load --embedded --ping-pong --meters 1000 --rate 5000
        joulebook load --embedded --mix new=40,iceberg=10,cancel=45,ioc=5
        joulebook load --connect 127.0.0.1:9100 --data my-exchange --flow A.flow --plot a.svg

      While it runs a line a second says what was answered in that second and so far, how many messages are
      without an answer (open), and the latencies so far. In the result, sent, answered, rejected and late
      count the warm-up too; rate and latencies do not. Late are cancels and replaces whose order had traded
      before they came: no fault. Exit code 0: done; 70: a limit (--max-..., --min-...) was broken.

      On a running server the load makes an area, instruments, participants and accounts of its own, with
      an operator's key and numbers from --base on. They stay, and a load with the same --base uses them
      again. The server's limits of messages a second hold for the load too (client.messages).
      """)

  @Flag(help: "Start a server in this process; its data go with it.") var embedded = false
  @Flag(name: .customLong("no-journal"), help: "The embedded server writes nothing to disk.")
  var noJournal = false
  @Option(
    name: .customLong("server-wait"), help: "How the embedded server waits: park, yield, spin.")
  var serverWait = Configuration.Wait.park.rawValue
  @Option(
    name: .customLong("set"), help: "One key of the embedded server's configuration: key=value.")
  var settings: [String] = []
  @Option(help: "A running server: address:port.") var connect = "127.0.0.1:9100"
  @Option(
    help: "Its data folder, where the operator's key is.", completion: .directory,
    transform: folderName)
  var data = "joulebook-data"
  @Option(help: "File of the operator's key, when it is not in the data folder.") var key: String?
  @Option(help: "The operator's session identity.") var session: UInt32 = 1

  @OptionGroup var security: TLSOptions

  @Option(
    help: "Messages a second, of all sessions; with --ping-pong of the meters; 0: no limit.")
  var rate: UInt64 = 100_000
  @Option(help: "Sessions that send.") var connections = 4
  @Option(help: "Messages of a session that may be unanswered.") var outstanding = 64
  @Option(help: "Shares of messages.") var mix = "new=50,cancel=45,replace=0,ioc=5,iceberg=0"
  @Option(help: "An order-flow file (OBFLOW01) instead of the mix.") var flow: String?
  @Option(help: "How long it is measured: 10s, 500ms.") var duration = Span(milliseconds: 10_000)
  @Option(help: "How long before that.") var warmUp = Span(milliseconds: 1_000)
  @Option(help: "End after so many messages, if that comes first.") var messages: UInt64 = 0
  @Flag(help: "One message at a time.") var pingPong = false
  @Option(help: "Meters that flood readings instead of orders, or beside one order at a time.")
  var meters = 0
  @Option(help: "Further sessions that say nothing.") var idle = 0
  @Option(help: "Instruments of the mix.") var instruments = 1
  @Option(help: "How the load waits: spin (leaves on time, keeps a core busy) or park.")
  var wait = "spin"
  @Option(help: "What orders and keys follow from.") var seed: UInt64 = 1
  @Option(help: "Lowest number of the load's accounts and so on.") var base: UInt32 = 1_000

  @Option(
    help: "File for the distribution of latencies in us (HdrHistogram, .hgrm).",
    transform: newFileName)
  var histogram: String?
  @Option(help: "File for a plot of it (SVG).", transform: newFileName) var plot: String?
  @Flag(help: "Say nothing but the result.") var quiet = false

  @Option(name: .customLong("max-p50"), help: "Fail above it, e.g. 100us.") var maxP50: Span?
  @Option(name: .customLong("max-p99"), help: "Fail above it.") var maxP99: Span?
  @Option(name: .customLong("max-p999"), help: "Fail above it.") var maxP999: Span?
  @Option(name: .customLong("min-rate"), help: "Fail below so many answers a second.")
  var minRate: Double?
  @Option(name: .customLong("max-rejects"), help: "Fail above so many rejects.")
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
      throw Failure.io.exit("\(path) cannot be written: \(error.localizedDescription)")
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

/// A length of time as people write it.
struct Span: ExpressibleByArgument {
  let nanoseconds: UInt64

  init(milliseconds: UInt64) { nanoseconds = milliseconds * 1_000_000 }

  /// "10s", "500ms", "80us", "900ns", "2m"; a bare number is seconds.
  init?(argument: String) {
    let units: [(String, Int)] = [("ns", 0), ("us", 3), ("ms", 6), ("s", 9)]
    let unit = units.first { argument.hasSuffix($0.0) }
    let minutes = argument.hasSuffix("m")
    let number = argument.dropLast(unit?.0.count ?? (minutes ? 1 : 0))
    guard let value = Decimal.parse(number, places: unit?.1 ?? 9), value >= 0 else { return nil }
    nanoseconds = UInt64(value) * (minutes ? 60 : 1)
  }

  /// In whole seconds where that is exact, else in the largest unit that is.
  var defaultValueDescription: String {
    let units: [(String, UInt64)] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)]
    let exact = units.first { nanoseconds.isMultiple(of: $0.1) }
    return exact.map { "\(nanoseconds / $0.1)\($0.0)" } ?? "\(nanoseconds)ns"
  }
}
