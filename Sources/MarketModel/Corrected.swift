// The event of a correction, and those of readings in quarantine. The fields of a correction are laid out
// by hand, so that no event is longer than a trade.
//
//     Corrected    0 meter 4 | session 4 | registerSequence 8 | previousSequence 8 | intervalStart 8
//                 32 clientSequence 8 | produced 8 | consumed 8 | differences of both 8 + 8
//                 72 exportsBack 8 | exported 8 | importsBack 8 | imported 8
//                104 lower 32 bits of: length of the interval, lost, feed-in, retail | account 4
//                124 upper 16 bits of these four | area 2 | quality 1 | flags 1

/// The effect of a later version of a reading (market rules 7, "Late readings and versions"): what
/// changed against the version before, at the prices of the interval.
public struct Corrected: Sendable, BitwiseCopyable, Equatable {
  @usableFromInline var meter: MeterId
  /// The session that sent the reading.
  public var session: SessionId
  @usableFromInline var registerSequence: UInt64
  /// The register sequence of the version before.
  public var previousSequence: UInt64
  @usableFromInline var intervalStart: Timestamp
  /// Sequence number of the client's message; 0: the operator released the reading from quarantine.
  public var clientSequence: UInt64
  @usableFromInline var produced: Energy
  @usableFromInline var consumed: Energy
  /// Counted production less that of the version before.
  public var producedDifference: Energy
  /// Consumption less that of the version before.
  public var consumedDifference: Energy
  /// Energy that the account takes back from the grid, at the feed-in price.
  public var exportsBack: Energy
  /// Energy above the cap, sold to the grid at the feed-in price.
  public var exported: Energy
  /// Energy that the grid takes back from the account, at the retail price.
  public var importsBack: Energy
  /// What the balance lacked, bought from the grid at the retail price.
  public var imported: Energy
  private var lowLength: UInt32
  private var lowLost: UInt32
  private var lowFeedIn: UInt32
  private var lowRetail: UInt32
  /// The account of the interval.
  public var account: AccountId
  private var highLength: UInt16
  private var highLost: Int16
  private var highFeedIn: Int16
  private var highRetail: Int16
  /// Its area.
  public var area: AreaId
  @usableFromInline var quality: ReadingQuality
  /// 1: the interval uses its own production first; 2: the production counts.
  @usableFromInline var flags: UInt8

  /// A correction without an effect yet.
  /// - Parameters:
  ///   - reading: The version.
  ///   - session: The session that sent it.
  ///   - clientSequence: Sequence number of its message; 0: released from quarantine.
  ///   - account: The account of the interval.
  ///   - area: Its area.
  ///   - previous: Register sequence, counted production and consumption of the version before.
  ///   - usesOwn: Whether the interval uses its own production first.
  ///   - countsProduction: Whether production of its quality counts.
  ///   - lost: What more is lost, Wh; within +-2^47.
  ///   - prices: Feed-in and retail price of the interval; within +-2^47.
  public init(
    reading: MeterReading, session: SessionId, clientSequence: UInt64, account: AccountId,
    area: AreaId, previous: (sequence: UInt64, produced: Energy, consumed: Energy), usesOwn: Bool,
    countsProduction: Bool, lost: Energy, prices: (feedIn: Price, retail: Price)
  ) {
    (meter, self.session) = (reading.meter, session)
    (registerSequence, previousSequence) = (reading.registerSequence, previous.sequence)
    (intervalStart, self.clientSequence) = (reading.intervalStart, clientSequence)
    (produced, consumed) = (reading.produced, reading.consumed)
    let counted = countsProduction ? reading.produced : .zero
    // Readings are at most 2^40 Wh.
    producedDifference = Energy(wattHours: counted.wattHours &- previous.produced.wattHours)
    consumedDifference = Energy(wattHours: consumed.wattHours &- previous.consumed.wattHours)
    (exportsBack, exported, importsBack, imported) = (.zero, .zero, .zero, .zero)
    let length = reading.intervalEnd.nanoseconds &- reading.intervalStart.nanoseconds
    (lowLength, highLength) = (
      UInt32(truncatingIfNeeded: length), UInt16(truncatingIfNeeded: length >> 32)
    )
    (lowLost, highLost) = Self.parts(lost.wattHours)
    (lowFeedIn, highFeedIn) = Self.parts(prices.feedIn.ticks)
    (lowRetail, highRetail) = Self.parts(prices.retail.ticks)
    (self.account, self.area, quality) = (account, area, reading.quality)
    flags = (usesOwn ? 1 : 0) | (countsProduction ? 2 : 0)
  }

