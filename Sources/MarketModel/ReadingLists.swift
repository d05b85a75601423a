// Rows of the lists about readings: kept intervals, gaps between them, and the quarantine.

/// The newest version of a settled interval, as the exchange keeps it.
public struct ListedReading: Hashable, Sendable {
  /// The reading, with its counted production.
  public var reading: MeterReading
  /// Whether the interval uses its own production first.
  public var usesOwn: Bool
  /// What of it was sold to the grid, less what was taken back.
  public var exported: Energy
  /// What of it was bought from the grid, less what was given back.
  public var imported: Energy

  /// A kept interval.
  public init(_ reading: MeterReading, usesOwn: Bool, exported: Energy, imported: Energy) {
    (self.reading, self.usesOwn) = (reading, usesOwn)
    (self.exported, self.imported) = (exported, imported)
  }
}

/// Time between two kept intervals of a meter, of which there is no reading.
public struct ReadingGap: Hashable, Sendable {
  /// The meter.
  public var meter: MeterId
  /// End of the interval before.
  public var from: Timestamp
  /// Start of the next interval.
  public var to: Timestamp

  /// A gap.
  public init(meter: MeterId, from: Timestamp, to: Timestamp) {
    (self.meter, self.from, self.to) = (meter, from, to)
  }
}

/// A page of rows in the order of their keys.
public struct RowPage<Row: Sendable>: Sendable {
  /// The rows.
  public var rows: [Row]
  /// Where the next page begins; 0: there is none.
  public var next: UInt64

  /// A page.
  public init(_ rows: [Row] = [], next: UInt64 = 0) { (self.rows, self.next) = (rows, next) }
}
