// The pipelined assembly: stages 3 to 7 on their own thread, between two rings.
//
//     I/O thread                               matching thread
//     submit ──────────▶ [ commands ] ────────▶ intake ... outbox
//     deliver ◀───────── [ events ] ◀─────────── durable events
//     ask ─── question ───────────────────────▶ answered between two batches
//                        passedThrough ◀─────── published after the events: answers may leave
//
// Each thread wakes the other. Only durable events enter the second ring. When it is full they
// stay in the stage's outbox, whose bound stops matching, and then the reading of sockets.

import GatewayKit
import Journaling
import MarketModel
import Rings
import Synchronization

/// Runs a matching stage on its own thread, from `start` to `end`. Before and after, the stage
/// belongs to the I/O thread, which then answers questions itself. All methods are for the I/O
/// thread, except those marked as the matching thread's.
final class MatchingThread: @unchecked Sendable {
  /// Capacity of each ring, in commands or events.
  private static let capacity = 1 << 14
  /// Maximum number of commands applied before their events are passed on.
  private static let batch = 256
  /// Sleep of the matching thread while it waits for capacity, ns.
  private static let pause: UInt64 = 1_000_000

  private struct DurableEvent: BitwiseCopyable {
    var entry: OutboxEntry
    /// Whether it is the last event of its command.
    var isLast: Bool
  }

  private let stage: MatchingStage
  private let doorbell: Doorbell
  private let spins: Bool
  private let wake: @Sendable () -> Void
  private let commands = SingleProducerRing<Command>(capacity: capacity, waiting: .yield)
  private let events = SingleProducerRing<DurableEvent>(capacity: capacity, waiting: .yield)
  private var entrance: SingleProducerRing<Command>.Producer
  private var exit: SingleProducerRing<DurableEvent>.Consumer
  /// `nil` while the stage belongs to the I/O thread.
  private var thread: ServiceThread?
  private let isEnding = Atomic<Bool>(false)
  private let isAsked = Atomic<Bool>(false)
  private let answered = Doorbell()
  /// Written before `isAsked` is set, read after. Its argument says whether commands wait for
  /// capacity.
  private nonisolated(unsafe) var question: ((Bool) -> Void)?
  /// Every command up to here is durable and all its events have entered the events ring.
  private let passedThrough = Atomic<UInt64>(0)
  /// The command that the most recent answer waits for; `.none` if it waits for none. Used by the
  /// matching thread.
  private nonisolated(unsafe) var awaited = SequenceNumber.none

  /// - Parameters:
  ///   - stage: Belongs to the matching thread from `start` to `end`.
  ///   - doorbell: Wakes the matching thread; rung here, by the journal and by settlement.
  ///   - spins: The matching thread polls instead of sleeping.
  ///   - wake: Wakes the event loop.
  init(
    _ stage: MatchingStage, doorbell: Doorbell, spins: Bool, wake: @escaping @Sendable () -> Void
  ) {
    (self.stage, self.doorbell, self.spins, self.wake) = (stage, doorbell, spins, wake)
    entrance = commands.claimProducer()
    exit = events.claimConsumer()
  }

  // MARK: For the I/O thread

  /// Starts the thread. Called once.
  func start() { thread = ServiceThread("matching") { [self] in run() } }

  /// Accepts a command.
  /// - Returns: `false` if there is no capacity now.
  func take(_ command: Command) -> Bool { entrance.append(command) }

  /// Publishes the turn's commands to the matching thread.
  func publish() {
    entrance.publish()
    doorbell.ring()
  }

  /// Delivers the events that have arrived.
  func deliver(to delivery: Delivery) {
    // Loaded before the ring is read, so that all events up to it are visible. Pairs with the
    // release in `pass`.
    let through = SequenceNumber(passedThrough.load(ordering: .acquiring))
    var left = exit.available()
    let hasCome = left > 0
    while left > 0 {
      left -= 1
      let passed = exit[0]
      let (sequence, time) = (passed.entry.sequence, passed.entry.time)
      withUnsafePointer(to: passed.entry.event) { delivery.deliver($0, of: sequence, time) }
      if passed.isLast { delivery.endCommand(time) }
      exit.advance(by: 1)
    }
    delivery.delivered(through: through)
    if hasCome { doorbell.ring() }
  }

  /// Whether both rings are empty and the stage is idle.
  var isIdle: Bool { commands.count == 0 && events.count == 0 && ask { $0.isIdle } }

