// What comes out of a file: readings, and faults of lines.

import MarketModel

extension ReadingQuality {
  /// How certain a value is: 0 estimated, 1 substituted, 2 measured.
  var certainty: UInt8 { ReadingQuality.estimated.rawValue - rawValue }

  /// The less certain one of two.
  static func worse(_ a: ReadingQuality, _ b: ReadingQuality) -> ReadingQuality {
    a.certainty < b.certainty ? a : b
  }
}

/// A reading of a file: one meter, one interval, both directions.
public struct ImportedReading: Equatable, Sendable {
  /// Number of the line, from 1; of the last one when several lines make the reading.
  public var line: Int
  /// The meter on the exchange.
  public var meter: MeterId
  /// Begin of the interval, seconds since 1970 in UTC.
  public var start: Int64
  /// End of the interval, seconds since 1970 in UTC; after `start`.
  public var end: Int64
  /// Produced energy, Wh.
  public var produced: Int64
  /// Consumed energy, Wh.
  public var consumed: Int64
  /// How the values came about.
  public var quality: ReadingQuality
  /// The register sequence of the file; `nil` when it has none.
  public var sequence: UInt64?

  /// A reading.
  public init(
    line: Int, meter: MeterId, start: Int64, end: Int64, produced: Int64, consumed: Int64,
    quality: ReadingQuality = .measured, sequence: UInt64? = nil
  ) {
    (self.line, self.meter, self.start, self.end) = (line, meter, start, end)
    (self.produced, self.consumed, self.quality) = (produced, consumed, quality)
    self.sequence = sequence
  }

  /// Greatest number of a revision.
  public static let lastRevision: UInt64 = 63

  /// The register sequence under which the exchange gets this reading: that of the file, or
  ///
  ///     seconds since 1970 of the interval's end x 256 + revision x 4 + certainty of the quality
  ///
  /// so that the same line again is a replay, a later interval has a higher one, and so has a more
  /// certain or revised value of the same interval.
  public func registerSequence(revision: UInt64) -> UInt64 {
    sequence ?? UInt64(max(0, end)) << 8 | min(revision, Self.lastRevision) << 2
      | UInt64(quality.certainty)
  }

  /// The reading as the exchange takes it.
  public func message(revision: UInt64) -> MeterReading {
    func time(_ seconds: Int64) -> Timestamp {
      Timestamp(nanoseconds: UInt64(max(0, seconds)) * 1_000_000_000)
    }
    return MeterReading(
      meter: meter, registerSequence: registerSequence(revision: revision),
      intervalStart: time(start), intervalEnd: time(end), produced: Energy(wattHours: produced),
      consumed: Energy(wattHours: consumed), quality: quality)
  }
}

/// Something in a file that cannot be sent, with the reason.
public struct LineFault: Equatable, Sendable {
  /// What is wrong.
  public enum Kind: String, CaseIterable, Sendable {
    /// The line or a cell cannot be read.
    case unreadable
    /// The meter has no number on the exchange.
    case unknownMeter = "unknown meter"
    /// Produced or consumed energy is negative.
    case negative
    /// A register shows less than before.
    case registerBack = "register went back"
    /// The interval overlaps another one of the meter.
    case overlapping
    /// The interval stands twice, with different values.
    case contradicting
    /// One direction of the interval has no value.
    case incomplete
    /// The interval is longer than a reading may be.
    case tooLong = "too long"
    /// The value is estimated, and estimated values are not sent.
    case estimated
  }

  /// What is wrong.
  public var kind: Kind
  /// Number of the line, from 1.
  public var line: Int
  /// Number of the column, from 1; 0: the line as a whole.
  public var column: Int
  /// What is wrong and what to do, without a full stop.
  public var text: String
  /// The meter as the file names it; empty when it is not known.
  public var meter: String
  /// The reading, where there is one.
  public var reading: ImportedReading?

  /// A fault.
  public init(
    _ kind: Kind, line: Int, column: Int = 0, meter: String = "",
    reading: ImportedReading? = nil, _ text: String
  ) {
    (self.kind, self.line, self.column, self.text) = (kind, line, column, text)
    (self.meter, self.reading) = (meter, reading)
  }
}
