// Stages 3 to 7 on one thread: the I/O thread, or their own (MatchingThread.swift).
//
//     take ──▶ intake ──▶ sequencer ─┬─▶ commit log
//     settlement ──▲                 └─▶ exchange ─▶ outbox ─▶ gateways, while sequence <= durable
//
// The intake gathers commands into blocks. The exchange prefetches for a block and applies its
// commands one by one, at the latest when the turn ends or a question is asked. A block is applied
// only if the log has capacity for it and a following checkpoint, and the outbox is not full.
// Otherwise it waits, and the sockets are not read (backpressure).

import ExchangeCore
import GatewayKit
import Journaling
import Logging
import MarketModel
import Rings
import Settlement

/// The exchange with its intake, sequencer, log and outbox. Owned by one thread; it shares only the
/// intake's ring and the log's durable number with others.
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
  private let current = CurrentCommand(.live)
  /// Commands that took long, for whose work their senders pay.
  let long = LongCommands()
  /// When the first entry of the exchange's schedule is due, as of the last turn.
  let scheduled = ScheduledMoment()
  /// Refuses commands of those who have used up their work.
  private var gate: WorkGate
  /// Number of commands in the journal that were refused at a start.
  private let refused: Int
  private let log: Logger
  /// The transfers that the history of accounts lacks; `HistoryService.noLag`: none is filled.
  var historyLag: @Sendable () -> UInt64 = { HistoryService.noLag }

  /// Creates the stage after recovery.
  /// - Parameters:
  ///   - recovered: The exchange with the journal applied.
  ///   - commits: Log to which commands are appended.
  ///   - intake: Queue through which commands arrive.
  ///   - time: Source of the system clock.
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
    scheduled.set(exchange.nextDue)
    gate = WorkGate(configuration.work)
    self.log = log
    outbox = Outbox(bound: Int(configuration.outboxEvents))
    checkpointInterval = configuration.checkpointInterval
  }

  /// Whether every accepted command is applied, durable and delivered.
  var isIdle: Bool {
    outbox.count == 0 && isDurable && !hasIntake
  }

  /// The last command applied.
  var lastSequence: SequenceNumber { sequencer.lastSequence }

  /// Whether every applied command is durable.
  var isDurable: Bool { commits.durable >= lastSequence }

  /// Writes queue lengths, disk headroom and obstacles into a metrics sample.
  func record(into sample: inout ServerMetrics.Sample) {
    sample.status = status(false)
    (sample.ingress, sample.outbox) = (intake.waiting, outbox.count)
    (sample.headroom, sample.refused) = (commits.headroom, refused)
    sample.obstacle = commits.obstacle
    sample.unsettled = exchange.unsettledUse
  }

  /// The status of the exchange; computing the state hash takes time linear in the state.
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
    status.historyLag = historyLag()
    return status
  }

  /// The exchange's answer to a question, as of the last command applied.
  /// - Returns: `nil` if commands accepted before still wait for capacity.
  func answer(_ question: Question) -> Answer? {
    if hasIntake { return nil }
    let finding: Answer.Finding
    switch question {
    case .orderState(let order, let asker):
      let state = mayAsk(asker, about: order) ? exchange.orderState(order) : nil
      finding = .orderState(state)
    case .explanation(let order, let asker):
      finding = .explanation(mayAsk(asker, about: order) ? exchange.explain(order) : nil)
    case .balance(let account, let area):
      finding = .balance(exchange.balanceOrCash(of: account, in: area))
    case .status(let withStateHash): finding = .status(status(withStateHash))
    case .list(let query): finding = .list(exchange.page(query))
    }
    return Answer(finding, through: lastSequence)
  }

  /// Whether the order is open and the asker may know it. Constant time.
  private func mayAsk(_ asker: Asker, about order: OrderId) -> Bool {
    exchange.account(of: order).map { asker.mayAsk(of: exchange.owner(of: $0)) } ?? false
  }

  /// Whether commands wait to be applied.
  var hasIntake: Bool { !intake.isEmpty }

  /// Whether the journal's disk has headroom for `command`. With little headroom, only cancels and
  /// session commands are accepted; with none, nothing is.
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

  /// Accepts a command; the next `work` applies it at the latest. May be called while events are
  /// being delivered.
  /// - Returns: `false` if the intake is full.
  func take(_ command: Command) -> Bool {
    guard intake.take(command) else { return false }
    if intake.isBlockFull { _ = applyBlock() }
    return true
  }

  /// Applies the commands in the intake, as far as log and outbox have capacity.
  func work() {
    while applyBlock() {}
  }

  /// Applies the next block, if log and outbox have capacity.
  /// - Returns: `false` if there is no block, or no capacity.
  private func applyBlock() -> Bool {
    let block = intake.nextBlock()
    guard !block.isEmpty, !outbox.isFull, commits.hasCapacity(for: block.count) else {
      return false
    }
    let commands = UnsafeBufferPointer(block)
    current.registerThread()
    for index in block.indices {
      exchange.anticipate(commands, before: index)
      apply(&block[index])
    }
    // The record is cleared before any client learns of these commands.
    current.end()
    sinceCheckpoint += UInt64(block.count)
    intake.removeBlock()
    if sinceCheckpoint >= checkpointInterval { checkpoint(withStateHash: false) }
    return true
  }

  /// Journals the rolling event hash. With the state hash, the checkpoint also closes the
  /// settlement batch.
  func checkpoint(withStateHash: Bool) {
    sinceCheckpoint = 0
    let hashes = Checkpoint(
      eventHash: exchange.eventHash, stateHash: withStateHash ? exchange.stateHash() : 0)
    var command = Command(session: .exchange, body: .control(.checkpoint(hashes)))
    current.registerThread()
    apply(&command)
    current.end()
  }

  /// Journals a tick if no command has come at `due` or after it: in a quiet market the settlement
  /// batch would stay open, and the entry of the schedule would wait. Does nothing with a driven
  /// clock, or while the clock is before `due`.
  func tick(dueAt due: Timestamp) {
    guard sequencer.hasReached(due), intake.isBlockEmpty, !outbox.isFull,
      commits.hasCapacity(for: 1)
    else { return }
    var command = Command(session: .exchange, body: .control(.tick))
    sequencer.endTurn()
    current.registerThread()
    apply(&command)
    current.end()
    endTurn()
  }

  /// Delivers every durable event, command by command, then reports the last command delivered in
  /// full.
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

  /// Passes every durable event to `take`, together with whether it is the last of its command,
  /// until `take` returns `false`. The pointer is valid until the next event. Commands may be
  /// accepted and applied during the call; their events are appended.
  /// - Returns: the last command such that it and all before it are durable and fully taken.
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
    switch entry.pointee.event {
    case .control(.alarm(let alarm)): report(alarm, at: entry.pointee.sequence)
    case .rejected(let rejected) where rejected.isLate: report(rejected, at: entry.pointee.sequence)
    default: break
    }
  }

  /// Whether a durable event is queued.
  var canDeliver: Bool { outbox.hasEvent(through: commits.durable) }

  /// Whether every command up to `sequence` is durable and none of its events is queued.
  func hasDelivered(through sequence: SequenceNumber) -> Bool {
    commits.durable >= sequence && !outbox.hasEvent(through: sequence)
  }

  /// Whether any event is queued.
  var hasQueuedEvents: Bool { outbox.count > 0 }

  /// Ends a turn: the log gets all its commands, and the next command reads the clock again.
  func endTurn() {
    commits.endTurn()
    sequencer.endTurn()
    scheduled.set(exchange.nextDue)
    if commits.isHindered != announcedHindrance { announceHindrance() }
    if commits.headroom != announcedHeadroom { announceHeadroom() }
  }

  /// Logs when preparing the next segment fails, and when it succeeds again. The present segment
  /// usually has much space then.
  private func announceHindrance() {
    announcedHindrance = commits.isHindered
    if announcedHindrance, let obstacle = commits.obstacle {
      log.critical(
        "ALARM: the journal's next segment cannot be created; the server retries",
        metadata: obstacle.fields)
    } else if !announcedHindrance {
      log.notice("the journal's next segment can be created again")
    }
  }

  private func announceHeadroom() {
    announcedHeadroom = commits.headroom
    let isFull = commits.obstacle?.isFull ?? true
    let what = isFull ? "the journal's disk is full" : "the journal has no next segment"
    switch announcedHeadroom {
    case .ample: log.notice("the journal's disk has space again; all commands are accepted")
    case .low: log.critical("ALARM: \(what): only cancels are accepted")
    case .none: log.critical("ALARM: \(what): no command is accepted")
    }
  }

  /// Closes the log. Called once, after the last turn.
  func close() { commits.close() }

  private func apply(_ command: inout Command) {
    sequencer.stamp(&command)
    if gate.isActive { refuseIfOverworked(&command) }
    current.begin(command.sequence)
    commits.append(command)
    outbox.begin(command)
    #if DEBUG
      CommandTrap.trapIfSelected(command)
    #endif
    let (before, visited) = (outbox.count, exchange.visitedOrders)
    exchange.apply(command, into: &outbox)
    let (events, orders) = (outbox.count - before, exchange.visitedOrders &- visited)
    // One comparison for more events than any command may have, and for none.
    if UInt(bitPattern: events &- 1) >= UInt(WorkBudget.Cost.events)
      || orders > WorkBudget.Cost.orders
    {
      charge(command, WorkBudget.Cost.ofCommand(events: events, visited: orders))
    }
  }

  /// Charges a command that took long to its sender.
  @inline(never) private func charge(_ command: borrowing Command, _ units: Int64) {
    guard let sender = exchange.sender(command.session) else { return }
    gate.charge(sender, units, at: command.time)
    long.note(command.session, units)
  }

  /// Replaces a command whose participant has used up its work by its refusal.
  @inline(never) private func refuseIfOverworked(_ command: inout Command) {
    guard let sender = exchange.sender(command.session) else { return }
    if let refusal = gate.refusal(of: command, from: sender) {
      command.body = .session(.refuseWork(refusal))
    }
  }

  /// Logs that an announced change was rejected at its moment: its sender may not be connected.
  private func report(_ rejected: Rejected, at sequence: SequenceNumber) {
    log.error(
      "an announced change was rejected at its moment; what it would have changed stays as it is",
      metadata: [
        "session": rejected.session.field, "code": "\(rejected.code.rawValue)",
        "field": "\(rejected.field)", "command": sequence.field,
      ])
  }

  private func report(_ alarm: Alarm, at sequence: SequenceNumber) {
    log.critical(
      "ALARM: the exchange reports a fault",
      metadata: [
        "kind": "\(alarm.kind)", "value": "\(alarm.value)", "command": sequence.field,
      ])
  }
}

extension Rejected {
  /// Whether it answers no message: a change that was accepted before does not fit at its moment.
  /// (Orders of standing instructions name their account.)
  fileprivate var isLate: Bool {
    clientSequence == 0 && session != .exchange && account == .null
  }
}
