import Foundation
import JoulebookClient
import JoulebookServer
import MarketModel

/// Puts load on an exchange.
public enum Load {
  /// Makes accounts on a running server with an operator's key, connects and runs the load.
  /// - Parameters:
  ///   - administrator: An operator's session.
  ///   - isShown: Whether progress is said on standard error.
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
  /// - Parameter configuration: Of the server; its capacity and limits are made large enough, its data are
  ///   kept in a folder that goes with it.
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
    configuration.makeRoom(for: market(options, flow), options)
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
        print("\(folder) cannot be removed: \(error.localizedDescription)")
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

  // MARK: What is run

  private static func orders(
    _ options: LoadOptions, _ market: LoadMarket, _ flow: FlowFile?, _ sessions: [LoadSession],
    _ idle: [Client], _ progress: LoadProgress
  ) throws(LoadError) -> LoadReport {
    var cursor: FlowCursor?
    if let flow { cursor = try FlowCursor(flow, market) }
    let run = LoadRun(options, sessions: sessions, idle: idle, flow: cursor, progress: progress)
    try run.run()
    var agrees: Bool?
    // Over several connections the exchange may see another order of messages than the file has.
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

  /// One order at a time, while another session floods readings on a thread of its own.
  private static func pingPongBesideMeters(
    _ options: LoadOptions, _ market: LoadMarket, _ sessions: [LoadSession],
    _ progress: LoadProgress
  ) throws(LoadError) -> LoadReport {
    var flooding = options
    // The orders alone are to find a core awake.
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

  /// Runs a flood beside something else. The flood is the thread's until `join`.
  private final class FloodThread: @unchecked Sendable {
    // Written before the semaphore is signalled, read after it was waited for.
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

  // MARK: Before it

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
    try market.fill(traders)
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
  /// Room for the load's market, and limits that the load cannot meet.
  fileprivate mutating func makeRoom(for market: LoadMarket, _ options: LoadOptions) {
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
    (cancelLimit, cancelCutoff) = (1 << 30, 1 << 30)
  }
}
