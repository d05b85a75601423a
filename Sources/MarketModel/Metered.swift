// The event of a meter reading. It has a file of its own because its fields are laid out by hand.

/// The effect of a meter reading (market rules 7). Energy is conserved: counted production = own +
/// credited + lost, and consumed = own + burned + boughtLocally + imported.
///
/// The fields are in an order without gaps, so that no event is longer than a trade.
public struct Metered: Sendable, BitwiseCopyable, Equatable {
  @usableFromInline var meter: MeterId
  /// The session that sent the reading.
  public var session: SessionId
  @usableFromInline var registerSequence: UInt64
  @usableFromInline var intervalStart: Timestamp
  @usableFromInline var intervalEnd: Timestamp
  @usableFromInline var produced: Energy
  @usableFromInline var consumed: Energy
  /// Sequence number of the client's message.
  public var clientSequence: UInt64
  /// The account of the meter.
  public var account: AccountId
  /// The area of the meter.
  public var area: AreaId
  /// Whether the reading used its own production first.
  public var usesOwn: Bool
  /// The quality, and 4 where the production does not count.
  @usableFromInline var qualityAndCount: UInt8
  /// Produced energy that was lost between production and storage.
  public var lost: Energy
  /// Energy above the cap after trading, sold to the grid.
  public var exported: Energy
  /// The cash that the grid paid for the export.
  public var exportRevenue: Money
  /// Consumption taken from the account's balance.
  public var burned: Energy
  /// Consumption that neither balance nor neighbours had, bought from the grid.
  public var imported: Energy
  /// The cash that the grid charged for the import.
  public var importCost: Money
  /// The cash that was paid for what was bought locally, fees included.
  public var localCost: Money
  /// Energy above the cap that was sold to live bids of other accounts.
  public var soldLocally: Energy
  /// The cash that was received for it, less fees.
  public var localRevenue: Money

  /// The effect of a reading from its parts.
  @inlinable public init(
    reading: MeterReading, session: SessionId, clientSequence: UInt64, account: AccountId,
    area: AreaId, lost: Energy, exported: Energy, exportRevenue: Money, burned: Energy,
    imported: Energy, importCost: Money, usesOwn: Bool = false, localCost: Money = .zero,
    soldLocally: Energy = .zero, localRevenue: Money = .zero, countsProduction: Bool = true
  ) {
    (meter, self.session) = (reading.meter, session)
    registerSequence = reading.registerSequence
    (intervalStart, intervalEnd) = (reading.intervalStart, reading.intervalEnd)
    (produced, consumed) = (reading.produced, reading.consumed)
    (self.clientSequence, self.account, self.area) = (clientSequence, account, area)
    (self.usesOwn, self.lost) = (usesOwn, lost)
    qualityAndCount = reading.quality.rawValue | (countsProduction ? 0 : 4)
    (self.exported, self.exportRevenue) = (exported, exportRevenue)
    (self.burned, self.imported, self.importCost) = (burned, imported, importCost)
    (self.localCost, self.soldLocally, self.localRevenue) = (localCost, soldLocally, localRevenue)
  }

  /// The reading.
  @inlinable public var reading: MeterReading {
    MeterReading(
      meter: meter, registerSequence: registerSequence, intervalStart: intervalStart,
      intervalEnd: intervalEnd, produced: produced, consumed: consumed, quality: quality)
  }

  /// How the reading came about.
  @inlinable public var quality: ReadingQuality {
    ReadingQuality(rawValue: qualityAndCount & 3) ?? .estimated
  }

  /// Whether the area counts production of that quality; otherwise it counts as 0.
  @inlinable public var countsProduction: Bool { qualityAndCount & 4 == 0 }

  /// The production that counts: minted, and kept for corrections.
  @inlinable public var minted: Energy { countsProduction ? produced : .zero }

  /// Production that was used in the same interval: minted and burned at once, without loss.
  @inlinable public var own: Energy { usesOwn ? min(minted, consumed) : .zero }

  /// Consumption that was bought from live asks of other accounts: what the other parts leave.
  @inlinable public var boughtLocally: Energy {
    // Each is a part of the consumption in every event of an exchange.
    Energy(
      wattHours: consumed.wattHours &- own.wattHours &- burned.wattHours &- imported.wattHours)
  }
}
