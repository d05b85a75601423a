// Stages 3 to 7, all on one thread: the I/O thread, or one of its own (MatchingThread.swift).
//
//     take ──▶ intake ──▶ sequencer ─┬─▶ commit log
//     settlement ──▲                 └─▶ exchange ─▶ outbox ─▶ gateway, while sequence <= durable
//
// Commands are gathered by the intake, shown to the exchange in blocks, and applied one by one: at the latest
// when the turn ends or somebody asks a question. A block is applied only when the log has capacity for it and a
// checkpoint behind it, and the outbox is not full; otherwise it waits, and behind it the socket.

import ExchangeCore
import GatewayKit
import Journaling
import Logging
import MarketModel
import Rings
import Settlement

/// The exchange with the stages around it. Owned by one thread; the intake's ring and the log's durable number
/// are all it shares.
final class MatchingStage {
  /// The state of the market as of the last command applied.
  private(set) var exchange: Exchange

  private var sequencer: SequencerStage
  private var commits: ConfiguredLog
  private var intake: Intake
  private var outbox: Outbox
  private let checkpointInterval: UInt64
  private var sinceCheckpoint: UInt64 = 0
  private var announcedHeadroom = DiskHeadroom.ample
  private var announcedHindrance = false
  private let hand = CommandInHand(.live)
  /// Commands of the journal that were refused.
  private let refused: Int
  private let log: Logger

  /// The stage after a recovery.
  /// - Parameters:
  ///   - recovered: The exchange with the recovered journal applied.
  ///   - commits: Keeps the commands.
  ///   - intake: Where commands enter.
  ///   - time: What the system's clock is.
  init(
    _ recovered: consuming RecoveredExchange, commits: consuming ConfiguredLog,
    intake: consuming Intake, configuration: Configuration, time: any TimeSource = SystemTime(),
    log: Logger
  ) {
    sequencer = SequencerStage(
      after: recovered.lastSequence, lastTime: recovered.lastTime,
      clock: configuration.clock == .driven ? .driven : .system, time: time, log: log)
    refused = recovered.refused.count
    self.commits = commits
    self.intake = intake
    exchange = recovered.exchange
    self.log = log
    outbox = Outbox(bound: Int(configuration.outboxEvents))
    checkpointInterval = configuration.checkpointInterval
  }

  /// Whether everything that was taken in is applied, durable and delivered.
  var isIdle: Bool {
    outbox.count == 0 && isDurable && !hasIntake
  }

  /// The last command applied.
  var lastSequence: SequenceNumber { sequencer.lastSequence }

  /// Whether everything that was applied is durable.
  var isDurable: Bool { commits.durable >= lastSequence }

  /// Writes the lengths of the queues and the state of the gates into a sample.
  func record(into sample: inout ServerMetrics.Sample) {
    sample.status = status(false)
    (sample.ingress, sample.outbox) = (intake.waiting, outbox.count)
    (sample.headroom, sample.refused) = (commits.headroom, refused)
    sample.obstacle = commits.obstacle
  }

  /// How the exchange is.
  func status(_ withStateHash: Bool) -> ServerStatus {
    var status = ServerStatus()
    let counts = exchange.counts
    status.time = sequencer.now
    (status.lastSequence, status.durableSequence) = (lastSequence, commits.durable)
    status.eventHash = exchange.eventHash
    status.stateHash = withStateHash ? exchange.stateHash() : 0
    (status.settledSequence, status.settledBatch) = (counts.settledSequence, counts.settledBatch)
    (status.tradeCount, status.openOrderCount) = (counts.trades, counts.openOrders)
    status.rulesVersion = exchange.rules
    status.refusedCommandCount = UInt32(refused)
    return status
  }

