// From the local clock to UTC. A day on which the clock is put forward has 23 hours, one on which it
// is put back 25: one hour of the local clock does not exist, another one exists twice.
//
//     offset  |--- +01:00 ---|------ +02:00 ------|--- +01:00 ---
//     UTC                    ^ begin               ^ begin

import Foundation

/// The offsets to UTC of a time zone.
public struct TimeZoneRules: Sendable {
  /// A stretch of time with one offset.
  private struct Stretch {
    /// First second in UTC.
    var begin: Int64
    /// Seconds ahead of UTC.
    var offset: Int64
  }

  /// The name of the zone.
  public let name: String
  /// In order of time. The first one begins before everything else.
  private let stretches: [Stretch]

  /// The years whose changes are known. Before and after them the nearest offset is taken.
  private static let (firstYear, lastYear) = (1_990, 2_061)

  /// UTC.
  public static let utc = TimeZoneRules(name: "UTC", secondsFromUTC: 0)

  /// A zone with a fixed offset.
  public init(name: String, secondsFromUTC: Int64) {
    self.init(name: name, [Stretch(begin: .min, offset: secondsFromUTC)])
  }

  /// A zone by its name, such as "Europe/Berlin", "UTC" or "+10:00".
  /// - Returns: `nil` when this system does not know the zone.
  /// - Complexity: a few ten milliseconds: it looks at the offset of each day.
  public init?(_ name: String) {
    if let seconds = Self.fixed(name) {
      self.init(name: name, secondsFromUTC: seconds)
      return
    }
    guard name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
    func offset(_ second: Int64) -> Int64 {
      Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second))))
    }
    let first = Int64(Self.firstYear - 1_970) * 31_556_952
    let last = Int64(Self.lastYear - 1_970) * 31_556_952
    var stretches = [Stretch(begin: .min, offset: offset(first))]
    var day = first
    while day < last {
      let next = day + 86_400
      let (old, new) = (offset(day), offset(next))
      if old != new {
        var (low, high) = (day, next)
        while high - low > 1 {
          let middle = (low + high) / 2
          if offset(middle) == old { low = middle } else { high = middle }
        }
        stretches.append(Stretch(begin: high, offset: new))
      }
      day = next
    }
    self.init(name: name, stretches)
  }

  private init(name: String, _ stretches: [Stretch]) {
    (self.name, self.stretches) = (name, stretches)
  }

  /// The moments at which the local clock shows `local`: none where the clock was put forward over
  /// it, two where it was put back.
  /// - Parameter local: Seconds since 1970-01-01T00:00 of the local clock.
  /// - Returns: Seconds since 1970 in UTC; the second one is `nil` unless the hour repeats.
  /// - Complexity: O(log n) in the changes of the zone.
  func instants(ofLocal local: Int64) -> (first: Int64?, second: Int64?) {
    var (low, high) = (0, stretches.count)
    // An offset is less than a day, so that the right stretch is this one or a neighbour of it.
    while low < high {
      let middle = (low + high) / 2
      if stretches[middle].begin <= local { low = middle + 1 } else { high = middle }
    }
    var found: (first: Int64?, second: Int64?) = (nil, nil)
    for index in max(0, low - 2)..<min(stretches.count, low + 1) {
      let stretch = stretches[index]
      let instant = local - stretch.offset
      let end = index + 1 < stretches.count ? stretches[index + 1].begin : .max
      guard instant >= stretch.begin, instant < end else { continue }
      if found.first == nil { found.first = instant } else { found.second = instant }
    }
    return found
  }

  /// Seconds ahead of UTC of a name such as "+10:00" or "UTC".
  private static func fixed(_ name: String) -> Int64? {
    if ["UTC", "Z", "GMT"].contains(name.uppercased()) { return 0 }
    guard let sign = name.first, sign == "+" || sign == "-" else { return nil }
    let digits = name.dropFirst().filter { $0 != ":" }
    guard digits.utf8.count == 4, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int64(digits), number / 100 <= 14, number % 100 < 60
    else { return nil }
    let seconds = number / 100 * 3_600 + number % 100 * 60
    return sign == "-" ? -seconds : seconds
  }
}

/// Which of two hours a meter's lines are in while the hour of the clock repeats. A file lists both
/// hours one after the other, or each time twice; with the oldest line first or with the newest.
struct RepeatedHour {
  /// The moment of the meter's last line.
  private var last: Int64 = .min
  /// The last local time that has two moments.
  private var lastLocal: Int64?
  /// Whether the newest line comes first.
  private var isBackward = false
  /// Whether each time stands twice, one after the other.
  private var isInterleaved = false

  /// The moment of a local time that has two.
  mutating func choose(_ local: Int64, _ first: Int64, _ second: Int64) -> Int64 {
    if lastLocal.map({ abs($0 - local) > 86_400 }) ?? true {
      (isBackward, isInterleaved) = (last > second, false)
    } else if lastLocal == local {
      isInterleaved = true
      return note(last == first ? second : first)
    }
    lastLocal = local
    if isInterleaved { return note(isBackward ? second : first) }
    if isBackward { return note(second < last ? second : first) }
    return note(first > last ? first : second)
  }

  /// Notes the moment of a line.
  @discardableResult mutating func note(_ moment: Int64) -> Int64 {
    last = moment
    return moment
  }
}
