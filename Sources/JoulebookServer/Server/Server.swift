import ExchangeCore
import GatewayBinary
import Glibc
import Journaling
import LedgerSQLite
import Logging
import MarketModel
import Rings
import Settlement
import TLS
import Transport

/// The whole exchange: connections, and assembled *inline* sequencer and exchange too, on the thread that
/// calls `run`; *pipelined* those on a thread beside it; the journal and the follower on threads of their
/// own.
///
/// Made and run by one thread; only `stopper` may be used by others.
public final class Server {
  /// Stops a server from any thread.
  public struct Stopper: Sendable {
    let flag: StopFlag
    let wakeHandle: WakeHandle

    /// Makes the server drain and `run` return. Does nothing the second time.
    public func stop() {
      flag.raise()
      wakeHandle.wake()
    }
  }

  /// How a server ended.
  public struct Summary: Sendable, Equatable {
    /// Last command journaled.
    public var lastSequence: SequenceNumber
    /// Rolling hash over all events.
    public var eventHash: UInt64
    /// Hash of the whole state.
    public var stateHash: UInt64
  }

  /// Where it listens.
  public let host: String
  /// On which port; the one the system chose when 0 was asked for.
  public let port: UInt16
  /// Stops it, from any thread.
  public let stopper: Stopper

  private let configuration: Configuration
  private let transport: Transport
  private let assembly: Assembly
  private let market: MarketRoom
  private let keepers: Keepers?
  /// The follower's, the history's and the snapshots'.
  private let threads: [RoomThread]?
  private let readings: ReadingRoom
  private let readingThread: RoomThread
  private let pipeline: Pipeline?
  private var exchangeThread: RoomThread?
  private let health: HealthDesk?
  private let healthThread: RoomThread?
  private let log: Logger

  /// The rooms that write commands down and read them again; none when nothing is kept.
  private struct Keepers {
    let journal: JournalWriter
    let follower: Follower
    let history: HistoryDesk
    let snapshots: SnapshotDesk
  }

  /// Recovers the data folder and listens; clients are served by `run`.
  /// - Parameters:
  ///   - configuration: What was chosen.
  ///   - chosen: Keys that were set explicitly: those that the first start fixed must agree.
  ///   - log: Lifecycle and alarms; nothing per order.
  ///   - metrics: What GET /metrics shows: the text of the backend of swift-metrics in use.
  /// - Throws: what keeps it from starting; nothing was changed but a torn tail.
  public init(
    _ asked: Configuration, chosen: Set<String> = [], log: Logger,
    metrics: @escaping @Sendable () -> String = { "" }
  ) throws(StartError) {
    var configuration = asked
    let security = try Self.security(configuration)
    let lock = try Self.open(&configuration, chosen: chosen)
    let transport = try Self.makeTransport(configuration)
    let flag = StopFlag()
    let assembly = Assembly(
      transport: transport, flag: flag, log: log, gateway: configuration.gateway)
    let setting = MarketHistory.Setting(configuration)
    let recovered: Recovered
    if let lock {
      recovered = try Recovered.replay(lock, setting, gateway: assembly.gateway, log: log)
    } else {
      recovered = Recovered.nothing(capacity: configuration.capacity)
      log.warning("journal.kept is none: nothing is written, all is gone at the end")
    }
    let ingress = ManyProducerRing<Command>(capacity: Int(configuration.ingressCommands))
    let wake = transport.wakeHandle
    // Rung for the thread that has the market.
    let bell = configuration.assembly == .pipelined ? Doorbell() : nil
    let ring: @Sendable () -> Void = { if let bell { bell.ring() } else { wake.wake() } }
    let keepers = try Self.makeKeepers(
      lock, recovered.journal, behind: recovered.snapshot, ingress, configuration, transport, ring,
      log)
    let market = MarketRoom(
      recovered, journal: keepers?.journal, ingress: ingress, configuration: configuration,
      log: log)
    (assembly.market, assembly.follower, assembly.history) =
      (market, keepers?.follower, keepers?.history)
    assembly.snapshots = keepers?.snapshots
    do throws(ConfigurationError) {
      let commands = try OperatorKeys.bootstrap(assembly.gateway.directory, configuration, log: log)
      for command in commands { _ = market.take(command) }
      market.work()
      // The operator can log on from the first moment.
      market.endTurn()
      while !market.isDurable { usleep(200) }
      market.deliver(to: assembly.gateway)
    } catch {
      keepers?.journal.close()
      throw .configuration(error)
    }
    assembly.gateway.recovered()
    market.work()
    market.endTurn()
    do throws(ConfigurationError) {
      health = try Self.makeHealth(configuration, assembly.vitals, metrics)
    } catch {
      keepers?.journal.close()
      throw .configuration(error)
    }
    do throws(TransportError) {
      port = try transport.listen(
        host: configuration.host, port: configuration.port, security: security)
    } catch {
      keepers?.journal.close()
      throw .transport(error)
    }
    host = configuration.host
    stopper = Stopper(flag: flag, wakeHandle: transport.wakeHandle)
    (self.configuration, self.transport, self.assembly) = (configuration, transport, assembly)
    (self.market, self.keepers, self.log) = (market, keepers, log)
    if let health {
      assembly.watch()
      log.info("health and metrics on port \(health.port)")
      healthThread = RoomThread { health.run() }
    } else {
      healthThread = nil
    }
    pipeline = bell.map { bell in
      Pipeline(market, bell: bell, spins: configuration.wait == .spin) { wake.wake() }
    }
    assembly.pipeline = pipeline
    let readings = ReadingRoom(configuration.gateway) { wake.wake() }
    self.readings = readings
    assembly.readings = readings
    readingThread = RoomThread { readings.run() }
    threads = keepers.map { keepers in
      [
        RoomThread(.patient) { keepers.follower.run() }, RoomThread { keepers.history.run() },
        RoomThread(.patient) { keepers.snapshots.run() },
      ]
    }
  }

