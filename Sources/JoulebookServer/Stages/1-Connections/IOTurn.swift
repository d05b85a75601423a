// Stage 1, with the transport: a turn of the I/O thread. Calls go in one direction only:
//
//     loop ─┬─ bytes ──────▶ gateway ─▶ ServerPort ─▶ stages            read, submit
//           ├─ readEnds ───▶ IOTurn ─▶ stages ─▶ Delivery ─▶ gateways   in a long turn
//           ├─ woken, timers ▶ IOTurn
//           └─ turnEnds ───▶ IOTurn ─▶ stages ─▶ Delivery ─▶ gateways   apply, deliver; then flush

import GatewayKit
import MarketModel
import Synchronization
import Transport

/// A flag that any thread raises once to stop the server.
final class StopFlag: Sendable {
  private let raised = Atomic<Bool>(false)
  /// Raises the flag. Any thread.
  func raise() { raised.store(true, ordering: .relaxed) }
  /// Read by the I/O thread; the wake that follows `raise` provides the ordering.
  var isRaised: Bool { raised.load(ordering: .relaxed) }
}

/// The work of one turn of the event loop. Owned by the I/O thread.
final class IOTurn: LoopHandler {
  /// Number of commands in a turn after which results are delivered early. In a long turn the first
  /// clients then receive their answers while the last are still being read, so that clients and
  /// server work in parallel.
  private static let longTurn = 256
  /// Interval of the gateways' timer, ms.
  static let tickInterval: UInt64 = 250
  /// Number of turns that read pending bytes before silence is judged. The first accepts new
  /// connections and reads the known ones; the second reads those just accepted.
  private static let readingTurns = 2
  private static let tickTimer = TimerToken(-1)
  private static let sampleTimer = TimerToken(2)
  private static let dueTimer = TimerToken(3)
  /// Interval at which the moments of settlement batches and of the schedule are looked at, ms.
  private static let dueInterval: UInt64 = 250
  /// Interval at which metrics are sampled, ms.
  private static let sampleInterval: UInt64 = 250

  private let network: any Network
  private let port: Borrowed<ServerPort>
  private let delivery: Borrowed<Delivery>
  private let lost: LostSessions
  private let clock: ServingClock
  private let flag: StopFlag
  /// Samples metrics.
  private let sampler: MetricsSampler
  /// State machine of the orderly shutdown.
  let shutdown: Shutdown
  private let dues: DueTimer
  private var stages: Borrowed<Stages>?
  /// Value of the port's `taken` at the last delivery.
  private var takenBefore = 0
  /// When the pending check for silence was requested, and how many more turns read before it.
  private var judgement: (now: SteadyTime, turns: Int)?

  init(
    _ network: any Network, _ port: ServerPort, _ delivery: Delivery, _ lost: LostSessions,
    _ clock: ServingClock, _ flag: StopFlag, _ shutdown: Shutdown, _ sampler: MetricsSampler,
    _ dues: DueTimer
  ) {
    (self.network, self.lost, self.clock, self.flag) = (network, lost, clock, flag)
    (self.port, self.delivery) = (Borrowed(port), Borrowed(delivery))
    (self.shutdown, self.sampler, self.dues) = (shutdown, sampler, dues)
    network.startTimer(Self.tickTimer, after: Self.tickInterval, every: Self.tickInterval)
  }

  /// Connects the stages. A restart counts as a lost connection for every session; what follows
  /// from that immediately is applied here. Called once, before the loop runs.
  /// - Parameter stages: Owned by the server.
  func begin(_ stages: Stages) {
    self.stages = Borrowed(stages)
    port { $0.stages = Borrowed(stages) }
    clock.look()
    delivery { lost.recovered($0.view) }
    if let thread = stages.thread { return thread { $0.publish() } }
    stages.matching.work()
    stages.matching.endTurn()
  }

  /// Samples metrics now and then every 250 ms.
  func watch() {
    sample()
    network.startTimer(Self.sampleTimer, after: Self.sampleInterval, every: Self.sampleInterval)
  }

  /// From now on settlement batches close, orders expire and announced changes take effect on time,
  /// even in a quiet market. Not used with a driven clock, where only an operator's ticks advance
  /// time.
  func watchDue() {
    network.startTimer(Self.dueTimer, after: Self.dueInterval, every: Self.dueInterval)
  }

  /// Samples metrics now.
  func sample() {
    guard let stages else { return }
    stages { stages in
      port { port in delivery { sampler.sample(stages, port, $0, network) } }
    }
  }

  /// Logs what waits for its line. Called once, after the loop has ended.
  func end() { port { $0.logRefusals(at: clock.now, isLast: true) } }

  // MARK: Called by the loop

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
    case Self.dueTimer: tickIfDue()
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

  func refused(_ address: PeerAddress, _ reason: Transport.Refusal) {
    port { $0.noteRefused(address, reason) }
  }

  private func endTurn(_ stages: Stages) {
    delivery { delivery in
      stages.verifier?.deliver(to: delivery)
      serve(stages, delivery)
      delivery.charge(stages.longCommands.take())
      port {
        $0.deliverRetransmissions(to: delivery)
        $0.deliverTrades(to: delivery)
      }
      if stages.thread == nil {
        // Delivery may have freed capacity: apply queued commands now rather than when a client
        // sends next.
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

  /// Applies all accepted commands and delivers durable events.
  private func serve(_ stages: Stages, _ delivery: Delivery) {
    if let thread = stages.thread {
      thread { thread in
        thread.publish()
        thread.deliver(to: delivery)
      }
    } else {
      stages.matching.work()
      stages.matching.endTurn()
      stages.matching.deliver(to: delivery)
    }
  }

  // MARK: Timers

  private func tick() {
    if judgement == nil {
      judgement = (clock.now, Self.readingTurns)
      network.turnAgain()
    }
    delivery { delivery in delivery.forEach { $0.tick() } }
    port { $0.logRefusals(at: clock.now) }
  }

  /// Ends silent sessions and cancels orders of lost ones, as of the moment of the timer, and only
  /// after all bytes that had arrived by then were read. If the server itself was delayed, a
  /// session whose bytes were still in a buffer does not count as silent.
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

  private func tickIfDue() {
    guard shutdown.isRunning, let stages else { return }
    stages { dues.tickIfDue($0) }
  }
}
