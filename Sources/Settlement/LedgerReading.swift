import MarketModel

/// A settled reading or correction, as the ledger keeps it beside the transfers that it caused: whose
/// meter, which interval, which version. Readings move nothing and are not part of a batch's hash, so
/// a ledger may leave them out; then a bill goes by the time at which readings came.
public struct LedgerReading: Sendable, BitwiseCopyable, Hashable {
  /// What a reading is beside its numbers.
  public struct Flags: OptionSet, Sendable, Hashable, BitwiseCopyable {
    /// The bits.
    public let rawValue: UInt8
    /// The flags with these bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// A later version of an interval that was settled before.
    public static let correction = Flags(rawValue: 1)
    /// The production counts as 0, because the area wants a better quality.
    public static let notMinted = Flags(rawValue: 2)
  }

  /// The command that settled it: that of its transfers.
  public var sequence: SequenceNumber
  /// The time of that command.
  public var time: Timestamp
  /// The meter.
  public var meter: MeterId
  /// The account of the interval.
  public var account: AccountId
  /// Its area.
  public var area: AreaId
  /// Begin of the interval.
  public var start: Timestamp
  /// End of the interval.
  public var end: Timestamp
  /// The register sequence of this version.
  public var registerSequence: UInt64
  /// The register sequence of the version before; 0 for a first version.
  public var previousSequence: UInt64
  /// Production as read.
  public var produced: Energy
  /// Consumption as read.
  public var consumed: Energy
  /// How the reading came about.
  public var quality: ReadingQuality
  /// What else it is.
  public var flags: Flags

  /// A reading from its parts.
  public init(
    sequence: SequenceNumber, time: Timestamp, account: AccountId, area: AreaId,
    reading: MeterReading, previousSequence: UInt64, flags: Flags
  ) {
    (self.sequence, self.time, self.account, self.area) = (sequence, time, account, area)
    (meter, registerSequence) = (reading.meter, reading.registerSequence)
    (start, end) = (reading.intervalStart, reading.intervalEnd)
    (produced, consumed, quality) = (reading.produced, reading.consumed, reading.quality)
    (self.previousSequence, self.flags) = (previousSequence, flags)
  }

  /// The numbers of a row in a table, in the order of `columns`; numbers without a sign keep their
  /// bits.
  package var row: [Int64] {
    [
      Int64(bitPattern: sequence.rawValue), Int64(bitPattern: time.nanoseconds),
      Int64(meter.rawValue), Int64(account.rawValue), Int64(area.rawValue),
      Int64(bitPattern: start.nanoseconds), Int64(bitPattern: end.nanoseconds),
      Int64(bitPattern: registerSequence), Int64(bitPattern: previousSequence),
      produced.wattHours, consumed.wattHours, Int64(quality.rawValue), Int64(flags.rawValue),
    ]
  }

  /// The columns of a row in a table, in the order of writing and reading.
  package static let columns = [
    "sequence", "time", "meter", "account", "area", "interval_start", "interval_end",
    "register_sequence", "previous_sequence", "produced", "consumed", "quality", "flags",
  ]

  /// The reading of a table's row.
  /// - Parameter row: As many numbers as `columns`.
  /// - Returns: `nil` when the row is damaged.
  package init?(row: [Int64]) {
    guard row.count == Self.columns.count, let meter = UInt32(exactly: row[2]),
      let account = UInt32(exactly: row[3]), let area = UInt16(exactly: row[4]),
      let quality = UInt8(exactly: row[11]).flatMap(ReadingQuality.init(rawValue:)),
      let flags = UInt8(exactly: row[12])
    else { return nil }
    self.init(
      sequence: SequenceNumber(UInt64(bitPattern: row[0])),
      time: Timestamp(nanoseconds: UInt64(bitPattern: row[1])), account: AccountId(account),
      area: AreaId(area),
      reading: MeterReading(
        meter: MeterId(meter), registerSequence: UInt64(bitPattern: row[7]),
        intervalStart: Timestamp(nanoseconds: UInt64(bitPattern: row[5])),
        intervalEnd: Timestamp(nanoseconds: UInt64(bitPattern: row[6])),
        produced: Energy(wattHours: row[9]), consumed: Energy(wattHours: row[10]),
        quality: quality),
      previousSequence: UInt64(bitPattern: row[8]), flags: Flags(rawValue: flags))
  }
}
