// The commands that had many events, so that stage 8 can charge who sent them (WorkBudget).

import GatewayKit
import MarketModel
import Synchronization

/// Commands with more than `WorkBudget.Cost.events` events. Filled by the thread that applies
/// commands, emptied by the I/O thread; other commands take no lock.
final class LongCommands: Sendable {
  private let commands = Mutex<[(session: SessionId, events: Int)]>([])
  private let isEmpty = Atomic<Bool>(true)

  /// Notes a command of `session` that had `events` events.
  @inline(__always) func note(_ session: SessionId, _ events: Int) {
    if events > WorkBudget.Cost.events, session != .exchange { append(session, events) }
  }

  private func append(_ session: SessionId, _ events: Int) {
    commands.withLock { $0.append((session, events)) }
    isEmpty.store(false, ordering: .releasing)
  }

  /// Removes and returns the commands noted since the last call.
  func take() -> [(session: SessionId, events: Int)] {
    if isEmpty.load(ordering: .relaxed) { return [] }
    isEmpty.store(true, ordering: .relaxed)
    return commands.withLock { commands in
      defer { commands.removeAll(keepingCapacity: true) }
      return commands
    }
  }
}