  /// "127.0.0.1:9100".
  public var address: String { Configuration.address(host: host, port: port) }

  /// Serves until it is stopped and everything taken in is applied, durable, delivered and settled.
  /// Once.
  /// - Returns: how it ended.
  public func run() -> Summary {
    if let pipeline { exchangeThread = RoomThread { pipeline.run() } }
    transport.run(assembly.gateway, waiting: configuration.waiting)
    pipeline?.end()
    exchangeThread?.join()
    readings.end()
    readingThread.join()
    threads?[0].join()
    keepers?.history.end()
    keepers?.snapshots.end()
    threads?[1].join()
    threads?[2].join()
    health?.end()
    healthThread?.join()
    keepers?.journal.close()
    let summary = Summary(
      lastSequence: market.sequencer.lastSequence, eventHash: market.exchange.eventHash,
      stateHash: market.exchange.stateHash())
    log.info("stopped behind command \(summary.lastSequence.rawValue)")
    return summary
  }

  /// - Returns: The lock of the journal's folder; `nil` when nothing is kept.
  private static func open(
    _ configuration: inout Configuration, chosen: Set<String>
  ) throws(StartError) -> DirectoryLock? {
    let folder = DataFolder(configuration.dataFolder)
    do throws(ConfigurationError) {
      if configuration.journalKept == .none {
        try folder.mustBeUnused()
        try folder.create()
        return nil
      }
      try folder.create()
      try folder.fixMarket(in: &configuration, chosen: chosen)
    } catch {
      throw .configuration(error)
    }
    do throws(JournalError) {
      return try DirectoryLock(folder.journal)
    } catch {
      throw .journal(error)
    }
  }

  private static func makeKeepers(
    _ lock: DirectoryLock?, _ recovered: RecoveredJournal?, behind snapshot: SequenceNumber,
    _ ingress: ManyProducerRing<Command>, _ configuration: Configuration, _ transport: Transport,
    _ ring: @escaping @Sendable () -> Void, _ log: Logger
  ) throws(StartError) -> Keepers? {
    guard let lock, let recovered else { return nil }
    let journal = try startJournal(lock, recovered, configuration, ring)
    let wake = transport.wakeHandle
    let folder = DataFolder(configuration.dataFolder)
    let genesis = LedgerGenesis(rules: configuration.settlement)
    let hold = JournalHold()
    let follower = Follower(
      Follower.Setting(
        journal: folder.journal,
        openLedger: { () throws(LedgerError) in
          try SQLiteLedger(path: folder.ledger, genesis: genesis)
        },
        market: MarketHistory.Setting(configuration), recovered: recovered.lastSequence,
        durable: { journal.durable }, ingress: ingress, wake: ring, hold: hold),
      log: log)
    let history = HistoryDesk(
      HistoryDesk.Setting(
        journal: folder.journal, market: MarketHistory.Setting(configuration),
        durable: { journal.durable }, wake: { wake.wake() }, hold: hold),
      log: log)
    let snapshots = SnapshotDesk(
      configuration.snapshots(
        folder.journal, found: snapshot, hold: hold, durable: { journal.durable }),
      log: log)
    return Keepers(
      journal: journal, follower: follower, history: history, snapshots: snapshots)
  }

  /// - Returns: `nil` when nobody asked for it.
  private static func makeHealth(
    _ configuration: Configuration, _ vitals: Vitals, _ metrics: @escaping @Sendable () -> String
  ) throws(ConfigurationError) -> HealthDesk? {
    guard !configuration.health.isEmpty else { return nil }
    let (host, port) = try Configuration.parseAddress(configuration.health)
    return try HealthDesk(host: host, port: port, vitals: vitals, page: metrics)
  }

  /// What clients' connections are secured with; `nil`: nothing.
  private static func security(
    _ configuration: Configuration
  ) throws(StartError) -> TLSContext? {
    let (certificate, key) = (configuration.tlsCertificate, configuration.tlsKey)
    if certificate.isEmpty && key.isEmpty { return nil }
    guard !certificate.isEmpty, !key.isEmpty else {
      throw .configuration(
        ConfigurationError("tls: certificate and key are given both, or neither"))
    }
    do throws(TLSError) {
      return try TLSContext(certificate: certificate, key: key)
    } catch {
      throw .configuration(ConfigurationError("tls: \(error)"))
    }
  }

  private static func makeTransport(
    _ configuration: Configuration
  ) throws(StartError) -> Transport {
    var options = Transport.Configuration()
    options.maximumConnections = Int(configuration.connections)
    options.sendBound = Int(configuration.sendBytes)
    do throws(TransportError) {
      return try Transport(options)
    } catch {
      throw .transport(error)
    }
  }

  private static func startJournal(
    _ lock: DirectoryLock, _ recovered: RecoveredJournal, _ configuration: Configuration,
    _ ring: @escaping @Sendable () -> Void
  ) throws(StartError) -> JournalWriter {
    var options = JournalWriter.Options()
    options.segmentBytes = Int(configuration.segmentBytes) & ~4095
    do throws(JournalError) {
      return try JournalWriter(lock, recovered, options: options, onDurable: { _ in ring() })
    } catch {
      throw .journal(error)
    }
  }
}
