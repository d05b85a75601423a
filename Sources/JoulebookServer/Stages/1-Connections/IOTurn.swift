// Stage 1, with the transport: a turn of the I/O thread. The loop calls, and nobody calls back:
//
//     loop ─┬─ bytes ──────▶ gateway ─▶ ServerPort ─▶ stages            read, submit
//           ├─ readEnds ───▶ IOTurn ─▶ stages ─▶ Delivery ─▶ gateways   in a long turn
//           ├─ woken, timers ▶ IOTurn
//           └─ turnEnds ───▶ IOTurn ─▶ stages ─▶ Delivery ─▶ gateways   apply, deliver; then flush

import GatewayKit
import MarketModel
import Synchronization
import Transport

/// Raised once, by any thread, to stop the server.
final class StopFlag: Sendable {
  private let raised = Atomic<Bool>(false)
  /// Any thread.
  func raise() { raised.store(true, ordering: .relaxed) }
  /// The I/O thread; the wake that follows `raise` orders them.
  var isRaised: Bool { raised.load(ordering: .relaxed) }
}

/// What is done in a turn of the loop. Owned by the I/O thread.
final class IOTurn: LoopHandler {
  /// Commands after which what they led to is delivered early: the first clients of a long turn have their answers while
  /// the last are still read, so that clients and server work side by side, not in turns.
  private static let longTurn = 256
  /// How often gateways are called by the clock, ms.
  static let tickInterval: UInt64 = 250
  /// Turns in which what had come when silence is looked for is read: in the first, connections are
  /// accepted and known ones read; in the second, those that were accepted.
  private static let readingTurns = 2
  private static let tickTimer = TimerToken(-1)
  private static let sampleTimer = TimerToken(2)
  private static let batchTimer = TimerToken(3)
  /// How often it is looked whether a settlement batch is due, ms.
  private static let batchInterval: UInt64 = 250
  /// How often metrics are sampled, ms.
  private static let sampleInterval: UInt64 = 250

  private let network: any Network
  private let port: Borrowed<ServerPort>
  private let delivery: Borrowed<Delivery>
  private let lost: LostSessions
  private let clock: ServingClock
  private let flag: StopFlag
  /// Samples what the server is doing; `nil`: nobody asks.
  private let sampler: MetricsSampler
  /// How the server ends.
  let shutdown: Shutdown
  private let batches: BatchTimer
  private var stages: Borrowed<Stages>?
  /// Commands that had been taken when something was delivered last.
  private var takenBefore = 0
  /// When silence was last looked for, and how many more turns read what had come by then.
  private var judgement: (now: SteadyTime, turns: Int)?

  init(
    _ network: any Network, _ port: ServerPort, _ delivery: Delivery, _ lost: LostSessions,
    _ clock: ServingClock, _ flag: StopFlag, _ shutdown: Shutdown, _ sampler: MetricsSampler,
    _ batches: BatchTimer
  ) {
    (self.network, self.lost, self.clock, self.flag) = (network, lost, clock, flag)
    (self.port, self.delivery) = (Borrowed(port), Borrowed(delivery))
    (self.shutdown, self.sampler, self.batches) = (shutdown, sampler, batches)
    network.startTimer(Self.tickTimer, after: Self.tickInterval, every: Self.tickInterval)
  }

  /// Everything stands: to every session the restart is the loss of its connection, and what follows from that at once
  /// is applied. Once, before the loop runs.
  /// - Parameter stages: Are kept by the server.
  func begin(_ stages: Stages) {
    self.stages = Borrowed(stages)
    port { $0.stages = Borrowed(stages) }
    clock.look()
    delivery { lost.recovered($0.view) }
    if let thread = stages.thread { return thread { $0.show() } }
    stages.matching.work()
    stages.matching.endTurn()
  }

  /// Samples metrics four times a second from now on.
  func watch() {
    sample()
    network.startTimer(Self.sampleTimer, after: Self.sampleInterval, every: Self.sampleInterval)
  }

  /// Has settlement batches closed on time from now on, though no command comes. Not with a driven clock:
  /// there only an operator's ticks make time pass.
  func watchBatches() {
    network.startTimer(Self.batchTimer, after: Self.batchInterval, every: Self.batchInterval)
  }

  /// Samples metrics now.
  func sample() {
    guard let stages else { return }
    stages { stages in
      port { port in delivery { sampler.sample(stages, port, $0, network) } }
    }
  }

  // MARK: From the loop

  func readEnds() {
    guard port({ $0.taken }) - takenBefore >= Self.longTurn else { return }
    serve()
    network.sendNow()
    takenBefore = port { $0.taken }
  }

  func woken() {
    clock.look()
    guard flag.isRaised, shutdown.isRunning else { return }
    port { $0.isServing = false }
    lost.end()
    shutdown.begin(network)
  }

  func timerFired(_ timer: TimerToken) {
    clock.look()
    switch timer {
    case Self.tickTimer: tick()
    case Self.sampleTimer: sample()
    case Self.batchTimer: closeDueBatch()
    default: break
    }
  }

  func turnEnds() {
    port { $0.submitOwn() }
    if let stages { stages { endTurn($0) } }
    takenBefore = port { $0.taken }
    delivery { delivery in delivery.forEach { $0.turnEnds() } }
    if judgement != nil { judgeSilence() }
    delivery { delivery in delivery.forEach { $0.resumeReading() } }
  }

  private func endTurn(_ stages: Stages) {
    delivery { delivery in
      stages.verifier?.deliver(to: delivery)
      serve(stages, delivery)
      port { $0.deliverRetransmissions(to: delivery) }
      if stages.thread == nil {
        // What the delivery made room for is applied now, not when the next client speaks.
        if stages.matching.hasIntake { stages.matching.work() }
        stages.matching.endTurn()
      }
      if !shutdown.isRunning { shutdown.advance(stages, delivery, network) }
    }
  }

  private func serve() {
    guard let stages else { return }
    stages { stages in delivery { serve(stages, $0) } }
  }

  /// Has everything applied that was taken in, and delivers what is durable.
  private func serve(_ stages: Stages, _ delivery: Delivery) {
    if let thread = stages.thread {
      thread { thread in
        thread.show()
        thread.deliver(to: delivery)
      }
    } else {
      stages.matching.work()
      stages.matching.endTurn()
      stages.matching.deliver(to: delivery)
    }
  }

  // MARK: By the clock

  private func tick() {
    if judgement == nil {
      judgement = (clock.now, Self.readingTurns)
      network.turnAgain()
    }
    delivery { delivery in delivery.forEach { $0.tick() } }
  }

  /// Who has been silent for too long, and whose orders go: judged by the moment at which it was looked for,
  /// when everything that had come by then was read. However long we were held up, nobody was silent whose
  /// bytes lay in a buffer.
  private func judgeSilence() {
    guard let (moment, turns) = judgement else { return }
    if turns > 1 {
      judgement = (moment, turns - 1)
      return network.turnAgain()
    }
    judgement = nil
    delivery { delivery in delivery.forEach { $0.judgeSilence(at: moment) } }
    lost.cancelOrders(dueAt: moment)
  }

  private func closeDueBatch() {
    guard shutdown.isRunning, let stages else { return }
    stages { batches.look($0) }
  }
}
