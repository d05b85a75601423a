// Rooms 3 to 7 of the inline assembly, all on the I/O thread:
//
//     submit ─▶ desk ──▶ stamp ─┬─▶ journal  (its own thread writes and syncs)
//         └▶ ingress ──▲        └─▶ exchange ─▶ outbox ─▶ gateway, while sequence <= durable
//     follower ──▲
//
// Commands are gathered on the desk, shown to the exchange together, and applied one by one: at the latest
// when the turn ends or somebody asks a question. They are applied only when the journal has room for them
// and for a checkpoint behind them, and the outbox is not full; otherwise they wait, further ones in the
// ingress, and behind it the socket.

import ExchangeCore
import GatewayBinary
import Journaling
import Logging
import MarketModel
import Rings
import Settlement

/// The exchange and what stands around it. Owned by the I/O thread; the ingress ring and the journal's
/// durable number are all it shares.
final class MatchingStage {
  /// Commands that are shown to the exchange together.
  private static let deskSize = 64

  /// The state of the market as of the last command applied.
  private(set) var exchange: Exchange
  /// Gives numbers and times.
  private(set) var sequencer: Sequencer
  /// How many of everything there are.
  private(set) var census: Census

  private var journal: CommandLog
  /// Commands that were taken and not applied, all older than those of the ingress.
  private let desk = UnsafeMutablePointer<Command>.allocate(capacity: deskSize)
  private var onDesk = 0
  /// Events are being handed over where they stand: none may be added.
  private var isDelivering = false
  private var outbox: Outbox
  private var entrance: ManyProducerRing<Command>.Producer
  private var intake: ManyProducerRing<Command>.Consumer
  private let checkpointInterval: UInt64
  private var sinceCheckpoint: UInt64 = 0
  private var clockIsFresh = false
  /// Of the last command applied.
  private var lastTime: Timestamp
  private var announcedHeadroom = DiskHeadroom.ample
  private var announcedHindrance = false
  private let hand = CommandInHand(.live)
  /// Commands of the journal that were refused.
  private let refused: Int
  private let log: Logger

  /// The room after a recovery.
  /// - Parameters:
  ///   - recovered: The exchange with the recovered journal applied.
  ///   - journal: Keeps the commands; `nil`: nothing is kept.
  ///   - ingress: Where commands enter; this room reads it.
  ///   - time: What the system's clock is.
  init(
    _ recovered: consuming RecoveredExchange, journal: JournalWriter?,
    ingress: ManyProducerRing<Command>,
    configuration: Configuration, time: any TimeSource = SystemTime(), log: Logger
  ) {
    sequencer = Sequencer(
      after: recovered.lastSequence, lastTime: recovered.lastTime,
      clock: configuration.clock == .driven ? .driven : .system, source: time)
    (census, lastTime) = (recovered.census, recovered.lastTime)
    refused = recovered.refused.count
    self.journal = CommandLog(
      journal, last: recovered.lastSequence, direct: Int(configuration.journalDirect))
    exchange = recovered.exchange
    self.log = log
    outbox = Outbox(bound: Int(configuration.outboxEvents))
    entrance = ingress.makeProducer()
    intake = ingress.claimConsumer()
    checkpointInterval = configuration.checkpointInterval
    beginTime()
  }

  deinit { desk.deallocate() }

  /// Whether everything that was taken in is applied, durable and delivered.
  var isIdle: Bool {
    outbox.count == 0 && isDurable && !hasIntake
  }

  /// Whether everything that was applied is durable.
  var isDurable: Bool { journal.durable >= sequencer.lastSequence }

