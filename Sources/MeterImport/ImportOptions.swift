// How a file is read. A profile sets what is usual for its files; options that are given go first.

import MarketModel

/// The kinds of files.
public enum ImportProfile: String, CaseIterable, Sendable {
  /// CSV of this exchange: meter, start, end, produced and consumed in Wh, quality, sequence.
  case own
  /// CSV of German metering companies.
  case german
  /// Interval data of the Australian market, version NEM12.
  case nem12
  /// Any CSV, whose columns options name.
  case columns
}

/// The direction of energy, as the customer sees it.
public enum EnergyDirection: String, CaseIterable, Sendable {
  /// Taken from the grid.
  case consumed
  /// Given to the grid.
  case produced
}

/// How a file is read.
public struct ImportOptions: Sendable {
  /// The kind of file.
  public var profile: ImportProfile
  /// Names of meters.
  public var names = MeterNames.numbers
  /// The meter of a file that names none.
  public var meter: MeterId?
  /// The zone of times without an offset; `nil`: that of the profile.
  public var zone: TimeZoneRules?
  /// Length of intervals where no column has their end, s; `nil`: that of the profile.
  public var interval: Int64?
  /// The unit of values where the file does not say it; `nil`: that of the profile.
  public var unit: ValueUnit?
  /// The decimal mark, ASCII; `nil`: that of the profile.
  public var decimalMark: UInt8?
  /// What separates cells, ASCII; `nil`: that of the profile.
  public var separator: UInt8?
  /// How dates with slashes are written.
  public var dateOrder: DateOrder?
  /// Whether a single column of times has the ends of intervals.
  public var timesAreEnds = false
  /// The year of a file with columns week, day and time.
  public var year: Int?
  /// Columns of the beginning of an interval: one, or date and time, or week, day and time.
  public var timeColumns: [String] = []
  /// Columns of the end of an interval.
  public var endColumns: [String] = []
  /// The column that names the meter.
  public var meterColumn: String?
  /// Columns of consumed energy, which are added.
  public var consumedColumns: [String] = []
  /// Columns of produced energy, which are added.
  public var producedColumns: [String] = []
  /// Columns of what the registers of consumed energy show (meter counters), which are added.
  public var consumedRegisters: [String] = []
  /// Columns of what the registers of produced energy show, which are added.
  public var producedRegisters: [String] = []
  /// Digits before the decimal mark of a register in kWh, after whose highest number it begins at 0 again;
  /// `nil`: a register that goes back is a fault.
  public var registerDigits: Int?
  /// The column of the quality.
  public var qualityColumn: String?
  /// The column of the register sequence.
  public var sequenceColumn: String?
  /// Every column that has no other meaning is a meter, with energy of this direction.
  public var wide: EnergyDirection?
  /// Whether columns and lines of the OBIS registers 1.8.0 and 2.8.0 have the energy of each
  /// interval instead of what the register shows.
  public var registersAreIntervals = false
  /// Whether the column of the quality is ignored: all values count as measured.
  public var ignoresQuality = false
  /// Whether estimated values are sent.
  public var takesEstimated = false
  /// Whether a direction without a value is 0.
  public var absentIsZero = false
  /// Only intervals that begin in this period, in seconds since 1970.
  public var period: Range<Int64> = .min..<(.max)
  /// Power above which a value is reported as implausible, W: that of the exchange for a meter
  /// without a rated power.
  public var power: Int64 = 100_000

  /// The usual options of a profile.
  public init(profile: ImportProfile) { self.profile = profile }

  /// The zone of German files; `nil` when this system does not know it.
  private static let berlin = TimeZoneRules("Europe/Berlin")

  /// The zone that applies.
  var effectiveZone: TimeZoneRules? {
    if let zone { return zone }
    switch profile {
    case .nem12: return TimeZoneRules(name: "+10:00", secondsFromUTC: 36_000)
    case .german: return Self.berlin
    case .own, .columns: return nil
    }
  }

  /// The length of intervals that applies, s.
  var effectiveInterval: Int64? { interval ?? (profile == .german ? 900 : nil) }

  /// The unit that applies.
  var effectiveUnit: ValueUnit? {
    unit ?? (profile == .german ? .kilowattHours : profile == .own ? .wattHours : nil)
  }

  /// The decimal mark that applies.
  var effectiveMark: UInt8 { decimalMark ?? (profile == .german ? 0x2C : 0x2E) }

  /// The separator that applies; `nil`: that of the header.
  var effectiveSeparator: UInt8? { separator ?? (profile == .german ? 0x3B : nil) }
}

/// What comes out of a file.
public enum ImportItem: Equatable, Sendable {
  /// A reading that can be sent.
  case reading(ImportedReading)
  /// Something that cannot be sent.
  case fault(LineFault)
}
