// Entries of the schedule that are due at the time of the command (section 5, good till time). A
// new kind of entry is a case of `DueKind` and a case here.

import MarketModel

extension Exchange {
  /// Applies the due entries in the order of the schedule, before the command's own rule.
  mutating func applyDue() {
    var hasActed = false
    while let due = schedule.due(progress.now) {
      let count = schedule.count
      switch due.kind {
      case .expiry: cancelInFull(open(due.subject), .expired)
      }
      invariant(schedule.count == count - 1, "an applied entry left the schedule")
      hasActed = true
    }
    if hasActed { drain() }
  }
}