  private static func parts(_ value: Int64) -> (UInt32, Int16) {
    (UInt32(truncatingIfNeeded: value), Int16(truncatingIfNeeded: value >> 32))
  }

  private static func whole(_ low: UInt32, _ high: Int16) -> Int64 {
    Int64(high) << 32 | Int64(low)
  }

  /// The reading.
  public var reading: MeterReading {
    MeterReading(
      meter: meter, registerSequence: registerSequence, intervalStart: intervalStart,
      intervalEnd: Timestamp(
        nanoseconds: intervalStart.nanoseconds &+ (UInt64(highLength) << 32 | UInt64(lowLength))),
      produced: produced, consumed: consumed, quality: quality)
  }

  /// Whether the interval uses its own production first.
  public var usesOwn: Bool { flags & 1 != 0 }
  /// Whether the area counts production of the reading's quality; otherwise it counts as 0.
  public var countsProduction: Bool { flags & 2 != 0 }
  /// The production that counts.
  public var minted: Energy { countsProduction ? produced : .zero }
  /// What more is lost between production and storage than by the version before; may be negative.
  public var lostDifference: Energy { Energy(wattHours: Self.whole(lowLost, highLost)) }
  /// The price of exports in the interval.
  public var feedInPrice: Price { Price(ticks: Self.whole(lowFeedIn, highFeedIn)) }
  /// The price of imports in the interval.
  public var retailPrice: Price { Price(ticks: Self.whole(lowRetail, highRetail)) }

  /// What more is used in the interval itself than by the version before; may be negative.
  public var ownDifference: Energy {
    if !usesOwn { return .zero }
    // Readings are at most 2^40 Wh.
    let before = min(
      minted.wattHours &- producedDifference.wattHours,
      consumed.wattHours &- consumedDifference.wattHours)
    return Energy(wattHours: min(minted, consumed).wattHours &- before)
  }

  /// What the account gets for exports less those that it takes back; negative: it pays.
  /// - Returns: The product, which fits in every event of an exchange.
  public var exportCash: Money {
    Money(units: feedInPrice.ticks &* (exported.wattHours &- exportsBack.wattHours))
  }

  /// What the account pays for imports less those that it gives back; negative: it gets.
  /// - Returns: The product, which fits in every event of an exchange.
  public var importCash: Money {
    Money(units: retailPrice.ticks &* (imported.wattHours &- importsBack.wattHours))
  }
}

/// A rejected reading that is kept until the operator decides (market rules 7, "Quarantine").
public struct Quarantined: Sendable, BitwiseCopyable, Hashable {
  /// Its number: 1, 2, 3 ... over the whole exchange.
  public var number: UInt64
  /// The reading.
  public var reading: MeterReading
  /// The session that sent it.
  public var session: SessionId
  /// Why it was rejected.
  public var code: RejectCode
  /// When it came.
  public var time: Timestamp

  /// A reading in quarantine.
  public init(
    number: UInt64, reading: MeterReading, session: SessionId, code: RejectCode, time: Timestamp
  ) {
    (self.number, self.reading, self.session) = (number, reading, session)
    (self.code, self.time) = (code, time)
  }
}

/// A reading left the quarantine: before it, the event of its effect comes where it was released.
public struct ReadingDecided: Sendable, BitwiseCopyable, Hashable {
  /// The decision.
  public var decision: DecideReading
  /// The meter of the reading.
  public var meter: MeterId
  /// The session that decided.
  public var session: SessionId
  /// Sequence number of its message.
  public var clientSequence: UInt64

  /// A decision.
  public init(
    decision: DecideReading, meter: MeterId, session: SessionId, clientSequence: UInt64
  ) {
    (self.decision, self.meter) = (decision, meter)
    (self.session, self.clientSequence) = (session, clientSequence)
  }
}
