import ExchangeCore
import GatewayBinary
import Glibc
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import TLS
import Transport

/// The whole exchange: connections, and assembled *inline* sequencer and exchange too, on the thread that
/// calls `run`; *pipelined* those on a thread beside it; the journal and the services on threads of their
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
    /// Settlement has stopped and an operator must look; the log says why.
    public var settlementHasStopped: Bool
    /// The ledger was waited for and may lack batches that the journal closes; the next start brings them.
    public var settlementIsBehind: Bool
  }

  /// Where it listens.
  public let host: String
  /// On which port; the one the system chose when 0 was asked for.
  public let port: UInt16
  /// The ports of the gateways beside the binary one, by their names.
  public let ports: [String: UInt16]
  /// Stops it, from any thread.
  public let stopper: Stopper

  private let configuration: Configuration
  private let transport: Transport
  private let front: Front
  private let stages: Stages
  private let durable: DurableServices?
  private let services: ServiceGroup
  /// Held as long as it runs: where the command is noted in which it ends.
  private let crash: CrashRecord?
  private let log: Logger

  /// Recovers the data folder and listens; clients are served by `run`.
  /// - Parameters:
  ///   - configuration: What was chosen.
  ///   - chosen: Keys that were set explicitly: those that the first start fixed must agree.
  ///   - clock: What the system's clock must agree with.
  ///   - refused: A command in which the last run ended: it goes on without it.
  ///   - options: Those of the command line that started it, but --data: for a line to type.
  ///   - gateways: Those that it has beside the binary one.
  ///   - given: Lifecycle and alarms; nothing per order.
  ///   - metrics: What GET /metrics shows: the text of the backend of swift-metrics in use.
  /// - Throws: what keeps it from starting; nothing was changed but a torn tail.
  public init(
    _ asked: Configuration, chosen: Set<String> = [], clock: ClockCheck = ClockCheck(),
    refusing refused: SequenceNumber? = nil, options: [String] = [],
    gateways: [GatewayPlan] = [], log given: Logger,
    metrics: @escaping @Sendable () -> String = { "" }
  ) throws(StartError) {
    var configuration = asked
    let alarms = AlarmCount()
    let log = alarms.watching(given)
    try DescriptorLimit.require(connections: Int(configuration.connections))
    let security = try Self.security(configuration)
    try Self.judgeFirstStart(clock, configuration)
    let lock = try Self.open(&configuration, chosen: chosen, refusing: refused)
    let transport = try Self.makeTransport(configuration)
    let (flag, wake) = (StopFlag(), transport.wakeHandle)
    let front = Front(
      Front.Setting(
        binary: configuration.gateway, others: gateways, versionFloor: SystemTime().wall,
        time: SystemTime(), alarms: alarms), transport, flag, log: log)
    crash = try Self.makeCrashRecord(lock, configuration, refused, options, log)
    var surroundings = ServerBuilder.Surroundings(
      journal: DataFolder(configuration.dataFolder).journal,
      openLedger: Self.ledger(configuration, log))
    surroundings.clock = clock
    surroundings.wake = { wake.wake() }
    surroundings.bell = configuration.assembly == .pipelined ? Doorbell() : nil
    let verifier = SignatureVerifier(configuration.gateway) { wake.wake() }
    surroundings.verifier = verifier
    let builder = ServerBuilder(configuration: configuration, surroundings: surroundings, log: log)
    let recovered = try builder.recover(lock, front.delivery, crash)
    let hasNewRefusal = recovered.hasNewRefusal
    let built = try builder.build(recovered, lock)
    (stages, durable) = (built.stages, built.durable)
    let health: HealthServer?
    do throws(StartError) {
      try Self.begin(stages.matching, front.delivery, configuration, hasNewRefusal, log)
      health = try Self.makeHealth(configuration, front.sampler.metrics, metrics)
      port = try Self.listen(transport, configuration, security)
      ports = try Self.listen(gateways, transport, security, log)
    } catch {
      stages.matching.close()
      throw error
    }
    host = configuration.host
    stopper = Stopper(flag: flag, wakeHandle: wake)
    (self.configuration, self.transport, self.log) = (configuration, transport, log)
    self.front = front
    front.turn.begin(stages)
    if let health {
      front.turn.watch()
      log.info("health and metrics can be asked for", metadata: ["port": "\(health.port)"])
    }
    if durable != nil, configuration.clock == .system { front.turn.watchBatches() }
    // Health is told as long as anything else works.
    services = ServiceGroup(
      [verifier] + (durable?.services ?? []) + (health.map { [$0] } ?? []))
    services.start()
  }

  /// "127.0.0.1:9100".
  public var address: String { Configuration.address(host: host, port: port) }

  /// Serves until it is stopped and everything taken in is applied, durable, delivered and settled.
  /// Once.
  /// - Returns: how it ended.
  public func run() -> Summary {
    stages.thread?({ $0.start() })
    transport.run(front.turn, serving: front.handlers, waiting: configuration.waiting)
    stages.thread?({ $0.end() })
    services.end()
    stages.matching.close()
    let summary = Summary(
      lastSequence: stages.matching.lastSequence, eventHash: stages.matching.exchange.eventHash,
      stateHash: stages.matching.exchange.stateHash(),
      settlementHasStopped: durable?.settlement.hasStopped ?? false,
      settlementIsBehind: durable?.settlement.isBehind ?? false)
    log.info("stopped", metadata: ["command": summary.lastSequence.field])
    return summary
  }

  /// - Returns: The lock of the journal's folder; `nil` when nothing is kept.
  private static func open(
    _ configuration: inout Configuration, chosen: Set<String>, refusing refused: SequenceNumber?
  ) throws(StartError) -> DirectoryLock? {
    let folder = DataFolder(configuration.dataFolder)
    try judge(folder, configuration, refused)
    do throws(ConfigurationError) {
      if configuration.journalKept == .none {
        try folder.mustBeUnused()
        try folder.create()
        return nil
      }
      try folder.create()
    } catch {
      throw .configuration(error)
    }
    let lock: DirectoryLock
    do throws(JournalError) {
      lock = try DirectoryLock(folder.journal)
    } catch {
      throw .journal(error)
    }
    do throws(ConfigurationError) {
      try folder.fixMarket(in: &configuration, chosen: chosen)
    } catch {
      throw .configuration(error)
    }
    return lock
  }

  /// Refuses what cannot be begun in this folder, before anything is written there.
  private static func judge(
    _ folder: DataFolder, _ configuration: Configuration, _ refused: SequenceNumber?
  ) throws(StartError) {
    var ledger = configuration.ledgerLocation
    do throws(ConfigurationError) {
      if configuration.journalKept == .disk {
        try folder.mustBeFolders()
        try folder.mustBeFiles()
        ledger = try folder.admitLedger(asked: configuration.ledger)
      }
    } catch {
      throw .configuration(error)
    }
    do throws(JournalError) {
      if configuration.journalKept == .disk { try folder.mustNotBeLost(beside: ledger) }
      guard let refused else { return }
      if configuration.journalKept == .none {
        throw .notRefusable(refused, "nothing is kept (journal.kept: none)")
      }
      if !folder.hasSegment {
        throw .notRefusable(
          refused, "\(folder.path) holds no journal (is it the folder of --data?)")
      }
    } catch {
      throw .journal(error)
    }
  }

  /// A first start with a wrong clock leaves nothing behind.
  private static func judgeFirstStart(
    _ clock: ClockCheck, _ configuration: Configuration
  ) throws(StartError) {
    guard configuration.clock == .system, configuration.journalKept == .disk,
      DataFolder(configuration.dataFolder).isNew
    else { return }
    _ = try clock.admit(wall: SystemTime().wall, last: nil)
  }

  /// - Returns: `nil` when nothing is kept.
  private static func makeCrashRecord(
    _ lock: DirectoryLock?, _ configuration: Configuration, _ refused: SequenceNumber?,
    _ options: [String], _ log: Logger
  ) throws(StartError) -> CrashRecord? {
    do throws(JournalError) {
      if let lock {
        let ledger = configuration.ledgerLocation
        let genesis = LedgerGenesis(rules: configuration.settlement)
        return try CrashRecord(
          lock, refusing: refused,
          startLine: CommandLineText.serve(options, data: configuration.dataFolder),
          openLedger: { () throws(LedgerError) in
            try ledger.exists ? try ledger.open(genesis: genesis) : nil
          }, log: log)
      }
      return nil
    } catch {
      throw .journal(error)
    }
  }

  /// The operator can log on from the first moment.
  private static func begin(
    _ market: MatchingStage, _ delivery: Delivery, _ configuration: Configuration,
    _ hasNewRefusal: Bool, _ log: Logger
  ) throws(StartError) {
    // From here on a replay that does not know of the refusal is found out.
    if hasNewRefusal { market.checkpoint(withStateHash: true) }
    do throws(ConfigurationError) {
      let commands = try OperatorKeys.bootstrap(
        delivery.view.reference, configuration, log: log)
      for command in commands { _ = market.take(command) }
    } catch {
      throw .configuration(error)
    }
    market.work()
    market.endTurn()
    while !market.isDurable { usleep(200) }
    market.deliver(to: delivery)
    if market.exchange.rules < RulesVersion.newest {
      log.notice(
        "this program knows newer rules; `joulebook admin rules` puts them in force",
        metadata: [
          "rules": "\(market.exchange.rules)", "newest": "\(RulesVersion.newest)",
        ])
    }
  }

  /// What opens the ledger of the data folder.
  private static func ledger(
    _ configuration: Configuration, _ log: Logger
  ) -> @Sendable () throws(LedgerError) -> any Ledger {
    let (location, genesis) = (
      configuration.ledgerLocation, LedgerGenesis(rules: configuration.settlement)
    )
    return { () throws(LedgerError) in
      let ledger = try location.open(genesis: genesis)
      for note in ledger.notes {
        log.warning("the ledger's files", metadata: ["note": "\(note)"])
      }
      return ledger
    }
  }

  /// - Returns: `nil` when nobody asked for it.
  private static func makeHealth(
    _ configuration: Configuration, _ sampled: ServerMetrics,
    _ page: @escaping @Sendable () -> String
  ) throws(StartError) -> HealthServer? {
    guard !configuration.health.isEmpty else { return nil }
    do throws(ConfigurationError) {
      let (host, port) = try Configuration.parseAddress(configuration.health)
      return try HealthServer(host: host, port: port, metrics: sampled, page: page)
    } catch {
      throw .configuration(error)
    }
  }

  /// - Returns: The port.
  private static func listen(
    _ transport: Transport, _ configuration: Configuration, _ security: TLSContext?
  ) throws(StartError) -> UInt16 {
    do throws(TransportError) {
      return try transport.listen(
        host: configuration.host, port: configuration.port, security: security)
    } catch {
      throw .transport(error)
    }
  }

  /// - Returns: The ports, by the gateways' names.
  private static func listen(
    _ gateways: [GatewayPlan], _ transport: Transport, _ security: TLSContext?, _ log: Logger
  ) throws(StartError) -> [String: UInt16] {
    var ports: [String: UInt16] = [:]
    for (index, gateway) in gateways.enumerated() {
      do throws(TransportError) {
        ports[gateway.name] = try transport.listen(
          host: gateway.host, port: gateway.port, security: security, handler: index + 1)
      } catch {
        throw .transport(error)
      }
      log.info(
        "a gateway listens",
        metadata: ["name": "\(gateway.name)", "port": "\(ports[gateway.name] ?? 0)"])
    }
    return ports
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
}
