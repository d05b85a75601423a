import MarketModel

/// The intervals of a report, all of one length. They grow with the time that they have to cover.
struct Timeline: Equatable {
  /// Lengths of an interval in s, each a multiple of the one before.
  static let lengths: [UInt64] = [
    1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800, 2_419_200,
  ]
  /// The most intervals: two weeks of half hours, about two for each pixel of a chart.
  static let most: UInt64 = 700
  private static let second: UInt64 = 1_000_000_000

  /// Start of the first interval, a multiple of the length, in ns.
  let start: UInt64
  /// Length of an interval in s.
  let seconds: UInt64

  /// Intervals of `seconds`, the first of which contains `time`.
  init(from time: UInt64, seconds: UInt64 = lengths[0]) {
    self.seconds = seconds
    start = time - time % (seconds * Self.second)
  }

  /// The longer intervals with which `time` is covered by at most `most`; `self` when these do.
  func covering(_ time: UInt64) -> Timeline {
    var line = self
    for length in Self.lengths where length > seconds {
      if line.place(of: time) <= Self.most { break }
      line = Timeline(from: start, seconds: length)
    }
    return line
  }

  /// Number of the sample to which what happens at `time` belongs: interval k ends with sample k.
  func place(of time: UInt64) -> UInt64 {
    time < start ? 0 : (time - start) / (seconds * Self.second) + 1
  }

  /// The time of a sample.
  func time(of place: UInt64) -> Timestamp {
    Timestamp(nanoseconds: start + place * seconds * Self.second)
  }
}

/// The samples of an instrument or an area: sums over each interval, and the state at its end.
struct SampleSeries {
  /// Samples of complete intervals; the first has the state at the start.
  private(set) var samples: [DemoResult.MarketSample] = []
  /// The sums of the present interval, and the state when it began.
  var present = DemoResult.MarketSample(time: Timestamp(nanoseconds: 0))

  /// Ends intervals until the present one ends with sample `place`.
  /// - Parameter state: Enters the present state into the sample.
  mutating func advance(
    to place: UInt64, on line: Timeline, state: (inout DemoResult.MarketSample) -> Void
  ) {
    guard UInt64(samples.count) < place else { return }
    state(&present)
    while UInt64(samples.count) < place {
      present.time = line.time(of: UInt64(samples.count))
      samples.append(present)
      present.clearSums()
    }
  }

  /// Joins intervals into longer ones.
  mutating func join(from old: Timeline, to new: Timeline) {
    guard old != new else { return }
    var joined: [DemoResult.MarketSample] = []
    for (index, sample) in samples.enumerated() {
      // A sample is at the end of its interval, which belongs to the longer one that contains it.
      let place = index == 0 ? 0 : new.place(of: sample.time.nanoseconds - 1)
      while joined.count <= Int(place) {
        var empty = joined.last ?? sample
        if !joined.isEmpty || place > 0 { empty.clearSums() }
        empty.time = new.time(of: UInt64(joined.count))
        joined.append(empty)
      }
      if index > 0 || place > 0 { joined[Int(place)].add(sample) }
    }
    // The last interval goes on when it ends later than what is known of it.
    if let last = joined.last, let known = samples.last, joined.count > 1, last.time > known.time {
      joined.removeLast()
      var sums = last
      sums.add(present)
      present = sums
    }
    samples = joined
  }
}

extension DemoResult.MarketSample {
  /// Sets the sums to zero; what the market is at this time remains.
  fileprivate mutating func clearSums() {
    (traded, turnover, trades) = (0, .zero, 0)
    let held = energy.heldAtEnd
    energy = EnergyTotals()
    energy.heldAtEnd = held
  }

  /// Adds the sums of the interval that follows, and takes the state at its end.
  fileprivate mutating func add(_ later: Self) {
    var sum = later
    sum.time = time
    sum.traded += traded
    sum.turnover.units += turnover.units
    sum.trades += trades
    sum.energy.produced += energy.produced
    sum.energy.consumed += energy.consumed
    sum.energy.imported += energy.imported
    sum.energy.exported += energy.exported
    self = sum
  }
}
