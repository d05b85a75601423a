// From a tariff to dated changes of prices. Between two changes of the clock local time is ahead of UTC by
// a constant, so each border of a part of a day is one moment:
//
//     local   22:00      06:00      22:00     06:00   (the hour from 02:00 twice, or missing)
//     UTC     20:00      04:00      20:00     05:00
//             └ low      └ high     └ low     └ high

import MarketModel

/// A moment from which other prices of the grid hold.
public struct TariffChange: Sendable, Equatable {
  /// The moment.
  public var from: Timestamp
  /// Local date and time of it, with the offset: "2026-10-25 02:00 +01:00".
  public var local: String
  /// The name of the rate; of the one before the first change none.
  public var rate: Tariff.Rate
}

extension Tariff {
  /// The changes in `span`, ascending: the first one where the tariff is in force first in it, then one
  /// for each moment at which the feed-in or the retail price differs from before. Reads about as many
  /// days as the span has, at most `mostDays`.
  public func changes(in span: Range<Timestamp>) -> [TariffChange] {
    let (begin, end) = (seconds(span.lowerBound), min(seconds(span.upperBound), last(of: span)))
    var changes: [TariffChange] = []
    var before: Rate?
    for moment in moments(from: begin, to: end) {
      let ahead = offset(at: moment)
      guard let rate = rate(local: moment + ahead) else { continue }
      if let before, before.feedIn == rate.feedIn, before.retail == rate.retail { continue }
      before = rate
      changes.append(
        TariffChange(
          from: Timestamp(nanoseconds: UInt64(moment) * 1_000_000_000),
          local: Self.text(local: moment + ahead, ahead: ahead), rate: rate))
    }
    return changes
  }

  /// The most days of one plan.
  public static let mostDays = 3_700

  /// The moment after which no prices are known, at most `mostDays` after the begin of `span`; `nil`: the
  /// tariff goes on.
  public var expires: Timestamp? {
    end.map { Timestamp(nanoseconds: UInt64(max(0, begin(ofDay: $0))) * 1_000_000_000) }
  }

  private func last(of span: Range<Timestamp>) -> Int {
    let most = seconds(span.lowerBound) + Self.mostDays * 86_400
    return end.map { min(most, begin(ofDay: $0)) } ?? most
  }

  /// Whole seconds, rounded up.
  private func seconds(_ time: Timestamp) -> Int {
    Int(min(time.nanoseconds / 1_000_000_000 + 1, 1 << 40))
      - (time.nanoseconds % 1_000_000_000 == 0 ? 1 : 0)
  }

  /// Moments at which another rate may begin, ascending, `from` first.
  private func moments(from: Int, to end: Int) -> [Int] {
    guard from < end else { return [] }
    var moments: Set<Int> = [from]
    var start = from
    while start < end {
      let ahead = offset(at: start)
      let next = min(end, clockChange(after: start, before: end) ?? end)
      moments.insert(start)
      for day in Self.day(ofLocal: start + ahead)...Self.day(ofLocal: next - 1 + ahead) {
        guard let period = period(of: day) else { continue }
        for part in period.days[kind(of: day).rawValue] {
          let moment = day * 86_400 + part.minutes.lowerBound * 60 - ahead
          if moment >= start, moment < next { moments.insert(moment) }
        }
      }
      start = next
    }
    return moments.sorted()
  }

  /// The first moment after `start` at which local time has another distance from UTC; `nil` when there
  /// is none before `end`.
  private func clockChange(after start: Int, before end: Int) -> Int? {
    let ahead = offset(at: start)
    var low = start
    while low < end {
      // A zone that goes back and forth within a day does not exist.
      var high = min(low + 86_400, end)
      if offset(at: high) != ahead {
        while low + 1 < high {
          let middle = low + (high - low) / 2
          if offset(at: middle) == ahead { low = middle } else { high = middle }
        }
        return high
      }
      low = high
    }
    return nil
  }

  private static func text(local: Int, ahead: Int) -> String {
    let day = day(ofLocal: local)
    let minute = (local - day * 86_400) / 60
    let date = CalendarDate(daysSinceEpoch: UInt32(max(0, day))).iso8601
    let sign = ahead < 0 ? "-" : "+"
    let distance = abs(ahead) / 60
    return "\(date) \(clock(minute)) \(sign)\(clock(distance))"
  }

  /// Minutes as hours and minutes: "06:00".
  static func clock(_ minutes: Int) -> String {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(two(minutes / 60)):\(two(minutes % 60))"
  }
}
