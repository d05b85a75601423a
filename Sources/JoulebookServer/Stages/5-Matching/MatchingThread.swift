// The pipelined assembly: stages 3 to 7 on a thread of their own, between two rings.
//
//     I/O thread                               exchange thread
//     submit ──────────▶ [ commands ] ────────▶ intake ... outbox
//     deliver ◀───────── [ events ] ◀─────────── what is durable
//     ask ─── question ───────────────────────▶ answered between two batches
//                        passedThrough ◀─────── behind the events: answers up to there may leave
//
// Each thread rings for the other. Only durable events enter the second ring; when it is full they stay in
// the market's outbox, whose bound stops the exchange, and behind it the reader.

import GatewayKit
import Journaling
import MarketModel
import Rings
import Synchronization

/// A matching stage on a thread of its own, from `start` to `end`; before and after it is the I/O thread's, and
/// what is asked is answered there. Its methods belong to that thread, but for `run`.
final class MatchingThread: @unchecked Sendable {
  /// Commands, and events, that may be between the threads.
  private static let capacity = 1 << 14
  /// Commands that are applied before their events are passed on.
  private static let batch = 256
  /// How long the exchange thread sleeps when nothing but time can help, ns.
  private static let pause: UInt64 = 1_000_000

  private struct Passed: BitwiseCopyable {
    var entry: OutboxEntry
    /// It is the last of its command.
    var isLast: Bool
  }

  private let stage: MatchingStage
  private let bell: Doorbell
  private let spins: Bool
  private let wake: @Sendable () -> Void
  private let commands = SingleProducerRing<Command>(capacity: capacity, waiting: .yield)
  private let events = SingleProducerRing<Passed>(capacity: capacity, waiting: .yield)
  private var entrance: SingleProducerRing<Command>.Producer
  private var exit: SingleProducerRing<Passed>.Consumer
  /// `nil`: the stage is the I/O thread's.
  private var thread: ServiceThread?
  private let isEnding = Atomic<Bool>(false)
  private let isAsked = Atomic<Bool>(false)
  private let answered = Doorbell()
  /// Written before `isAsked` is set, and read behind it. Is told whether commands wait for capacity.
  private nonisolated(unsafe) var question: ((Bool) -> Void)?
  /// Every command up to here is durable, and its events are in their ring, or were.
  private let passedThrough = Atomic<UInt64>(0)
  /// The last answer waits until so much was passed; `.none`: none does. The exchange thread's.
  private nonisolated(unsafe) var awaited = SequenceNumber.none

  /// - Parameters:
  ///   - stage: From `start` to `end` it is the exchange thread's.
  ///   - bell: Rung when there is something for the exchange thread: by this, the journal, settlement.
  ///   - spins: The exchange thread looks without sleeping.
  ///   - wake: Wakes the loop.
  init(_ stage: MatchingStage, bell: Doorbell, spins: Bool, wake: @escaping @Sendable () -> Void) {
    (self.stage, self.bell, self.spins, self.wake) = (stage, bell, spins, wake)
    entrance = commands.claimProducer()
    exit = events.claimConsumer()
  }

  // MARK: The I/O thread's

  /// Starts the thread. Once.
  func start() { thread = ServiceThread("matching") { [self] in run() } }

  /// Takes a command in.
  /// - Returns: `false` when there is no capacity now.
  func take(_ command: Command) -> Bool { entrance.append(command) }

  /// The turn's commands are shown to the exchange.
  func show() {
    entrance.publish()
    bell.ring()
  }

  /// Hands the events that have come over.
  func deliver(to delivery: Delivery) {
    // Read first: the events up to there are seen in the ring then. Pairs with the release in `pass`.
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
    if hasCome { bell.ring() }
  }

  /// Whether nothing is between the threads, nor waits in the market.
  var isIdle: Bool { commands.count == 0 && events.count == 0 && ask { $0.isIdle } }

  /// Commands and events that are between the threads.
  var waiting: (commands: Int, events: Int) { (commands.count, events.count) }

  /// What the exchange says to a client's question.
  /// - Returns: `nil` when commands that were taken before wait for capacity.
  func answer(_ question: Question) -> Answer? {
    ask { stage, isBehind in
      guard !isBehind, let answer = stage.answer(question) else { return nil }
      // The loop is woken when it may leave.
      if answer.through.rawValue > passedThrough.load(ordering: .relaxed) {
        awaited = answer.through
      }
      return answer
    }
  }

  /// Runs `body` on the exchange thread, behind every command that was taken before and had capacity, and waits
  /// for it. On the calling thread before the thread is started and after it ended: nobody else would answer.
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
      bell.ring()
      // Pairs with the release there.
      _ = answered.wait { !isAsked.load(ordering: .acquiring) }
      question = nil
    }
    guard let answer else { preconditionFailure("a question is answered before the wait ends") }
    return answer
  }

  /// Ends the thread and waits for that. Once, when nothing is under way.
  func end() {
    isEnding.store(true, ordering: .releasing)
    bell.ring()
    thread?.join()
    thread = nil
  }

  // MARK: The exchange thread's

  /// The thread's body.
  private func run() {
    var commands = commands.claimConsumer()
    var events = events.claimProducer()
    while !isEnding.load(ordering: .acquiring) {
      let isBehind = feed(&commands)
      pass(&events)
      // Who asks does not take events meanwhile: a market that waits for that answers as it is.
      if isBehind || commands.available() == 0 { answerQuestion(isBehind: isBehind) }
      wait(isBehind: isBehind)
    }
  }

  /// Applies a batch of commands.
  /// - Returns: Whether commands are left that the stage has no capacity for.
  private func feed(_ commands: inout SingleProducerRing<Command>.Consumer) -> Bool {
    var taken = 0
    let most = min(Self.batch, commands.available())
    while taken < most, stage.take(commands[taken]) { taken += 1 }
    commands.advance(by: taken)
    stage.work()
    stage.endTurn()
    return taken < most || stage.hasIntake
  }

  /// Passes durable events on.
  private func pass(_ events: inout SingleProducerRing<Passed>.Producer) {
    var passed = 0
    let through = stage.deliver { entry, isLast in
      guard events.append(Passed(entry: entry.pointee, isLast: isLast)) else { return false }
      passed += 1
      return true
    }
    if passed > 0 { events.publish() }
    // Pairs with the acquire in `deliver`: who sees it sees the events.
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
    _ = bell.wait(timeoutNanoseconds: isBehind || stage.isHolding ? Self.pause : nil) {
      isEnding.load(ordering: .acquiring) || isAsked.load(ordering: .acquiring)
        || (!isBehind && (commands.count > 0 || stage.hasIntake))
        || (stage.canDeliver && events.count < Self.capacity)
        || (awaited > .none && stage.hasDelivered(through: SequenceNumber(passed + 1)))
    }
  }
}
