// The commands that took long: they had many events, or the exchange walked over many orders of one
// owner. Who sends them pays for them, twice over the way of a command:
//
//     gateway ── refuses (9007) without a journal entry, once stage 8 has charged the budget
//       └─▶ intake ──▶ WorkGate ── refuses what was on its way already, as a journaled command
//
// Without the second, one read of a socket could hold a thousand commands that stall all others for
// a tenth of a second each before the first is charged.

import ExchangeCore
import GatewayKit
import MarketModel
import Synchronization

/// Commands whose work is more than an order's, for stage 8. Filled by the thread that applies
/// commands, emptied by the I/O thread; other commands take no lock.
final class LongCommands: Sendable {
  private let commands = Mutex<[(session: SessionId, units: Int64)]>([])
  private let isEmpty = Atomic<Bool>(true)

  /// Notes a command of `session` that cost `units`.
  func note(_ session: SessionId, _ units: Int64) {
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

/// The budgets of participants whose commands took long, as of the commands applied so far. Owned by
/// the thread that applies commands. Without such participants, a command costs one comparison.
struct WorkGate {
  private let limits: WorkBudget.Limits
  /// Budgets that are not full.
  private var budgets: [ParticipantId: WorkBudget] = [:]
  /// Whether any participant's budget is not full.
  private(set) var isActive = false

  /// A gate without budgets in use. What is on its way was sent in one burst, during which others
  /// wait: of their units participants save up a twentieth of a second's for it, 5 ms of work.
  init(_ limits: WorkBudget.Limits) {
    self.limits = WorkBudget.Limits(
      perSecond: limits.perSecond, saved: max(1, limits.perSecond / 20), perTurn: limits.perTurn)
  }

  /// Takes the cost of a command. Administrators do not pay here: their commands are few, and
  /// must be applied when they are needed.
  mutating func charge(_ sender: Exchange.Sender, _ units: Int64, at time: Timestamp) {
    guard sender.pays else { return }
    budgets[sender.participant, default: WorkBudget(limits)].debit(
      units, at: SteadyTime(nanoseconds: time.nanoseconds))
    isActive = true
  }

  /// The command that takes the place of `command` if its participant has used up its work.
  mutating func refusal(of command: borrowing Command, from sender: Exchange.Sender) -> RefuseWork?
  {
    guard sender.pays, var budget = budgets[sender.participant] else { return nil }
    let isCancel =
      switch command.body {
      case .cancel, .order(.massCancel): true
      default: false
      }
    let passes = budget.allowsCommand(
      isCancel: isCancel, at: SteadyTime(nanoseconds: command.time.nanoseconds))
    budgets[sender.participant] = budget.left < limits.saved ? budget : nil
    isActive = !budgets.isEmpty
    return passes ? nil : RefuseWork(left: budget.left)
  }
}
