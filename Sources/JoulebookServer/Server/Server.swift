import ExchangeCore
import GatewayBinary
import GatewayKit
import Glibc
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import TLS
import Transport

/// A complete exchange. In the *inline* assembly the thread that calls `run` serves the connections
/// and also runs the sequencer and the exchange; in the *pipelined* assembly these run on a second
/// thread. The journal and the services always have their own threads.
///
/// Made and run by one thread; only `stopper` may be used by others.
public final class Server {
  /// Stops a server from any thread.
  public struct Stopper: Sendable {
    let flag: StopFlag
    let wakeHandle: WakeHandle

    /// Begins the orderly shutdown, after which `run` returns. Calling it again has no effect.
    public func stop() {
      flag.raise()
      wakeHandle.wake()
    }
  }

  /// The final state of a server.
  public struct Summary: Sendable, Equatable {
    /// The last command journaled.
    public var lastSequence: SequenceNumber
    /// Rolling hash over all events.
    public var eventHash: UInt64
    /// Hash of the whole state.
    public var stateHash: UInt64
    /// Settlement has stopped and needs an operator; the log gives the reason.
    public var settlementHasStopped: Bool
    /// The ledger did not catch up in time and may lack batches that the journal has closed; the
    /// next start posts them.
    public var settlementIsBehind: Bool
  }

  /// The address that the server listens on.
  public let host: String
  /// The port that the server listens on; if 0 was configured, the one that the system chose.
  public let port: UInt16
  /// The ports of the additional gateways, by gateway name.
  public let ports: [String: UInt16]
  /// Stops the server, from any thread.
  public let stopper: Stopper

  private let configuration: Configuration
  private let transport: Transport
  private let clientStages: ClientStages
  private let stages: Stages
  private let durable: DurableServices?
  private let services: ServiceGroup
  /// Kept alive while the server runs: on a crash, the command being applied is written to it.
  private let crash: CrashRecord?
  private let log: Logger

  /// Recovers the data folder and listens. Clients are served only by `run`.
  /// - Parameters:
  ///   - asked: The requested configuration.
  ///   - chosen: Keys that the user set explicitly; if the first start fixed them, they must
  ///     agree.
  ///   - clock: Plausibility check of the system clock.
  ///   - refused: The command during which the last run crashed; the server starts without it.
  ///   - options: The command line's options without --data, to be repeated in messages.
  ///   - gateways: Additional gateways besides the binary one.
  ///   - given: Receives lifecycle messages and alarms; nothing is logged per order.
  ///   - metrics: Text for GET /metrics, from the swift-metrics backend in use.
  /// - Throws: the reason why the server cannot start. At most a torn tail of the journal was cut
  ///   off.
  public init(
    _ asked: Configuration, chosen: Set<String> = [], clock: ClockCheck = ClockCheck(),
    refusing refused: SequenceNumber? = nil, options: [String] = [],
    gateways: [GatewayPlan] = [], log given: Logger,
    metrics: @escaping @Sendable () -> String = { "" }
  ) throws(StartError) {
    var configuration = asked
    let gateways = try Self.resolve(&configuration, gateways)
    let alarms = AlarmCount()
    let log = alarms.watching(given)
    LargeBlocks.areGivenBack()
    try DescriptorLimit.require(
      connections: Int(configuration.connections), kept: Int(configuration.connectionsKept))
    let security = try Self.security(configuration)
    try Self.judge([configuration.host] + gateways.map(\.host), security, configuration.insecure)
    try Self.checkFirstStart(clock, configuration)
    try Self.checkDistinct(configuration, gateways)
    try Self.tryAddresses(configuration, gateways)
    let lock = try Self.open(&configuration, chosen: chosen, refusing: refused, log)
    let transport = try Self.makeTransport(configuration)
    let (flag, wake) = (StopFlag(), transport.wakeHandle)
    let clientStages = ClientStages(
      ClientStages.Setting(
        binary: configuration.gateway, others: gateways, versionFloor: SystemTime().wall,
        time: SystemTime(), logOns: LogOnLimits(failures: configuration.logOnFailures),
        places: configuration.places, alarms: alarms), transport, flag, log: log)
    if configuration.settler == .thread { DataFolder(configuration.dataFolder).forgetSettler() }
    crash = try Self.makeCrashRecord(lock, configuration, refused, options, log)
    var surroundings = ServerBuilder.Surroundings(
      journal: DataFolder(configuration.dataFolder).journal,
      openLedger: Self.ledger(configuration, log))
    let location = configuration.ledgerLocation
    surroundings.readLedger = { () throws(LedgerError) in try location.openForReading() }
    if configuration.history == .on {
      surroundings.history = DataFolder(configuration.dataFolder).history
    }
    surroundings.clock = clock
    surroundings.wake = { wake.wake() }
    surroundings.doorbell = configuration.assembly == .pipelined ? Doorbell() : nil
    let verifier = SignatureVerifier(configuration.gateway) { wake.wake() }
    surroundings.verifier = verifier
    let builder = ServerBuilder(configuration: configuration, surroundings: surroundings, log: log)
    let recovered = try builder.recover(lock, clientStages.delivery, crash)
    let hasNewRefusal = recovered.hasNewRefusal
    let built = try builder.build(recovered, lock)
    (stages, durable) = (built.stages, built.durable)
    let health: HealthServer?
    do throws(StartError) {
      try Self.begin(stages.matching, clientStages.delivery, configuration, hasNewRefusal, log)
      health = try Self.makeHealth(configuration, clientStages.sampler.metrics, metrics)
      port = try Self.listen(transport, configuration, security)
      ports = try Self.listen(gateways, transport, security, log)
    } catch {
      stages.matching.close()
      throw error
    }
    host = configuration.host
    stopper = Stopper(flag: flag, wakeHandle: wake)
    (self.configuration, self.transport, self.log) = (configuration, transport, log)
    self.clientStages = clientStages
    clientStages.turn.begin(stages)
    log.info(
      "clients and meters sign for this market",
      metadata: ["market": "\(configuration.gateway.market)"])
    if let health {
      clientStages.turn.watch()
      log.info("health and metrics are served", metadata: ["port": "\(health.port)"])
    }
    if configuration.clock == .system { clientStages.turn.watchDue() }
    // Health is last in the list, so it answers until every other service has ended.
    services = ServiceGroup(
      [verifier] + (durable?.services ?? []) + (health.map { [$0] } ?? []))
    services.start()
  }

