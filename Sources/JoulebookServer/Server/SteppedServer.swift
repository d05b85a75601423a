// The stages and services of `Server` without its threads, for the simulation: the owner decides which of
// them works next, and whether it works while another one waits for the disk.
//
//     network ─▶ gateway ─▶ market ─▶ ring ─▶ stepJournal ─▶ disk ─▶ stepSettlement ─▶ ledger

import ExchangeCore
import GatewayBinary
import Journaling
import Logging
import MarketModel
import Rings
import Settlement
import Transport
import Wire

/// A whole exchange whose stages and services are stepped one by one. Owned by one thread.
package final class SteppedServer {
  /// What stands around it.
  package struct World: Sendable {
    /// Holds the journal.
    package var disk: any Disk
    /// What time it is.
    package var time: any TimeSource
    /// Opens the ledger.
    package var openLedger: @Sendable () throws(LedgerError) -> any Ledger
    /// Keys of the operator's sessions, for the first start.
    package var operatorKeys: [PublicKey]
    /// What the clock must agree with.
    package var clock = ClockCheck()
    /// Checks signatures; `nil`: as a server does.
    package var verify: (@Sendable (Signature, Frame, SigningPurpose, PublicKey) -> Bool)?

    /// All fields.
    package init(
      disk: any Disk, time: any TimeSource,
      openLedger: @escaping @Sendable () throws(LedgerError) -> any Ledger,
      operatorKeys: [PublicKey]
    ) {
      (self.disk, self.time, self.openLedger) = (disk, time, openLedger)
      self.operatorKeys = operatorKeys
    }
  }

  private let front: Front
  private let stages: Stages
  private let market: MatchingStage
  private let services: DurableServices
  private let setting: MarketState.Setting
  private let journalDirectory: String
  private let recoveredState: UInt64
  private let flag = StopFlag()
  private let world: World
  private let log: Logger
  private var replay: SettlementReplay?
  private var settlementIsOver = false {
    didSet { if settlementIsOver { services.settlement.conclude() } }
  }
  private var unsent: [SettlementConfirmed] = []

  /// Recovers the journal in `configuration.dataFolder`.
  /// - Throws: what keeps it from starting.
  package init(
    _ configuration: Configuration, _ world: World, network: any Network, log: Logger
  ) throws(StartError) {
    (self.world, self.log, journalDirectory) = (world, log, configuration.dataFolder)
    front = Front(
      Front.Setting(
        binary: Self.gateway(in: world), versionFloor: world.time.wall, time: world.time),
      network, flag, log: log)
    let lock: DirectoryLock
    do throws(JournalError) {
      lock = try DirectoryLock(configuration.dataFolder, on: world.disk)
    } catch {
      throw .journal(error)
    }
    let builder = ServerBuilder(
      configuration: configuration, surroundings: Self.surroundings(configuration, world), log: log)
    let recovered = try builder.recover(lock, front.delivery)
    (recoveredThrough, snapshot) = (recovered.lastSequence, recovered.snapshot)
    recoveredState = recovered.exchange.stateHash()
    setting = MarketState.Setting(configuration)
    let built = try builder.build(recovered, lock)
    guard let durable = built.durable else { preconditionFailure("a simulated journal is kept") }
    (market, services, stages) = (built.stages.matching, durable, built.stages)
    let keys = OperatorKeys.commands(front.delivery.view.reference, keys: world.operatorKeys)
    for command in keys { _ = market.take(command) }
    front.turn.begin(stages)
    front.turn.watchBatches()
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

  private static func gateway(in world: World) -> BinaryGateway.Configuration {
    var configuration = BinaryGateway.Configuration()
    configuration.clock = { Timestamp(nanoseconds: world.time.wall) }
    if let verify = world.verify { configuration.verify = verify }
    return configuration
  }

  // MARK: Its stages and services

  /// Connections are told to it; `turnEnds` after each turn.
  package var handler: any ConnectionHandler { front.delivery.binary }
  /// Is told of turns and timers.
  package var turn: any LoopHandler { front.turn }

  /// The journal commits one batch.
  /// - Returns: `false` when there was nothing to do, or the disk is full.
  package func stepJournal() -> Bool { services.journal.step() }

  /// The settlement service settles what is durable.
  /// - Returns: `false` when there was nothing to do.
  /// - Throws: when the journal cannot be read: settlement is over until the next start.
  package func stepSettlement() throws(JournalError) -> Bool {
    services.retransmission.work()
    guard !settlementIsOver else { return false }
    if replay == nil, let settler = openSettler() {
      do throws(JournalError) {
        replay = try services.settlement.makeReplay(settler)
      } catch {
        if error.mayPass { return false }
        settlementIsOver = true
        throw error
      }
    }
    guard var current = replay.take() else { return false }
    do throws(JournalError) {
      let turn = try services.settlement.turn(&current, &unsent)
      replay = consume current
      settlementIsOver = turn == .over
      return turn == .again
    } catch {
      settlementIsOver = true
      throw error
    }
  }

  /// - Returns: `nil` when the ledger does not answer now, or an operator must look.
  private func openSettler() -> Settler? {
    do throws(LedgerError) {
      return try Settler(world.openLedger())
    } catch {
      settlementIsOver = error.remedy == .halt
      log.error("ALARM: the ledger cannot be opened", metadata: ["error": "\(error)"])
      return nil
    }
  }

  /// The orderly end begins; go on stepping until `isClosed`, then call `close`.
  package func stop() {
    flag.raise()
    front.turn.woken()
  }

  /// Seals the journal and closes the ledger, after `isClosed`.
  package func close() {
    replay.take()?.close()
    market.close()
  }

  /// A snapshot is made if one is due.
  /// - Returns: `false` when nothing was done.
  package func stepSnapshots() -> Bool { services.snapshots.work() }

  // MARK: How it is

  /// What /ready says now.
  package func readiness() -> String {
    front.turn.sample()
    return HealthServer.readiness(front.sampler.metrics.sample, at: world.time.steady).text
  }

  /// The last command of the snapshot that the start began with; `.none`: with the first command.
  package let snapshot: SequenceNumber

  /// Whether snapshot and tail arrived where the whole journal does. Right after the start, when every
  /// segment can be read.
  /// - Throws: when one cannot.
  package func startedFaithfully() throws(JournalError) -> Bool {
    var history = MarketState(setting)
    var ahead = try CommandsAhead(
      for: .replay, directory: journalDirectory, behind: .none, verification: .hashes,
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
      && front.delivery.view.isSame(as: history.view)
  }

  /// The last command that the start found in the journal.
  package let recoveredThrough: SequenceNumber
  /// Rolling hash over all events.
  package var eventHash: UInt64 { market.exchange.eventHash }
  /// Hash of the whole state.
  package var stateHash: UInt64 { market.exchange.stateHash() }
  /// Whether the orderly end has come.
  package var isClosed: Bool { front.shutdown.isClosed }
  /// Whether a write or sync failed: the process would have ended there.
  package var hasFailed: Bool { services.journal.hasFailed }
  /// Whether settlement has stopped.
  package var settlementHasHalted: Bool { settlementIsOver }
  /// Everything up to here is said to be durable.
  package var durable: SequenceNumber { services.journal.durable }
  /// Last command stamped.
  package var lastSequence: SequenceNumber { market.lastSequence }
  /// What does not hold in the exchange.
  package func invariantViolations() -> [String] { market.exchange.invariantViolations() }
}
