/// The times that are written below a chart: whole multiples of seconds, minutes, hours or days in
/// UTC.
struct TimeTicks {
  /// A day in ns.
  static let day: UInt64 = 86_400_000_000_000
  private static let second: UInt64 = 1_000_000_000
  /// A minute in ns.
  static let minute = 60 * second
  private static let hour = 60 * minute
  private static let steps: [UInt64] =
    [1, 5, 15, 30].map { $0 * second } + [
      minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour, 2 * hour,
      3 * hour, 6 * hour, 12 * hour,
    ] + [1, 2, 7, 14, 28, 56, 91, 182, 364].map { $0 * day }

  /// Distance between two times in ns.
  let step: UInt64
  /// The times in ns; of days also the begun first one.
  let times: [UInt64]

  /// Times of `start` and the `span` after it.
  /// - Parameter most: The most times.
  init(from start: UInt64, span: UInt64, most: Int) {
    step = Self.steps.first { span / $0 < UInt64(most) } ?? Self.steps[Self.steps.count - 1]
    var times: [UInt64] = []
    var time = start - start % step
    if time < start, step != Self.day { time += step }
    while time <= start + span, times.count <= 2 * most {
      if step != Self.day || time < start + span { times.append(time) }
      time += step
    }
    self.times = step == Self.day ? times.map { max($0, start) } : times
  }
}
