// The stages and services of `Server` without threads, for the simulation. The owner decides which
// of them runs next, also while another one waits for the disk.
//
//     network ─▶ gateway ─▶ matching ─▶ ring ─▶ stepJournal ─▶ disk ─▶ stepSettlement ─▶ ledger

import ExchangeCore
import GatewayBinary
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import Transport
import Wire

/// A complete exchange whose stages and services are stepped one at a time. Owned by one thread.
package final class SteppedServer {
  /// The simulated environment of the server.
  package struct World: Sendable {
    /// File system that contains the journal.
    package var disk: any Disk
    /// Source of wall and steady time.
    package var time: any TimeSource
    /// Opens the ledger; called again after an error that may pass.
    package var openLedger: @Sendable () throws(LedgerError) -> any Ledger
    /// Public keys of the operator's sessions, registered at the first start.
    package var operatorKeys: [PublicKey]
    /// Plausibility check of the clock at the start.
    package var clock = ClockCheck()
    /// Makes the nonce of a connection.
    package var nonce: @Sendable () -> Nonce = { Nonce.random() }
    /// Verifies a signature; `nil` selects the real cryptography.
    package var verify: (@Sendable (Signature, Frame, SigningPurpose, PublicKey) -> Bool)?

    /// A world with real signatures and no reference for the clock.
    package init(
      disk: any Disk, time: any TimeSource,
      openLedger: @escaping @Sendable () throws(LedgerError) -> any Ledger,
      operatorKeys: [PublicKey]
    ) {
      (self.disk, self.time, self.openLedger) = (disk, time, openLedger)
      self.operatorKeys = operatorKeys
    }
  }

  private let clientStages: ClientStages
  private let stages: Stages
  private let market: MatchingStage
  private let services: DurableServices
  private let settlement: SettlementService
  private let setting: MarketState.Setting
  private let journalDirectory: String
  private let recoveredState: UInt64
  private let flag = StopFlag()
  private let world: World
  private let log: Logger
  private var replay: SettlementReplay?
  private var settlementIsOver = false {
    didSet { if settlementIsOver { settlement.conclude() } }
  }
  private var unsent: [SettlementConfirmed] = []

  /// Recovers the journal in `configuration.dataFolder`.
  /// - Throws: the reason why the server cannot start.
  package init(
    _ configuration: Configuration, _ world: World, network: any Network, log: Logger
  ) throws(StartError) {
    (self.world, self.log, journalDirectory) = (world, log, configuration.dataFolder)
    clientStages = ClientStages(
      ClientStages.Setting(
        binary: Self.gateway(configuration, world), versionFloor: world.time.wall, time: world.time),
      network, flag, log: log)
    let lock: DirectoryLock
    do throws(JournalError) {
      lock = try DirectoryLock(configuration.dataFolder, on: world.disk)
    } catch {
      throw .journal(error)
    }
    let builder = ServerBuilder(
      configuration: configuration, surroundings: Self.surroundings(configuration, world), log: log)
    let recovered = try builder.recover(lock, clientStages.delivery)
    (recoveredThrough, snapshot) = (recovered.lastSequence, recovered.snapshot)
    recoveredState = recovered.exchange.stateHash()
    setting = MarketState.Setting(configuration)
    let built = try builder.build(recovered, lock)
    guard let durable = built.durable, let own = durable.settlement as? SettlementService else {
      preconditionFailure("a simulated server keeps a journal and settles it")
    }
    settlement = own
    (market, services, stages) = (built.stages.matching, durable, built.stages)
    let keys = OperatorKeys.commands(clientStages.delivery.view.reference, keys: world.operatorKeys)
    for command in keys { _ = market.take(command) }
    clientStages.turn.begin(stages)
    clientStages.turn.watchDue()
  }

  private static func surroundings(
    _ configuration: Configuration, _ world: World
  ) -> ServerBuilder.Surroundings {
    var surroundings = ServerBuilder.Surroundings(
      journal: configuration.dataFolder, openLedger: world.openLedger)
    (surroundings.disk, surroundings.time) = (world.disk, world.time)
    surroundings.clock = world.clock
    surroundings.journalOptions.ringCapacity = 1 << 10
    surroundings.journalOptions.waiting = .yield
    surroundings.journalOptions.isStepped = true
    surroundings.onJournalFailure = { _ in }
    return surroundings
  }

  private static func gateway(
    _ configuration: Configuration, _ world: World
  ) -> BinaryGateway.Configuration {
    var gateway = BinaryGateway.Configuration()
    if let market = configuration.market { gateway.market = market }
    gateway.clock = { Timestamp(nanoseconds: world.time.wall) }
    gateway.nonce = world.nonce
    if let verify = world.verify { gateway.verify = verify }
    return gateway
  }

  // MARK: Stages and services

  /// Receives the events of connections.
  package var handler: any ConnectionHandler { clientStages.delivery.binary }
  /// Receives the ends of turns, wakes and timers.
  package var turn: any LoopHandler { clientStages.turn }

  /// Commits one batch of the journal.
  /// - Returns: `false` if there was nothing to commit or the disk is full.
  package func stepJournal() -> Bool { services.journal.step() }

  /// Runs one step of settlement over the durable commands.
  /// - Returns: `false` if there was nothing to do.
  /// - Throws: if the journal cannot be read; settlement then stops until the next start.
  package func stepSettlement() throws(JournalError) -> Bool {
    services.retransmission.work()
    guard !settlementIsOver else { return false }
    if replay == nil, let settler = openSettler() {
      do throws(JournalError) {
        replay = try settlement.makeReplay(settler)
      } catch {
        if error.mayPass { return false }
        settlementIsOver = true
        throw error
      }
    }
    guard var current = replay.take() else { return false }
    do throws(JournalError) {
      let turn = try settlement.turn(&current, &unsent)
      replay = consume current
      settlementIsOver = turn == .over
      return turn == .again
    } catch {
      settlementIsOver = true
      throw error
    }
  }

  /// - Returns: `nil` if the ledger is unavailable now, or needs an operator.
  private func openSettler() -> Settler? {
    do throws(LedgerError) {
      return try Settler(world.openLedger())
    } catch {
      settlementIsOver = error.remedy == .halt
      log.error("ALARM: the ledger cannot be opened", metadata: ["error": "\(error)"])
      return nil
    }
  }

  /// Begins the orderly shutdown. The owner continues stepping until `isClosed`, then calls
  /// `close`.
  package func stop() {
    flag.raise()
    clientStages.turn.woken()
  }

  /// Seals the journal and closes the ledger. Called after `isClosed`.
  package func close() {
    replay.take()?.close()
    market.close()
  }

  /// Makes a snapshot if one is due.
  /// - Returns: `false` if no snapshot was made.
  package func stepSnapshots() -> Bool { services.snapshots.work() }

  // MARK: Inspection

  /// The text that GET /ready would return now.
  package func readiness() -> String {
    clientStages.turn.sample()
    return HealthServer.readiness(clientStages.sampler.metrics.sample, at: world.time.steady).text
  }

  /// The last command in the snapshot that recovery started from; `.none` if it replayed from the
  /// first command.
  package let snapshot: SequenceNumber

  /// Whether recovery from snapshot and tail reached the state that a replay of the whole journal
  /// reaches. Called right after the start, while every segment can still be read.
  /// - Throws: if a segment cannot be read.
  package func startedFaithfully() throws(JournalError) -> Bool {
    var history = MarketState(setting)
    var ahead = try CommandsAhead(
      for: .replay, directory: journalDirectory, after: .none, verification: .hashes,
      disk: world.disk)
    var agrees = true
    while let command = try ahead.next(through: recoveredThrough, for: &history.exchange) {
      do throws(LedgerError) {
        agrees = try history.apply(command) && agrees
      } catch {
        return false
      }
    }
    return agrees && history.exchange.stateHash() == recoveredState
      && clientStages.delivery.view.isSame(as: history.view)
  }

  /// The last command that recovery found in the journal.
  package let recoveredThrough: SequenceNumber
  /// Rolling hash over all events.
  package var eventHash: UInt64 { market.exchange.eventHash }
  /// Hash of the whole state.
  package var stateHash: UInt64 { market.exchange.stateHash() }
  /// Whether the orderly shutdown is complete.
  package var isClosed: Bool { clientStages.shutdown.isClosed }
  /// Whether a journal write or sync has failed; a real process would have ended there.
  package var hasFailed: Bool { services.journal.hasFailed }
  /// Whether settlement has stopped until the next start.
  package var settlementHasHalted: Bool { settlementIsOver }
  /// The last command reported as durable.
  package var durable: SequenceNumber { services.journal.durable }
  /// The last command stamped.
  package var lastSequence: SequenceNumber { market.lastSequence }
  /// Descriptions of violated invariants of the exchange; empty if all are satisfied.
  package func invariantViolations() -> [String] { market.exchange.invariantViolations() }
}
