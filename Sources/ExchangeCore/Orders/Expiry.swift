// What is due by the time of the command (section 5, good till time). Orders expire; what else time will do is a kind
// of the schedule and a line here.

import MarketModel

extension Exchange {
  /// Does what is due, in the order of the schedule.
  mutating func applyDue() {
    var hasActed = false
    while let due = schedule.due(progress.now) {
      let count = schedule.count
      switch due.kind {
      case .expiry: cancelInFull(open(due.subject), .expired)
      }
      invariant(schedule.count == count - 1, "what was done is due no more")
      hasActed = true
    }
    if hasActed { drain() }
  }
}