  /// What the exchange says to a question, as of the last command applied.
  /// - Returns: `nil` when commands that were taken in before wait for capacity.
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
    return Answer(finding, through: lastSequence)
  }

  /// Whether commands wait to be applied.
  var hasIntake: Bool { !intake.isEmpty }

  /// Whether the journal's disk has room for what `command` does: a full one takes cancels only, and
  /// in the end nothing.
  func admits(_ command: Command) -> Bool {
    switch commits.headroom {
    case .ample: return true
    case .none: return false
    case .low:
      switch command.body {
      case .cancel, .order(.massCancel), .session(.beginSession), .session(.endSession): return true
      default: return false
      }
    }
  }

  /// Takes a command in; it is applied by the next `work` at the latest. Also while events are handed over.
  /// - Returns: `false` when the intake is full.
  func take(_ command: Command) -> Bool {
    guard intake.take(command) else { return false }
    if intake.isBlockFull { _ = applyBlock() }
    return true
  }

  /// Applies what waits in the intake, as long as log and outbox have capacity.
  func work() {
    while applyBlock() {}
  }

  /// Applies the next block, if there is capacity for all that follows from it.
  /// - Returns: `false` when there was none, or none for it.
  private func applyBlock() -> Bool {
    let block = intake.nextBlock()
    guard !block.isEmpty, !outbox.isFull, commits.hasCapacity(for: block.count) else {
      return false
    }
    let commands = UnsafeBufferPointer(block)
    hand.takeThread()
    for index in block.indices {
      exchange.anticipate(commands, before: index)
      apply(&block[index])
    }
    // Before anybody is told of them.
    hand.end()
    sinceCheckpoint += UInt64(block.count)
    intake.removeBlock()
    if sinceCheckpoint >= checkpointInterval { checkpoint(withStateHash: false) }
    return true
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
    guard sequencer.hasCome(to: due), intake.isBlockEmpty, !outbox.isFull,
      commits.hasCapacity(for: 1)
    else { return }
    var command = Command(session: .exchange, body: .control(.tick))
    sequencer.endTurn()
    hand.takeThread()
    apply(&command)
    hand.end()
    endTurn()
  }

  /// Hands every durable event over, command by command, and says up to where all are durable.
  func deliver(to delivery: Delivery) {
    var ahead = 0
    let through = deliver { entry, isLast in
      if ahead == 0 { ahead = outbox.anticipate(Intake.blockLength, by: delivery) }
      ahead -= 1
      let sequence = entry.pointee.sequence
      delivery.deliver(entry.event, of: sequence, entry.pointee.time)
      if isLast { delivery.endCommand(entry.pointee.time) }
      return true
    }
    delivery.delivered(through: through)
  }

  /// Hands every durable event to `take`, which says of each whether it was taken; with each goes whether it
  /// is the last of its command. An event stands where it is until the next; commands may be taken and applied
  /// meanwhile, and their events wait behind it.
  /// - Returns: The last command that is durable and whose events, like those of all before it, were taken.
  @inline(__always)
  func deliver(_ take: (UnsafePointer<OutboxEntry>, Bool) -> Bool) -> SequenceNumber {
    let gate = commits.durable
    var through = gate
    while let entry = outbox.front(through: gate) {
      let sequence = entry.pointee.sequence
      guard take(entry, outbox.isLast(of: sequence)) else {
        through = SequenceNumber(sequence.rawValue - 1)
        break
      }
      if entry.event.kind == .other { noteRare(entry) }
      outbox.drop()
    }
    return through
  }

  private func noteRare(_ entry: UnsafePointer<OutboxEntry>) {
    if case .control(.alarm(let alarm)) = entry.pointee.event {
      report(alarm, at: entry.pointee.sequence)
    }
  }

  /// Whether events wait that are durable.
  var canDeliver: Bool { outbox.hasEvent(through: commits.durable) }

  /// Whether every command up to `sequence` is durable and no event of it waits.
  func hasDelivered(through sequence: SequenceNumber) -> Bool {
    commits.durable >= sequence && !outbox.hasEvent(through: sequence)
  }

  /// Whether events wait.
  var isHolding: Bool { outbox.count > 0 }

  /// A turn of the loop is over: the log has every command of it, and the next command reads the clock again.
  func endTurn() {
    commits.endTurn()
    sequencer.endTurn()
    if commits.isHindered != announcedHindrance { announceHindrance() }
    if commits.headroom != announcedHeadroom { announceHeadroom() }
  }

  /// The next segment cannot be made, or can again. That is told long before the present one is full.
  private func announceHindrance() {
    announcedHindrance = commits.isHindered
    if announcedHindrance, let obstacle = commits.obstacle {
      log.critical(
        "ALARM: the journal's next segment cannot be made; it is tried again, trading goes on",
        metadata: obstacle.fields)
    } else if !announcedHindrance {
      log.notice("the journal's next segment can be made again")
    }
  }

  private func announceHeadroom() {
    announcedHeadroom = commits.headroom
    let isFull = commits.obstacle?.isFull ?? true
    let what = isFull ? "the journal's disk is full" : "the journal has no next segment"
    switch announcedHeadroom {
    case .ample: log.notice("the journal's disk has room again; everything is taken in")
    case .low: log.critical("ALARM: \(what): only cancels are taken in")
    case .none: log.critical("ALARM: \(what): nothing is taken in")
    }
  }

  /// Ends the log in order. Once, behind the last turn.
  func close() { commits.close() }

  private func apply(_ command: inout Command) {
    sequencer.stamp(&command)
    hand.begin(command.sequence)
    commits.append(command)
    outbox.begin(command)
    #if DEBUG
      CommandTrap.meet(command)
    #endif
    exchange.apply(command, into: &outbox)
  }

  private func report(_ alarm: Alarm, at sequence: SequenceNumber) {
    log.critical(
      "ALARM: of the exchange",
      metadata: [
        "kind": "\(alarm.kind)", "value": "\(alarm.value)", "command": sequence.field,
      ])
  }
}