  /// Number of commands and of events in the rings.
  var waiting: (commands: Int, events: Int) { (commands.count, events.count) }

  /// The exchange's answer to a client's question.
  /// - Returns: `nil` if commands accepted before still wait for capacity.
  func answer(_ question: Question) -> Answer? {
    ask { stage, isBehind in
      guard !isBehind, let answer = stage.answer(question) else { return nil }
      // The answer must wait for events that are not yet passed; the loop is woken when it may
      // leave.
      if answer.through.rawValue > passedThrough.load(ordering: .relaxed) {
        awaited = answer.through
      }
      return answer
    }
  }

  /// Runs `body` on the matching thread, after every command that was accepted before and had
  /// capacity, and waits for it. Before `start` and after `end` it runs on the calling thread.
  func ask<Answer>(_ body: (MatchingStage) -> Answer) -> Answer { ask { stage, _ in body(stage) } }

  private func ask<Answer>(_ body: (MatchingStage, Bool) -> Answer) -> Answer {
    guard thread != nil else {
      stage.work()
      defer { stage.endTurn() }
      return body(stage, stage.hasIntake || commands.count > 0)
    }
    var answer: Answer?
    withoutActuallyEscaping(body) { body in
      question = { [stage] isBehind in answer = body(stage, isBehind) }
      entrance.publish()
      // Pairs with the acquire in `answerQuestion`.
      isAsked.store(true, ordering: .releasing)
      doorbell.ring()
      // Pairs with the release there.
      _ = answered.wait { !isAsked.load(ordering: .acquiring) }
      question = nil
    }
    guard let answer else { preconditionFailure("a question is answered before the wait ends") }
    return answer
  }

  /// Ends the thread and waits for it. Called once, when nothing is in flight.
  func end() {
    isEnding.store(true, ordering: .releasing)
    doorbell.ring()
    thread?.join()
    thread = nil
  }

  // MARK: For the matching thread

  /// The thread's body.
  private func run() {
    var commands = commands.claimConsumer()
    var events = events.claimProducer()
    while !isEnding.load(ordering: .acquiring) {
      let isBehind = feed(&commands)
      pass(&events)
      // The I/O thread takes no events while it waits for an answer, so a stage that waits for
      // capacity must answer in its present state.
      if isBehind || commands.available() == 0 { answerQuestion(isBehind: isBehind) }
      wait(isBehind: isBehind)
    }
  }

  /// Applies a batch of commands.
  /// - Returns: whether commands remain for which the stage has no capacity.
  private func feed(_ commands: inout SingleProducerRing<Command>.Consumer) -> Bool {
    var taken = 0
    let most = min(Self.batch, commands.available())
    while taken < most, stage.take(commands[taken]) { taken += 1 }
    commands.advance(by: taken)
    stage.work()
    stage.endTurn()
    return taken < most || stage.hasIntake
  }

  /// Moves durable events into the events ring.
  private func pass(_ events: inout SingleProducerRing<DurableEvent>.Producer) {
    var passed = 0
    let through = stage.deliver { entry, isLast in
      guard events.append(DurableEvent(entry: entry.pointee, isLast: isLast)) else { return false }
      passed += 1
      return true
    }
    if passed > 0 { events.publish() }
    // Pairs with the acquire in `deliver`: a reader that sees the new value sees the events.
    let before = passedThrough.exchange(through.rawValue, ordering: .releasing)
    let isAwaited = awaited > .none && through.rawValue > before
    if through >= awaited { awaited = .none }
    if passed > 0 || isAwaited { wake() }
  }

  private func answerQuestion(isBehind: Bool) {
    // Pairs with the release in `ask`.
    guard isAsked.load(ordering: .acquiring) else { return }
    stage.work()
    question?(isBehind)
    stage.endTurn()
    isAsked.store(false, ordering: .releasing)
    answered.ring()
  }

  private func wait(isBehind: Bool) {
    if spins { return }
    let passed = passedThrough.load(ordering: .relaxed)
    _ = doorbell.wait(timeoutNanoseconds: isBehind || stage.hasQueuedEvents ? Self.pause : nil) {
      isEnding.load(ordering: .acquiring) || isAsked.load(ordering: .acquiring)
        || (!isBehind && (commands.count > 0 || stage.hasIntake))
        || (stage.canDeliver && events.count < Self.capacity)
        || (awaited > .none && stage.hasDelivered(through: SequenceNumber(passed + 1)))
    }
  }
}
