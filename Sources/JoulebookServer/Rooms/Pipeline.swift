// The pipelined assembly: rooms 3 to 7 on a thread of their own, between two rings.
//
//     I/O thread                               exchange thread
//     submit ──────────▶ [ commands ] ────────▶ market room ─▶ journal
//     deliver ◀───────── [ events ] ◀─────────── what is durable
//     ask ─── question ───────────────────────▶ answered between two batches
//
// Each thread rings for the other. Only durable events enter the second ring; when it is full they stay in
// the market's outbox, whose bound stops the exchange, and behind it the reader.

import GatewayBinary
import Journaling
import MarketModel
import Rings
import Synchronization

/// A market room on a thread of its own. Its methods belong to the I/O thread, but for `run`.
final class Pipeline: @unchecked Sendable {
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

  private let room: MarketRoom
  private let bell: Doorbell
  private let spins: Bool
  private let wake: @Sendable () -> Void
  private let commands = SingleProducerRing<Command>(capacity: capacity, waiting: .yield)
  private let events = SingleProducerRing<Passed>(capacity: capacity, waiting: .yield)
  private var entrance: SingleProducerRing<Command>.Producer
  private var exit: SingleProducerRing<Passed>.Consumer
  private let isEnding = Atomic<Bool>(false)
  private let isAsked = Atomic<Bool>(false)
  private let answered = Doorbell()
  /// Written before `isAsked` is set, and read behind it.
  private nonisolated(unsafe) var question: (() -> Void)?

  /// - Parameters:
  ///   - room: From `run` on it is the exchange thread's.
  ///   - bell: Rung when there is something for the exchange thread: by this, the journal, the follower.
  ///   - spins: The exchange thread looks without sleeping.
  ///   - wake: Wakes the loop.
  init(_ room: MarketRoom, bell: Doorbell, spins: Bool, wake: @escaping @Sendable () -> Void) {
    (self.room, self.bell, self.spins, self.wake) = (room, bell, spins, wake)
    entrance = commands.claimProducer()
    exit = events.claimConsumer()
  }

  // MARK: The I/O thread's

  /// Takes a command in.
  /// - Returns: `false` when there is no room now.
  func take(_ command: Command) -> Bool { entrance.append(command) }

  /// The turn's commands are shown to the exchange.
  func show() {
    entrance.publish()
    bell.ring()
  }

  /// Hands the events that have come to `gateway`.
  func deliver(to gateway: BinaryGateway) {
    var left = exit.available()
    if left == 0 { return }
    while left > 0 {
      left -= 1
      let passed = exit[0]
      let entry = passed.entry
      gateway.deliver(entry.event, sequence: entry.sequence, time: entry.time)
      if passed.isLast { gateway.endCommand(entry.sequence) }
      exit.advance(by: 1)
    }
    bell.ring()
  }

  /// Whether nothing is between the threads, nor waits in the market.
  var isIdle: Bool { commands.count == 0 && events.count == 0 && ask { $0.isIdle } }

  /// Commands and events that are between the threads.
  var waiting: (commands: Int, events: Int) { (commands.count, events.count) }

  /// Runs `body` on the exchange thread, behind every command that was taken before, and waits for it.
  func ask<Answer>(_ body: (MarketRoom) -> Answer) -> Answer {
    var answer: Answer?
    withoutActuallyEscaping(body) { body in
      question = { [room] in answer = body(room) }
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

  /// Ends the thread. Once, when nothing is under way.
  func end() {
    isEnding.store(true, ordering: .releasing)
    bell.ring()
  }

  // MARK: The exchange thread's

  /// The thread's body.
  func run() {
    var commands = commands.claimConsumer()
    var events = events.claimProducer()
    while !isEnding.load(ordering: .acquiring) {
      let isBehind = feed(&commands)
      pass(&events)
      // Who asks does not take events meanwhile: a market that waits for that answers as it is.
      if isBehind || commands.available() == 0 { answerQuestion() }
      wait(isBehind: isBehind)
    }
  }

  /// Applies a batch of commands.
  /// - Returns: Whether commands are left that the market has no room for.
  private func feed(_ commands: inout SingleProducerRing<Command>.Consumer) -> Bool {
    var taken = 0
    let most = min(Self.batch, commands.available())
    while taken < most, room.take(commands[taken]) { taken += 1 }
    commands.advance(by: taken)
    room.work()
    room.endTurn()
    return taken < most || room.hasIntake
  }

  /// Passes durable events on.
  private func pass(_ events: inout SingleProducerRing<Passed>.Producer) {
    var passed = 0
    room.deliver { entry, isLast in
      guard events.append(Passed(entry: entry.pointee, isLast: isLast)) else { return false }
      passed += 1
      return true
    }
    guard passed > 0 else { return }
    events.publish()
    wake()
  }

  private func answerQuestion() {
    // Pairs with the release in `ask`.
    guard isAsked.load(ordering: .acquiring) else { return }
    room.work()
    question?()
    room.endTurn()
    isAsked.store(false, ordering: .releasing)
    answered.ring()
  }

  private func wait(isBehind: Bool) {
    if spins { return }
    _ = bell.wait(timeoutNanoseconds: isBehind || room.isHolding ? Self.pause : nil) {
      isEnding.load(ordering: .acquiring) || isAsked.load(ordering: .acquiring)
        || (!isBehind && (commands.count > 0 || room.hasIntake))
        || (room.canDeliver && events.count < Self.capacity)
    }
  }
}