  /// Writes the lengths of the queues and the state of the gates into a sample.
  func record(into sample: inout ServerMetrics.Sample) {
    sample.status = status(false)
    (sample.ingress, sample.outbox) = (intake.available(), outbox.count)
    (sample.headroom, sample.refused) = (journal.headroom, refused)
    sample.obstacle = journal.obstacle
  }

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
    status.rulesVersion = exchange.rules
    status.refusedCommandCount = UInt32(refused)
    census.report(in: &status)
    return status
  }

  /// What the exchange says to a question, as of the last command applied.
  /// - Returns: `nil` when commands that were taken in before wait for room.
  func answer(_ question: Question) -> Answer? {
    if hasIntake { return nil }
    let finding: Answer.Finding
    switch question {
    case .orderState(let order): finding = .orderState(exchange.orderState(order))
    case .explanation(let order): finding = .explanation(exchange.explain(order))
    case .balance(let account, let area):
      finding = .balance(exchange.balance(of: account, in: area))
    case .status(let withStateHash): finding = .status(status(withStateHash))
    }
    return Answer(finding, through: sequencer.lastSequence)
  }

  /// Whether commands wait to be applied.
  var hasIntake: Bool { onDesk > 0 || intake.available() > 0 }

  /// Whether the journal's disk has room for what `command` does: a full one takes cancels only, and
  /// in the end nothing.
  func admits(_ command: Command) -> Bool {
    switch journal.headroom {
    case .ample: return true
    case .none: return false
    case .low:
      switch command.body {
      case .cancel, .order(.massCancel), .session(.beginSession), .session(.endSession): return true
      default: return false
      }
    }
  }

  /// Takes a command in; it is applied by the next `work` at the latest.
  /// - Returns: `false` when the ingress is full.
  func take(_ command: Command) -> Bool {
    // Nobody overtakes what waits in the ingress.
    guard onDesk < Self.deskSize, intake.available() == 0 else { return entrance.push(command) }
    (desk + onDesk).initialize(to: command)
    onDesk += 1
    if onDesk == Self.deskSize, !isDelivering { clearDesk() }
    return true
  }

  /// Applies what waits on the desk and in the ingress, as long as journal and outbox have room.
  func work() {
    if isDelivering { return }
    clearDesk()
    while onDesk == 0, intake.available() > 0 {
      while onDesk < Self.deskSize, let command = intake.pop() {
        (desk + onDesk).initialize(to: command)
        onDesk += 1
      }
      clearDesk()
    }
  }

  /// Applies what is on the desk, if there is room for all that follows from it.
  private func clearDesk() {
    guard onDesk > 0, !outbox.isFull, journal.hasRoom(for: onDesk) else { return }
    let block = UnsafeBufferPointer(start: UnsafePointer(desk), count: onDesk)
    hand.takeThread()
    for index in 0..<onDesk {
      exchange.anticipate(block, before: index)
      apply(&desk[index])
    }
    // Before anybody is told of them.
    hand.end()
    sinceCheckpoint += UInt64(onDesk)
    onDesk = 0
    if sinceCheckpoint >= checkpointInterval { checkpoint(withStateHash: false) }
  }

  /// Journals the history's hash; with that of the whole state it closes the settlement batch too.
  func checkpoint(withStateHash: Bool) {
    sinceCheckpoint = 0
    let hashes = Checkpoint(
      eventHash: exchange.eventHash, stateHash: withStateHash ? exchange.stateHash() : 0)
    var command = Command(session: .exchange, body: .control(.checkpoint(hashes)))
    hand.takeThread()
    apply(&command)
    hand.end()
  }

  /// Journals a tick when a settlement batch is due at `due` and no command that closes it has come: in a
  /// quiet market it would stay open. Only with the system's clock, and only once that has come to `due`, so
  /// that this command closes it.
  func closeBatch(dueAt due: Timestamp) {
    guard sequencer.clock == .system, lastTime < due, sequencer.ahead >= due else { return }
    guard !isDelivering, onDesk == 0, !outbox.isFull, journal.hasRoom(for: 1) else { return }
    var command = Command(session: .exchange, body: .control(.tick))
    clockIsFresh = false
    hand.takeThread()
    apply(&command)
    hand.end()
    endTurn()
  }

  /// Hands every durable event to `gateway`, command by command, and says up to where all are durable.
  func deliver(to gateway: BinaryGateway) {
    var ahead = 0
    let through = deliver { entry, isLast in
      if ahead == 0 { ahead = outbox.anticipate(Self.deskSize, by: gateway) }
      ahead -= 1
      let sequence = entry.pointee.sequence
      gateway.deliver(entry.event, sequence: sequence, time: entry.pointee.time)
      if isLast { gateway.endCommand(sequence) }
      return true
    }
    gateway.delivered(through: through)
  }

  /// Hands every durable event to `take`, which says of each whether it has room; with each goes whether it
  /// is the last of its command. An event stands where it is until the next.
  /// - Returns: The last command that is durable and whose events, like those of all before it, were taken.
  @inline(__always)
  func deliver(_ take: (UnsafePointer<OutboxEntry>, Bool) -> Bool) -> SequenceNumber {
    let gate = journal.durable
    var through = gate
    isDelivering = true
    while let entry = outbox.front(through: gate) {
      let sequence = entry.pointee.sequence
      guard take(entry, outbox.isLast(of: sequence)) else {
        through = SequenceNumber(sequence.rawValue - 1)
        break
      }
      if entry.event.kind == .other { noteRare(entry) }
      outbox.drop()
    }
    isDelivering = false
    return through
  }

  private func noteRare(_ entry: UnsafePointer<OutboxEntry>) {
    census.note(entry.pointee.event)
    if case .control(.alarm(let alarm)) = entry.pointee.event {
      report(alarm, at: entry.pointee.sequence)
    }
  }

  /// Whether events wait that are durable.
  var canDeliver: Bool { outbox.front(through: journal.durable) != nil }

  /// Whether every command up to `sequence` is durable and no event of it waits.
  func hasDelivered(through sequence: SequenceNumber) -> Bool {
    journal.durable >= sequence && outbox.front(through: sequence) == nil
  }

  /// Whether events wait.
  var isHolding: Bool { outbox.count > 0 }

  /// A turn of the loop is over: the journal has every command of it, and the next command
  /// reads the clock again.
  func endTurn() {
    journal.endTurn()
    clockIsFresh = false
    if journal.isHindered != announcedHindrance { announceHindrance() }
    if journal.headroom != announcedHeadroom { announceHeadroom() }
  }

  /// The next segment cannot be made, or can again. That is told long before the present one is full.
  private func announceHindrance() {
    announcedHindrance = journal.isHindered
    if announcedHindrance, let obstacle = journal.obstacle {
      log.critical(
        "ALARM: the journal's next segment cannot be made; it is tried again, trading goes on",
        metadata: obstacle.fields)
    } else if !announcedHindrance {
      log.notice("the journal's next segment can be made again")
    }
  }

  private func announceHeadroom() {
    announcedHeadroom = journal.headroom
    let isFull = journal.obstacle?.isFull ?? true
    let what = isFull ? "the journal's disk is full" : "the journal has no next segment"
    switch announcedHeadroom {
    case .ample: log.notice("the journal's disk has room again; everything is taken in")
    case .low: log.critical("ALARM: \(what): only cancels are taken in")
    case .none: log.critical("ALARM: \(what): nothing is taken in")
    }
  }

  /// The time of the run goes on from the journal's.
  private func beginTime() {
    let last = sequencer.now
    guard case .fellBehind(let nanoseconds) = sequencer.begin() else { return }
    log.critical(
      "ALARM: the system's clock is behind the journal's last time; time goes on steadily from there",
      metadata: [
        "nanoseconds": "\(nanoseconds)", "journal": "\(last.iso8601)",
        "clock": "\(Timestamp(nanoseconds: last.nanoseconds - nanoseconds).iso8601)",
      ])
  }

  private func apply(_ command: inout Command) {
    setTime(for: command)
    sequencer.stamp(&command)
    lastTime = command.time
    hand.begin(command.sequence)
    journal.append(command)
    outbox.begin(command)
    #if DEBUG
      CommandTrap.meet(command)
    #endif
    exchange.apply(command, into: &outbox)
  }

  /// The system's clock is read once a turn; a driven one is set by ticks, and never backwards.
  private func setTime(for command: borrowing Command) {
    switch sequencer.clock {
    case .system:
      if clockIsFresh { return }
      // It says what was before it: at a later time an order could expire first, and nothing would agree.
      if case .control(.checkpoint) = command.body { return }
      clockIsFresh = true
      switch sequencer.readClock() {
      case .jumpedAhead(let nanoseconds):
        log.error(
          "ALARM: the system's clock jumped ahead; not followed",
          metadata: ["nanoseconds": "\(nanoseconds)"])
      case .fellBehind(let nanoseconds):
        log.error(
          "ALARM: the system's clock is behind; time goes on steadily",
          metadata: ["nanoseconds": "\(nanoseconds)"])
      case nil: break
      }
    case .driven:
      if case .control(.tick) = command.body { _ = sequencer.drive(to: command.time) }
    }
  }

  private func report(_ alarm: Alarm, at sequence: SequenceNumber) {
    log.critical(
      "ALARM: of the exchange",
      metadata: [
        "kind": "\(alarm.kind)", "value": "\(alarm.value)", "command": sequence.field,
      ])
  }
}
