import MarketModel
import Testing

@testable import ExchangeCore

@Suite("The schedule")
struct ScheduleTests {
  private struct Entry {
    var time: UInt64
    var number: UInt64
    var subject: UInt32
  }

  @Test("Due entries come by time, then by number, after any inserts and removals.")
  func randomHistories() {
    for seed in UInt64(1)...40 {
      var random = SeededRandom(seed: seed)
      var capacity = Capacity.small
      capacity.orders = UInt32.random(in: 1...200, using: &random)
      var schedule = Schedule(capacity: capacity)
      var entries: [UInt32: Entry] = [:]
      var (now, number) = (UInt64(0), UInt64(0))
      for _ in 0..<4_000 {
        let subject = UInt32.random(in: 1...capacity.orders, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0,
          1 where entries[subject] == nil:
          if entries[subject] != nil { continue }
          number += 1
          let time = now + UInt64.random(in: 1...6, using: &random)
          schedule.insert(.expiry, subject, at: time, number: number)
          entries[subject] = Entry(time: time, number: number, subject: subject)
        case 2 where entries[subject] != nil:
          schedule.remove(.expiry, subject)
          entries[subject] = nil
        default:
          now += UInt64.random(in: 0...2, using: &random)
          while let due = schedule.due(now) {
            let first = entries.values.min { ($0.time, $0.number) < ($1.time, $1.number) }
            #expect(due.subject == first?.subject && due.kind == .expiry, "seed \(seed)")
            #expect(schedule.time(.expiry, due.subject) == first?.time, "seed \(seed)")
            schedule.remove(.expiry, due.subject)
            entries[due.subject] = nil
          }
          #expect(entries.values.allSatisfy { $0.time > now }, "seed \(seed)")
        }
        #expect(schedule.count == UInt32(entries.count), "seed \(seed)")
      }
      var violations: [String] = []
      schedule.check(&violations)
      #expect(violations.isEmpty, "seed \(seed): \(violations)")
    }
  }
}
