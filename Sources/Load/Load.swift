import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel

/// Sends load to an exchange and measures the latency of its answers.
public enum Load {
  /// Creates the load's accounts on a running server, connects its sessions and runs the load.
  /// - Parameters:
  ///   - administrator: Credentials of an operator.
  ///   - isShown: Whether progress is printed on standard error.
  /// - Returns: The measured rates and latencies.
  /// - Throws: `LoadError` when the options are invalid, a session ends or a message is not
  ///   answered.
  public static func run(
    _ options: LoadOptions, on target: LoadTarget, administrator: Credentials,
    isShown: Bool = true
  ) throws(LoadError) -> LoadReport {
    if let fault = options.fault { throw .options(fault) }
    let flow: FlowFile? =
      if let path = options.flow { try FlowFile(path: path) } else { nil }
    let market = Self.market(options, flow)
    let (clients, idle) = try connect(options, market, target, administrator)
    defer { for client in clients + idle { client.close() } }
    let prices = PriceBand(first: market.instrument(0), count: market.instruments)
    let sessions = clients.enumerated().map { index, client in
      LoadSession(
        client, accounts: (market.account(2 * index), market.account(2 * index + 1)),
        outstanding: options.isPingPong ? 1 : options.outstanding, prices: prices)
    }
    let progress = LoadProgress(isShown: isShown)
    if options.isPingPong, options.meters > 0 {
      return try pingPongBesideMeters(options, market, sessions, progress)
    }
    if options.isPingPong { return try pingPong(options, sessions[0], progress) }
    if options.meters > 0 { return try flood(options, market, sessions, progress) }
    return try orders(options, market, flow, sessions, idle, progress)
  }

  /// Starts a server in this process, runs the load on it and stops it.
  /// - Parameter configuration: Configuration of the server. Its capacity and limits are raised to
  ///   what the load needs; its data folder is a temporary one that is removed at the end.
  /// - Returns: The measured rates and latencies.
  /// - Throws: As `run`, and `.server` when the server does not start.
  public static func runEmbedded(
    _ options: LoadOptions, _ configuration: Configuration = Configuration(),
    isShown: Bool = true
  ) throws(LoadError) -> LoadReport {
    if let fault = options.fault { throw .options(fault) }
    let folder = NSTemporaryDirectory() + "joulebook-load-\(getpid())-\(options.seed)"
    var configuration = configuration
    (configuration.dataFolder, configuration.port) = (folder, 0)
    let flow: FlowFile? =
      if let path = options.flow { try FlowFile(path: path) } else { nil }
    configuration.raiseLimits(for: market(options, flow), options)
    let host: ServerHost
    do throws(StartError) {
      host = try ServerHost(configuration)
    } catch {
      throw .server(error)
    }
    defer {
      host.stop()
      do {
        try FileManager.default.removeItem(atPath: folder)
      } catch {
        print("\(folder) cannot be removed: \(DataFolder.reason(error))")
      }
    }
    let administrator: Credentials
    do throws(ClientError) {
      administrator = try Credentials(
        session: SessionId(1), keyFile: DataFolder(folder).operatorKey)
    } catch {
      throw .client(error)
    }
    return try run(
      options, on: LoadTarget(host: "127.0.0.1", port: host.port), administrator: administrator,
      isShown: isShown)
  }

  // MARK: Kinds of runs

  private static func orders(
    _ options: LoadOptions, _ market: LoadMarket, _ flow: FlowFile?, _ sessions: [LoadSession],
    _ idle: [Client], _ progress: LoadProgress
  ) throws(LoadError) -> LoadReport {
    var cursor: FlowCursor?
    if let flow { cursor = try FlowCursor(flow, market) }
    let run = LoadRun(options, sessions: sessions, idle: idle, flow: cursor, progress: progress)
    try run.run()
    var agrees: Bool?
    // With several connections the exchange may receive the messages in another order than the
    // file's.
    if let flow, sessions.count == 1, run.isComplete {
      agrees =
        run.tally.trades + run.prefillTrades.count == 2 * flow.trades
        && UInt64(run.tally.volume + run.prefillTrades.volume) == 2 * flow.volume
    }
    return LoadReport(run.tally, nanoseconds: run.measuredNanoseconds, agreesWithFlow: agrees)
  }

  private static func pingPong(
    _ options: LoadOptions, _ session: LoadSession, _ progress: LoadProgress
  ) throws(LoadError) -> LoadReport {
    var run = PingPong(options, session, progress: progress)
    try run.run()
    return LoadReport(run.tally, nanoseconds: run.measuredNanoseconds)
  }

