// Entries of the schedule that are due at the time of the command (section 4, "The schedule"). A new
// kind of entry is a case of `DueKind` and a case here.

import MarketModel

extension Exchange {
  /// Applies the due entries in the order of the schedule, before the command's own rule.
  mutating func applyDue() {
    var needsDrain = false
    var last: UInt64 = 0
    while let due = schedule.due(progress.now) {
      let count = schedule.count
      let time = schedule.firstTime
      // Before version 4 all expire times of a command had one drain. A drain may end the order
      // that was due.
      if needsDrain, due.kind != .expiry || (rules >= 4 && time > last) {
        drain()
        needsDrain = false
        continue
      }
      last = time
      needsDrain = true
      switch due.kind {
      case .expiry: cancelInFull(open(due.subject), .expired)
      case .parameter: takeEffect(due.subject)
      }
      invariant(schedule.count < count, "an applied entry left the schedule")
    }
    if needsDrain { drain() }
  }
}
