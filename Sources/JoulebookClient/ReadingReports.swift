// What the server says about readings: what one did, what a later version changed, and that it is kept in quarantine.

import MarketModel
import Wire

/// The effect of a meter reading: produced = own + credited + lost; consumed = own + burned +
/// bought locally + imported.
public struct MeterReport: Equatable, Sendable, BitwiseCopyable {
  /// Sequence number of the MeterReading; 0: the operator released it from quarantine.
  public var reference: UInt64
  /// The meter.
  public var meter: MeterId
  /// Sequence number of the meter's register, as in the reading.
  public var registerSequence: UInt64
  /// The meter's account.
  public var account: AccountId
  /// The meter's area.
  public var area: AreaId
  /// Energy produced in the interval, as in the reading.
  public var produced: Energy
  /// Energy consumed in the interval, as in the reading.
  public var consumed: Energy
  /// Produced energy that was lost in storing it.
  public var lost: Energy
  /// Energy above the account's cap after trading, sold to the grid.
  public var exported: Energy
  /// Amount that the grid paid for it.
  public var exportRevenue: Money
  /// Energy taken from the account's balance.
  public var burned: Energy
  /// Energy that the balance lacked, bought from the grid.
  public var imported: Energy
  /// Amount that the grid charged for it.
  public var importCost: Money
  /// Energy produced and used in the same interval.
  public var own = Energy.zero
  /// Energy that the balance lacked, bought from live asks of other accounts.
  public var boughtLocally = Energy.zero
  /// Amount paid for it, fees included.
  public var localCost = Money.zero
  /// Energy above the cap, sold to live bids of other accounts.
  public var soldLocally = Energy.zero
  /// Amount received for it, less fees.
  public var localRevenue = Money.zero
  /// How the reading came about.
  public var quality = ReadingQuality.measured
  /// Whether its production counts as 0, because the quality is worse than the area's minted quality.
  public var isUncounted = false
  /// Start of the interval; `.never` from a server of an older version.
  public var intervalStart = Timestamp.never
  /// End of the interval; `.never` from a server of an older version.
  public var intervalEnd = Timestamp.never
}

/// The effect of a later version of a reading: differences to the version before, at the prices of the
/// interval (market rules 7).
public struct CorrectionReport: Equatable, Sendable, BitwiseCopyable {
  /// Sequence number of the MeterReading; 0: the operator released it from quarantine.
  public var reference: UInt64
  /// The reading.
  public var reading: MeterReading
  /// The register sequence of the version before.
  public var previousSequence: UInt64
  /// Whose interval it is.
  public var account: AccountId
  /// Where.
  public var area: AreaId
  /// Whether the production counts as 0, because the quality is worse than the area's minted quality.
  public var isUncounted: Bool
  /// Counted production less that of the version before.
  public var producedDifference: Energy
  /// Consumption less that of the version before.
  public var consumedDifference: Energy
  /// What more is produced and used in the same interval.
  public var ownDifference: Energy
  /// What more is lost in storing it.
  public var lostDifference: Energy
  /// Energy taken back from the grid, at the feed-in price.
  public var exportsBack: Energy
  /// Energy above the account's cap, sold to the grid.
  public var exported: Energy
  /// Energy given back to the grid, at the retail price.
  public var importsBack: Energy
  /// Energy that the balance lacked, bought from the grid.
  public var imported: Energy
  /// The price of exports in the interval.
  public var feedInPrice: Price
  /// The price of imports in the interval.
  public var retailPrice: Price
  /// What the grid paid for exports, less what it got back.
  public var exportRevenue: Money
  /// What the grid charged for imports, less what it gave back.
  public var importCost: Money
}

/// A rejected reading that is kept until the operator decides (market rules 7, "Quarantine").
public struct QuarantineReport: Equatable, Sendable, BitwiseCopyable {
  /// Its number, which the operator names to decide.
  public var number: UInt64
  /// The reading.
  public var reading: MeterReading
  /// The session that sent it.
  public var session: SessionId
  /// Why it was rejected.
  public var code: RejectCode
}

/// A row of the list of readings in quarantine.
public struct ListedQuarantine: Equatable, Sendable {
  /// The reading, its number and the reason.
  public var kept: Quarantined
  /// Whose interval it is; null: nobody's.
  public var account: AccountId
  /// Further readings of the meter that had no room in quarantine.
  public var more: UInt32
}

/// A row of the list of a meter's kept intervals.
public struct ListedInterval: Equatable, Sendable {
  /// The newest version, with its counted production.
  public var row: ListedReading
  /// Whose interval it is.
  public var account: AccountId
}

// MARK: - Decoding

extension MeterReadingAckDecoder {
  func event() throws(ClientError) -> ClientEvent {
    isLaterVersion ? .corrected(try correction()) : .metered(try report())
  }

  private func report() throws(ClientError) -> MeterReport {
    MeterReport(
      reference: refSeqNo, meter: meter, registerSequence: registerSequence, account: account,
      area: area, produced: produced, consumed: consumed, lost: lost, exported: exported,
      exportRevenue: exportRevenue, burned: burned, imported: imported,
      importCost: importCost, own: own, boughtLocally: boughtLocally,
      localCost: Money(units: localCost), soldLocally: soldLocally,
      localRevenue: Money(units: localRevenue), quality: try EventReader.known(quality),
      isUncounted: isUncounted, intervalStart: intervalStart, intervalEnd: intervalEnd)
  }

  private func correction() throws(ClientError) -> CorrectionReport {
    CorrectionReport(
      reference: refSeqNo,
      reading: MeterReading(
        meter: meter, registerSequence: registerSequence, intervalStart: intervalStart,
        intervalEnd: intervalEnd, produced: produced, consumed: consumed,
        quality: try EventReader.known(quality)),
      previousSequence: previousSequence, account: account, area: area,
      isUncounted: isUncounted, producedDifference: producedDifference,
      consumedDifference: consumedDifference, ownDifference: own, lostDifference: lost,
      exportsBack: exportsBack, exported: exported, importsBack: importsBack, imported: imported,
      feedInPrice: Price(ticks: feedInPrice), retailPrice: Price(ticks: retailPrice),
      exportRevenue: exportRevenue, importCost: importCost)
  }
}

extension ReadingQuarantinedDecoder {
  func event() throws(ClientError) -> ClientEvent {
    .quarantined(
      QuarantineReport(
        number: number,
        reading: MeterReading(
          meter: meter, registerSequence: registerSequence, intervalStart: intervalStart,
          intervalEnd: intervalEnd, produced: produced, consumed: consumed,
          quality: try EventReader.known(quality)), session: sessionId, code: code))
  }
}

extension QuarantineRowDecoder {
  var listed: ListedQuarantine? {
    quality.map {
      ListedQuarantine(
        kept: Quarantined(
          number: number,
          reading: MeterReading(
            meter: meter, registerSequence: registerSequence, intervalStart: intervalStart,
            intervalEnd: intervalEnd, produced: produced, consumed: consumed, quality: $0),
          session: sessionId, code: code, time: rejectTime), account: account, more: more)
    }
  }
}

extension ReadingRowDecoder {
  var listed: ListedInterval? {
    quality.map {
      ListedInterval(
        row: ListedReading(
          MeterReading(
            meter: meter, registerSequence: registerSequence, intervalStart: intervalStart,
            intervalEnd: intervalEnd, produced: produced, consumed: consumed, quality: $0),
          usesOwn: usesOwn, exported: exported, imported: imported), account: account)
    }
  }
}
