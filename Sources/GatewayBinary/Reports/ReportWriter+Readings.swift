// What a sender is told of a reading: what it did, what a later version changed, or that it is kept in quarantine.

import MarketModel
import Wire

extension ReportWriter {
  func metered(_ sequence: UInt64, _ time: Timestamp, _ done: Metered) {
    guard let frame = room(MeterReadingAckEncoder.frameLength) else { return }
    let reading = done.reading
    MeterReadingAckEncoder(
      into: frame, seqNo: sequence, transactTime: time, refSeqNo: done.clientSequence,
      registerSequence: reading.registerSequence, produced: reading.produced,
      consumed: reading.consumed, lost: done.lost, exported: done.exported,
      exportRevenue: done.exportRevenue, burned: done.burned, imported: done.imported,
      importCost: done.importCost, meter: reading.meter, account: done.account, area: done.area,
      quality: reading.quality, isUncounted: !done.countsProduction, own: done.own,
      boughtLocally: done.boughtLocally, localCost: done.localCost.units,
      soldLocally: done.soldLocally, localRevenue: done.localRevenue.units,
      intervalStart: reading.intervalStart, intervalEnd: reading.intervalEnd,
      previousSequence: 0, producedDifference: .zero, consumedDifference: .zero,
      exportsBack: .zero, importsBack: .zero, feedInPrice: 0, retailPrice: 0,
      isLaterVersion: false)
  }

  func corrected(_ sequence: UInt64, _ time: Timestamp, _ done: Corrected) {
    guard let frame = room(MeterReadingAckEncoder.frameLength) else { return }
    let reading = done.reading
    MeterReadingAckEncoder(
      into: frame, seqNo: sequence, transactTime: time, refSeqNo: done.clientSequence,
      registerSequence: reading.registerSequence, produced: reading.produced,
      consumed: reading.consumed, lost: done.lostDifference, exported: done.exported,
      exportRevenue: done.exportCash, burned: .zero, imported: done.imported,
      importCost: done.importCash, meter: reading.meter, account: done.account, area: done.area,
      quality: reading.quality, isUncounted: !done.countsProduction, own: done.ownDifference,
      boughtLocally: .zero, localCost: 0, soldLocally: .zero, localRevenue: 0,
      intervalStart: reading.intervalStart, intervalEnd: reading.intervalEnd,
      previousSequence: done.previousSequence, producedDifference: done.producedDifference,
      consumedDifference: done.consumedDifference, exportsBack: done.exportsBack,
      importsBack: done.importsBack, feedInPrice: done.feedInPrice.ticks,
      retailPrice: done.retailPrice.ticks, isLaterVersion: true)
  }

  func quarantined(_ sequence: UInt64, _ time: Timestamp, _ kept: Quarantined) {
    guard let frame = room(ReadingQuarantinedEncoder.frameLength) else { return }
    let reading = kept.reading
    ReadingQuarantinedEncoder(
      into: frame, seqNo: sequence, transactTime: time, number: kept.number,
      registerSequence: reading.registerSequence, intervalStart: reading.intervalStart,
      intervalEnd: reading.intervalEnd, produced: reading.produced, consumed: reading.consumed,
      meter: reading.meter, sessionId: kept.session, code: kept.code, quality: reading.quality)
  }

  // MARK: Rows of lists

  /// - Parameters:
  ///   - more: Further readings of the meter without room in quarantine.
  ///   - account: Whose interval it is.
  func quarantineRow(
    _ time: Timestamp, reference: UInt64, _ kept: Quarantined, more: UInt32, _ account: AccountId
  ) {
    guard let frame = room(QuarantineRowEncoder.frameLength) else { return }
    let reading = kept.reading
    QuarantineRowEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, number: kept.number,
      rejectTime: kept.time, registerSequence: reading.registerSequence,
      intervalStart: reading.intervalStart, intervalEnd: reading.intervalEnd,
      produced: reading.produced, consumed: reading.consumed, meter: reading.meter,
      sessionId: kept.session, code: kept.code, quality: reading.quality, account: account,
      more: more)
  }

  func gapRow(_ time: Timestamp, reference: UInt64, _ gap: ReadingGap) {
    guard let frame = room(ReadingGapRowEncoder.frameLength) else { return }
    ReadingGapRowEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference, gapStart: gap.from,
      gapEnd: gap.to, meter: gap.meter)
  }

  func readingRow(
    _ time: Timestamp, reference: UInt64, _ row: ListedReading, _ account: AccountId
  ) {
    guard let frame = room(ReadingRowEncoder.frameLength) else { return }
    let reading = row.reading
    ReadingRowEncoder(
      into: frame, seqNo: 0, transactTime: time, refSeqNo: reference,
      registerSequence: reading.registerSequence, intervalStart: reading.intervalStart,
      intervalEnd: reading.intervalEnd, produced: reading.produced, consumed: reading.consumed,
      exported: row.exported, imported: row.imported, meter: reading.meter, account: account,
      quality: reading.quality, usesOwn: row.usesOwn)
  }
}
