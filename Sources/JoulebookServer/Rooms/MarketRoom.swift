// Rooms 3 to 7 of the inline assembly, all on the I/O thread:
//
//     submit ─▶ ingress ─▶ stamp ─┬─▶ journal  (its own thread writes and syncs)
//     follower ──▲                └─▶ exchange ─▶ outbox ─▶ gateway, while sequence <= durable
//
// A command is taken from the ingress only when the journal has room for it and for a checkpoint behind
// it, and the outbox is not full; otherwise it waits there, and behind it the socket.

import ExchangeCore
import GatewayBinary
import Journaling
import Logging
import MarketModel
import Rings

/// The exchange and what stands around it. Owned by the I/O thread; the ingress ring and the journal's
/// durable number are all it shares.
final class MarketRoom {
  /// The state of the market as of the last command applied.
  private(set) var exchange: Exchange
  /// Gives numbers and times.
  private(set) var sequencer: Sequencer
  /// How many of everything there are.
  private(set) var census: Census

  private var journal: CommandLog
  private var outbox: Outbox
  private var entrance: ManyProducerRing<Command>.Producer
  private var intake: ManyProducerRing<Command>.Consumer
  private let checkpointInterval: UInt64
  private var sinceCheckpoint: UInt64 = 0
  private var clockIsFresh = false
  private var announcedIntake = JournalWriter.Room.ample
  private let log: Logger

  /// The room after a recovery.
  /// - Parameters:
  ///   - recovered: The exchange with the recovered journal applied.
  ///   - journal: Keeps the commands; `nil`: nothing is kept.
  ///   - ingress: Where commands enter; this room reads it.
  ///   - time: What the system's clock is.
  init(
    _ recovered: consuming Recovered, journal: JournalWriter?, ingress: ManyProducerRing<Command>,
    configuration: Configuration, time: any TimeSource = SystemTime(), log: Logger
  ) {
    sequencer = Sequencer(
      after: recovered.lastSequence, lastTime: recovered.lastTime,
      clock: configuration.clock == .driven ? .driven : .system, source: time)
    census = recovered.census
    self.journal = CommandLog(journal, last: recovered.lastSequence)
    exchange = recovered.exchange
    self.log = log
    outbox = Outbox(bound: Int(configuration.outboxEvents))
    entrance = ingress.makeProducer()
    intake = ingress.claimConsumer()
    checkpointInterval = configuration.checkpointInterval
  }

  /// Whether everything that was taken in is applied, durable and delivered.
  var isIdle: Bool {
    outbox.count == 0 && isDurable && !hasIntake
  }

  /// Whether everything that was applied is durable.
  var isDurable: Bool { journal.durable >= sequencer.lastSequence }

  /// How the exchange is.
  func status(_ withStateHash: Bool) -> ServerStatus {
    var status = ServerStatus()
    let counts = exchange.counts
    status.time = sequencer.now
    (status.lastSequence, status.durableSequence) = (sequencer.lastSequence, journal.durable)
    status.eventHash = exchange.eventHash
    status.stateHash = withStateHash ? exchange.stateHash() : 0
    (status.settledSequence, status.settledBatch) = (counts.settledSequence, counts.settledBatch)
    (status.tradeCount, status.openOrderCount) = (counts.trades, counts.openOrders)
    census.report(in: &status)
    return status
  }

  /// Whether commands wait to be applied.
  var hasIntake: Bool { intake.available() > 0 }

  /// Whether the journal's disk has room for what `command` does: a full one takes cancels only, and
  /// in the end nothing.
  func admits(_ command: Command) -> Bool {
    switch journal.intake {
    case .ample: return true
    case .none: return false
    case .low:
      switch command.body {
      case .cancel, .massCancel, .beginSession, .endSession: return true
      default: return false
      }
    }
  }

  /// Takes a command in and applies it at once if it can.
  /// - Returns: `false` when the ingress is full.
  func take(_ command: Command) -> Bool {
    guard entrance.push(command) else { return false }
    work()
    return true
  }

  /// Applies what waits in the ingress, as long as journal and outbox have room.
  func work() {
    while !outbox.isFull, journal.hasRoom(), var command = intake.pop() {
      apply(&command)
      sinceCheckpoint += 1
      if sinceCheckpoint >= checkpointInterval { checkpoint(withStateHash: false) }
    }
  }

  /// Journals the history's hash; with that of the whole state it closes the settlement batch too.
  func checkpoint(withStateHash: Bool) {
    sinceCheckpoint = 0
    let hashes = Checkpoint(
      eventHash: exchange.eventHash, stateHash: withStateHash ? exchange.stateHash() : 0)
    var command = Command(session: .exchange, body: .checkpoint(hashes))
    apply(&command)
  }

  /// Hands every durable event to `gateway`, command by command.
  func deliver(to gateway: BinaryGateway) {
    let gate = journal.durable
    var open: SequenceNumber?
    while let entry = outbox.take(through: gate) {
      if let open, open != entry.sequence { gateway.endCommand(open) }
      open = entry.sequence
      census.note(entry.event)
      if case .alarm(let alarm) = entry.event { report(alarm, at: entry.sequence) }
      gateway.deliver(entry.event, sequence: entry.sequence, time: entry.time)
    }
    if let open { gateway.endCommand(open) }
  }

  /// A turn of the loop is over: the journal's thread sees every command of it, and the next command
  /// reads the clock again.
  func endTurn() {
    journal.publish()
    clockIsFresh = false
    if journal.intake != announcedIntake { announceIntake() }
  }

  private func announceIntake() {
    announcedIntake = journal.intake
    switch announcedIntake {
    case .ample: log.notice("the journal's disk has room again; everything is taken in")
    case .low: log.critical("ALARM: the journal's disk is full: only cancels are taken in")
    case .none: log.critical("ALARM: the journal's disk is full: nothing is taken in")
    }
  }

  private func apply(_ command: inout Command) {
    setTime(for: command)
    sequencer.stamp(&command)
    journal.append(command)
    outbox.begin(command)
    exchange.apply(command, into: &outbox)
  }

  /// The system's clock is read once a turn; a driven one is set by ticks, and never backwards.
  private func setTime(for command: borrowing Command) {
    switch sequencer.clock {
    case .system:
      if clockIsFresh { return }
      clockIsFresh = true
      switch sequencer.readClock() {
      case .jumpedAhead(let nanoseconds):
        log.error("ALARM: the system's clock jumped ahead by \(nanoseconds) ns; not followed")
      case .fellBehind(let nanoseconds):
        log.error("ALARM: the system's clock is behind by \(nanoseconds) ns; time goes on steadily")
      case nil: break
      }
    case .driven:
      if case .tick = command.body { _ = sequencer.drive(to: command.time) }
    }
  }

  private func report(_ alarm: Alarm, at sequence: SequenceNumber) {
    log.critical("ALARM: \(alarm.kind) (\(alarm.value)) at command \(sequence.rawValue)")
  }
}