  /// Sends one order at a time while a second thread floods meter readings on another session.
  private static func pingPongBesideMeters(
    _ options: LoadOptions, _ market: LoadMarket, _ sessions: [LoadSession],
    _ progress: LoadProgress
  ) throws(LoadError) -> LoadReport {
    var flooding = options
    // Only the session with the orders spins; the flood sleeps between its polls.
    flooding.spins = false
    let flood = try MeterFlood(
      flooding, market, sessions: [sessions[1]], progress: LoadProgress(isShown: false))
    let thread = FloodThread(flood)
    var report: LoadReport?
    var failure: LoadError?
    do throws(LoadError) {
      report = try pingPong(options, sessions[0], progress)
    } catch {
      failure = error
    }
    try thread.join()
    if let failure { throw failure }
    guard var report else { preconditionFailure("a run has a report or a failure") }
    report.readings = LoadReport(flood.tally, nanoseconds: flood.measuredNanoseconds).rate
    return report
  }

  /// A thread that runs a flood of readings. Only this thread uses the flood until `join` returns.
  private final class FloodThread: @unchecked Sendable {
    // Written by the thread before it signals `done`; read by `join` after the wait.
    private var failure: LoadError?
    private let done = DispatchSemaphore(value: 0)

    init(_ flood: MeterFlood) {
      nonisolated(unsafe) let flood = flood
      Thread { [self] in
        do throws(LoadError) {
          try flood.run()
        } catch {
          failure = error
        }
        done.signal()
      }.start()
    }

    func join() throws(LoadError) {
      done.wait()
      if let failure { throw failure }
    }
  }

  private static func flood(
    _ options: LoadOptions, _ market: LoadMarket, _ sessions: [LoadSession],
    _ progress: LoadProgress
  ) throws(LoadError) -> LoadReport {
    let run = try MeterFlood(options, market, sessions: sessions, progress: progress)
    try run.run()
    return LoadReport(run.tally, nanoseconds: run.measuredNanoseconds)
  }

  // MARK: Preparation

  private static func market(_ options: LoadOptions, _ flow: FlowFile?) -> LoadMarket {
    let isBeside = options.isPingPong && options.meters > 0
    let traders = isBeside ? 2 : options.isPingPong ? 1 : options.connections
    return LoadMarket(
      base: options.base, traders: traders, idle: options.idle,
      accounts: max(2 * traders, flow?.accounts ?? 0, options.meters * (isBeside ? 2 : 1)),
      instruments: flow?.symbols ?? options.instruments, lowest: flow?.lowest ?? PriceBand.lowest,
      highest: flow?.highest ?? PriceBand.highest, seed: options.seed)
  }

  private static func connect(
    _ options: LoadOptions, _ market: LoadMarket, _ target: LoadTarget,
    _ administrator: Credentials
  ) throws(LoadError) -> (traders: [Client], idle: [Client]) {
    var session = Client.Options()
    session.security = options.security
    let operatorClient = try client(target, administrator, session)
    defer { operatorClient.close() }
    try market.make(by: operatorClient)
    var clients: [Client] = []
    session.keepAliveMilliseconds = 60_000
    for index in 0..<(market.traders + market.idle) {
      session.bufferBytes = index < market.traders ? 1 << 18 : 1 << 12
      clients.append(try client(target, market.credentials(index), session))
    }
    let traders = Array(clients[..<market.traders])
    try market.creditEnergy(over: traders)
    return (traders, Array(clients[market.traders...]))
  }

  private static func client(
    _ target: LoadTarget, _ credentials: Credentials, _ options: Client.Options
  ) throws(LoadError) -> Client {
    do throws(ClientError) {
      return try Client(
        host: target.host, port: target.port, credentials: credentials, options: options)
    } catch {
      throw .client(error)
    }
  }
}

extension Configuration {
  /// Raises the capacity to the size of the load's market, and the message limits beyond any load.
  fileprivate mutating func raiseLimits(for market: LoadMarket, _ options: LoadOptions) {
    let number = { (count: Int) in UInt32(count) + market.base + 16 }
    let sessions = number(market.traders + market.idle)
    connections = min(65_535, UInt32(market.traders + market.idle + 16))
    (capacity.participants, capacity.sessions) = (sessions, sessions)
    capacity.accounts = number(market.accounts)
    capacity.meters = number(market.accounts)
    capacity.positions = UInt32(2 * market.accounts + 64)
    capacity.areas = UInt32(market.area.rawValue) + 1
    capacity.instruments = number(market.instruments)
    capacity.orders = 1 << 22
    capacity.priceLevels = 1 << 20
    (messageLimit, messageCutoff) = (1 << 30, 1 << 30)
    workLimit = 1 << 30
    (cancelLimit, cancelCutoff) = (1 << 30, 1 << 30)
  }
}