  /// Host and port in one text, such as "127.0.0.1:9100".
  public var address: String { Configuration.address(host: host, port: port) }

  /// Serves until it is stopped and every accepted command is applied, durable, delivered and
  /// settled. Called once.
  /// - Returns: the final state.
  public func run() -> Summary {
    stages.thread?({ $0.start() })
    transport.run(clientStages.turn, serving: clientStages.handlers, waiting: configuration.waiting)
    stages.thread?({ $0.end() })
    clientStages.turn.end()
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

  /// - Returns: the lock of the journal's directory; `nil` if no journal is kept.
  private static func open(
    _ configuration: inout Configuration, chosen: Set<String>, refusing refused: SequenceNumber?,
    _ log: Logger
  ) throws(StartError) -> DirectoryLock? {
    let folder = DataFolder(configuration.dataFolder)
    try checkStart(folder, configuration, refused)
    do throws(ConfigurationError) {
      if configuration.journalKept == .none {
        try folder.mustBeUnused()
        try folder.create()
        if configuration.market == nil { configuration.market = .random() }
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
      if try folder.fixMarket(in: &configuration, chosen: chosen) {
        log.notice(
          "the market had no id and was given one; meters sign for it from now on",
          metadata: ["market": "\(configuration.gateway.market)", "path": "\(folder.market)"])
      }
    } catch {
      throw .configuration(error)
    }
    return lock
  }

  /// Checks that this folder may be started with this configuration, before anything is written.
  private static func checkStart(
    _ folder: DataFolder, _ configuration: Configuration, _ refused: SequenceNumber?
  ) throws(StartError) {
    var ledger = configuration.ledgerLocation
    do throws(ConfigurationError) {
      try OperatorKeys.checkRecovery(configuration)
      try OperatorKeys.checkFiles(configuration)
      if configuration.journalKept == .disk {
        try folder.mustBeFolders()
        try folder.mustBeFiles()
        ledger = try folder.admitLedger(
          asked: configuration.ledger, settles: configuration.settler == .thread)
      }
    } catch {
      throw .configuration(error)
    }
    do throws(JournalError) {
      if configuration.journalKept == .disk { try folder.mustNotBeLost(beside: ledger) }
      guard let refused else { return }
      if configuration.journalKept == .none {
        throw .notRefusable(refused, "no journal is kept (journal.kept: none)")
      }
      if !folder.hasSegment {
        throw .notRefusable(
          refused, "\(folder.path) contains no journal (check --data)")
      }
    } catch {
      throw .journal(error)
    }
  }

  /// Checks the clock of a first start before the folder is created, so that a refused start leaves
  /// nothing behind.
  private static func checkFirstStart(
    _ clock: ClockCheck, _ configuration: Configuration
  ) throws(StartError) {
    guard configuration.clock == .system, configuration.journalKept == .disk,
      DataFolder(configuration.dataFolder).isNew
    else { return }
    _ = try clock.admit(wall: SystemTime().wall, last: nil)
  }

  /// - Returns: `nil` if no journal is kept.
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

  /// Registers the operator, so that an administrator can log on as soon as the server listens.
  private static func begin(
    _ market: MatchingStage, _ delivery: Delivery, _ configuration: Configuration,
    _ hasNewRefusal: Bool, _ log: Logger
  ) throws(StartError) {
    // With this checkpoint, any later replay that does not know of the refusal diverges and is
    // detected.
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
    awaitDisk(market, log)
    market.deliver(to: delivery)
    if let file = configuration.marketFile { try make(file, market, delivery, log) }
    if market.exchange.rules < RulesVersion.newest {
      log.notice(
        "this program knows newer rules; `joulebook admin rules` puts them in force",
        metadata: [
          "rules": "\(market.exchange.rules)", "newest": "\(RulesVersion.newest)",
        ])
    }
  }

  /// Waits until the operator's registration is durable; on a full disk as long as it is full.
  /// Signals end the process while it waits, see `StopTarget`.
  static func awaitDisk(_ market: MatchingStage, _ log: Logger) {
    var waited = 0
    while !market.isDurable {
      usleep(200)
      waited += 1
      // Tells the reason too.
      market.endTurn()
      if waited % reminder == longWait {
        log.critical(
          "ALARM: the start waits for the journal's disk; free some space, or end it with SIGTERM")
      }
    }
  }

  /// Turns of `awaitDisk` in a second or two, after which the wait is told, and between two
  /// reminders.
  private static let (longWait, reminder) = (5_000, 300_000)

  /// Returns the function that opens the data folder's ledger.
  private static func ledger(
    _ configuration: Configuration, _ log: Logger
  ) -> @Sendable () throws(LedgerError) -> any Ledger {
    let (location, genesis) = (
      configuration.ledgerLocation, LedgerGenesis(rules: configuration.settlement)
    )
    return { () throws(LedgerError) in
      let ledger = try location.open(genesis: genesis)
      for note in ledger.notes {
        log.warning("a note about the ledger", metadata: ["note": "\(note)"])
      }
      return ledger
    }
  }

  /// - Returns: `nil` if no health address is configured.
  private static func makeHealth(
    _ configuration: Configuration, _ sampled: ServerMetrics,
    _ page: @escaping @Sendable () -> String
  ) throws(StartError) -> HealthServer? {
    guard !configuration.health.isEmpty else { return nil }
    do throws(ConfigurationError) {
      let (host, port) = try healthAddress(configuration)
      return try HealthServer(host: host, port: port, metrics: sampled, page: page)
    } catch {
      throw .configuration(error)
    }
  }

  /// - Returns: the port.
  private static func listen(
    _ transport: Transport, _ configuration: Configuration, _ security: TLSContext?
  ) throws(StartError) -> UInt16 {
    do throws(TransportError) {
      return try transport.listen(
        host: configuration.host, port: configuration.port, security: security)
    } catch {
      throw .listener(Self.ownAddress, error)
    }
  }

  /// - Returns: the ports, by gateway name.
  private static func listen(
    _ gateways: [GatewayPlan], _ transport: Transport, _ security: TLSContext?, _ log: Logger
  ) throws(StartError) -> [String: UInt16] {
    var ports: [String: UInt16] = [:]
    for (index, gateway) in gateways.enumerated() {
      do throws(TransportError) {
        ports[gateway.name] = try transport.listen(
          host: gateway.host, port: gateway.port, security: security, handler: index + 1)
      } catch {
        throw .listener(gateway.addressName, error)
      }
      log.info(
        "a gateway listens",
        metadata: ["name": "\(gateway.name)", "port": "\(ports[gateway.name] ?? 0)"])
    }
    return ports
  }

  /// - Returns: the TLS context of client connections; `nil` if they are not encrypted.
  private static func security(
    _ configuration: Configuration
  ) throws(StartError) -> TLSContext? {
    let (certificate, key) = (configuration.tlsCertificate, configuration.tlsKey)
    if certificate.isEmpty && key.isEmpty { return nil }
    guard !certificate.isEmpty, !key.isEmpty else {
      throw .configuration(
        ConfigurationError("tls: set both certificate and key, or neither"))
    }
    do throws(TLSError) {
      return try TLSContext(certificate: certificate, key: key)
    } catch {
      throw .configuration(ConfigurationError("tls: \(error)"))
    }
  }

  /// Refuses plain TCP on an address that other machines can reach, unless it was asked for.
  private static func judge(
    _ hosts: [String], _ security: TLSContext?, _ insecure: Configuration.Permission
  ) throws(StartError) {
    if security != nil || insecure == .yes { return }
    for host in hosts where PeerAddress(host)?.isOnThisMachine != true {
      throw .configuration(
        ConfigurationError(
          "others can reach \(host), and without a certificate everything is sent in plain text: "
            + "give tls.certificate and tls.key, or allow it with insecure: true (--insecure)"))
    }
  }

  private static func makeTransport(
    _ configuration: Configuration
  ) throws(StartError) -> Transport {
    do throws(TransportError) {
      return try Transport(configuration.transport)
    } catch {
      throw .transport(error)
    }
  }
}
