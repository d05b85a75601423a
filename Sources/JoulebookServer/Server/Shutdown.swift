// The orderly shutdown of a server:
//
//     running ──begin──▶ draining ──idle──▶ settling ──settled──▶ leaving ──idle──▶ closed
//               listeners   checkpoint with   confirmations,        sessions end,
//               closed      state hash        second checkpoint     the loop returns

import Journaling
import Logging
import MarketModel
import Transport

/// State machine of the orderly shutdown. Owned by the I/O thread, which advances it at the end of
/// each turn.
final class Shutdown {
  private enum Phase { case running, draining, settling, leaving, closed }

  /// Longest wait for the ledger, 20 s in ns; the remaining batches are settled at the next start.
  private static let settlingNanoseconds: UInt64 = 20_000_000_000
  private static let timer = TimerToken(1)

  private var phase = Phase.running
  /// The closing checkpoint, which is the last command.
  private var closing = SequenceNumber.none
  private var deadline: UInt64 = 0
  private let time: any TimeSource
  private let log: Logger

  init(time: any TimeSource, log: Logger) { (self.time, self.log) = (time, log) }

  /// Whether the shutdown has not begun.
  var isRunning: Bool { phase == .running }
  /// Whether the gateways were told to end all sessions.
  var isClosed: Bool { phase == .closed }

  /// Begins the shutdown: no new connections, no new commands.
  func begin(_ network: any Network) {
    phase = .draining
    network.stopListening()
    // The timer causes turns even if no client sends anything.
    network.startTimer(Self.timer, after: 1, every: 5)
    log.info("draining: no new connections, no new commands")
  }

  /// Enters the next phase if the condition of the present one is met.
  func advance(_ stages: Stages, _ delivery: Delivery, _ network: any Network) {
    switch phase {
    case .draining:
      guard stages.isIdle else { return }
      checkpoint(stages)
      deadline = time.steady + Self.settlingNanoseconds
      phase = .settling
    case .settling:
      guard isSettled(stages) else { return }
      // Confirmations were applied after the checkpoint, so another one closes the journal.
      if stages.ask({ $0.lastSequence }) != closing { checkpoint(stages) }
      phase = .leaving
    case .leaving:
      guard stages.isIdle else { return }
      stages.settlement?.end(after: closing)
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
    // Without a journal nothing is settled.
    guard let settlement = stages.settlement else { return true }
    if settlement.finished >= closing || settlement.isOver { return true }
    guard time.steady > deadline else { return false }
    log.warning(
      "the ledger has not caught up; the next start settles the remaining batches",
      metadata: ["settled": settlement.finished.field, "last": closing.field])
    return true
  }
}
