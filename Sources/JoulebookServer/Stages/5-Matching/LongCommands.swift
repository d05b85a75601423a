// The commands that took long, so that stage 8 can charge who sent them (WorkBudget): they had many
// events, or the exchange walked over many orders of one owner.

import GatewayKit
import MarketModel
import Synchronization

/// Commands whose work is more than an order's. Filled by the thread that applies commands, emptied
/// by the I/O thread; other commands take no lock.
final class LongCommands: Sendable {
  private let commands = Mutex<[(session: SessionId, units: Int64)]>([])
  private let isEmpty = Atomic<Bool>(true)

  /// Notes a command of `session` that had `events` events and whose walks visited `orders` orders.
  @inline(__always) func note(_ session: SessionId, events: Int, visited orders: UInt64) {
    if events > WorkBudget.Cost.events || orders > WorkBudget.Cost.orders, session != .exchange {
      append(session, WorkBudget.Cost.ofCommand(events: events, visited: orders))
    }
  }

  @inline(never) private func append(_ session: SessionId, _ units: Int64) {
    commands.withLock { $0.append((session, units)) }
    isEmpty.store(false, ordering: .releasing)
  }

  /// Removes and returns what was noted since the last call: sessions, and units of work.
  func take() -> [(session: SessionId, units: Int64)] {
    if isEmpty.load(ordering: .relaxed) { return [] }
    isEmpty.store(true, ordering: .relaxed)
    return commands.withLock { commands in
      defer { commands.removeAll(keepingCapacity: true) }
      return commands
    }
  }
}
