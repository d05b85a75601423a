// What the meters of a run send: most intervals once, some estimated and then measured, some corrected,
// some with a lie beforehand. `Behaviour` sends the messages late and in any order.

import MarketModel

/// The messages of one meter of the village, the same in every run.
struct MeterMessages: Sendable {
  /// Number of intervals.
  static let intervals: UInt64 = 48
  /// All messages, roughly in the order of their intervals. No two have the same register sequence.
  let readings: [MeterReading]
  /// Register sequences of messages that the exchange may refuse because of another message: of the same
  /// interval, or one that overlaps it.
  let contradicting: Set<UInt64>

  private static let quarter: UInt64 = 900_000_000_000
  /// Register sequences of one interval.
  private static let sequences: UInt64 = 10

  init(_ meter: MeterId) {
    var (readings, contradicting): ([MeterReading], Set<UInt64>) = ([], [])
    for interval in 1...Self.intervals {
      let messages = Self.messages(meter, interval)
      if messages.count > 1 { contradicting.formUnion(messages.map(\.registerSequence)) }
      readings += messages
    }
    (self.readings, self.contradicting) = (readings, contradicting)
  }

  private static func messages(_ meter: MeterId, _ interval: UInt64) -> [MeterReading] {
    var random = SeededRandom(seed: UInt64(meter.rawValue) << 32 | interval)
    let start = SimulatedClock.beginning - 100 * quarter + interval * quarter
    func version(_ number: UInt64, _ quality: ReadingQuality = .measured) -> MeterReading {
      MeterReading(
        meter: meter, registerSequence: interval * sequences + number,
        intervalStart: Timestamp(nanoseconds: start),
        intervalEnd: Timestamp(nanoseconds: start + quarter),
        produced: Energy(wattHours: random.happens(7_000) ? random.pick(0...9_000) : 0),
        consumed: Energy(wattHours: random.happens(6_000) ? random.pick(0...6_000) : 0),
        quality: quality)
    }
    var (first, measured) = (version(1), version(5))
    switch random.pick(0..<10) {
    case 0: first.quality = .estimated
    case 1: first.quality = .substituted
    case 2: return [first, measured, version(7)]
    // Beyond the rated power.
    case 3: first.produced = Energy(wattHours: 40_000)
    // From a clock that is a year ahead.
    case 4:
      first.intervalStart.nanoseconds += SimulatedClock.year
      first.intervalEnd.nanoseconds += SimulatedClock.year
    // The second half of the interval only.
    case 5: first.intervalStart.nanoseconds += quarter / 2
    // A register that has run over.
    case 6: first.registerSequence |= 1 << 62
    // The same again under another number.
    case 7:
      (measured.produced, measured.consumed) = (first.produced, first.consumed)
    default: return [measured]
    }
    return [first, measured]
  }
}
