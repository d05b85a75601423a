// How a server ends in order:
//
//     running ──begin──▶ draining ──idle──▶ settling ──settled──▶ leaving ──idle──▶ closed
//               listeners   checkpoint with   confirmations,        sessions end,
//               closed      state hash        checkpoint again      the loop returns

import Journaling
import Logging
import MarketModel
import Transport

/// The phases of the orderly end. Owned by the I/O thread; advanced when a turn of its loop ends.
final class Shutdown {
  private enum Phase { case running, draining, settling, leaving, closed }

  /// How long a stopping server waits for the ledger; the rest is settled at the next start.
  private static let settlingNanoseconds: UInt64 = 20_000_000_000
  private static let timer = TimerToken(1)

  private var phase = Phase.running
  /// The last command: a checkpoint.
  private var closing = SequenceNumber.none
  private var deadline: UInt64 = 0
  private let time: any TimeSource
  private let log: Logger

  init(time: any TimeSource, log: Logger) { (self.time, self.log) = (time, log) }

  /// Whether the end has not begun.
  var isRunning: Bool { phase == .running }
  /// Whether the last client was told to go.
  var isClosed: Bool { phase == .closed }

  /// No new connections, no new commands.
  func begin(_ network: any Network) {
    phase = .draining
    network.stopListening()
    // So that turns come though no client speaks.
    network.startTimer(Self.timer, after: 1, every: 5)
    log.info("draining: no new connections, no new commands")
  }

  /// Goes on, if the phase is over.
  func advance(_ stages: Stages, _ delivery: Delivery, _ network: any Network) {
    switch phase {
    case .draining:
      guard stages.isIdle else { return }
      checkpoint(stages)
      deadline = time.steady + Self.settlingNanoseconds
      phase = .settling
    case .settling:
      guard isSettled(stages) else { return }
      // Confirmations came behind the last checkpoint: it is taken again.
      if stages.ask({ $0.lastSequence }) != closing { checkpoint(stages) }
      phase = .leaving
    case .leaving:
      guard stages.isIdle else { return }
      stages.settlement?.end(behind: closing)
      delivery.forEach { $0.drain() }
      phase = .closed
    case .closed:
      if !delivery.hasConnections { network.shutDown() }
    case .running: break
    }
  }

  private func checkpoint(_ stages: Stages) {
    closing = stages.ask { matching in
      matching.checkpoint(withStateHash: true)
      matching.endTurn()
      return matching.lastSequence
    }
  }

  private func isSettled(_ stages: Stages) -> Bool {
    guard stages.isIdle else { return false }
    // Without a journal there is nothing to settle from.
    guard let settlement = stages.settlement else { return true }
    if settlement.finished >= closing || settlement.isOver { return true }
    guard time.steady > deadline else { return false }
    log.warning(
      "the ledger does not keep up; the rest is settled at the next start",
      metadata: ["settled": settlement.finished.field, "last": closing.field])
    return true
  }
}
