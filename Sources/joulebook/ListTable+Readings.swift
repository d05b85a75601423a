// Rows of the lists of meters and their readings: quarantine, gaps, kept intervals.

import JoulebookClient
import MarketFile
import MarketModel

extension ListTable {
  /// Names of the columns of meters.
  static let meterColumns = [
    "meter", "account", "area", "capacity", "ownReadings", "attestation", "technology", "place",
    "publicKey",
  ]
  /// Names of the columns of readings in quarantine.
  static let quarantineColumns = [
    "number", "meter", "account", "start", "end", "produced", "consumed", "quality", "sequence",
    "code", "reason", "rejected", "session", "more",
  ]
  /// Names of the columns of gaps.
  static let gapColumns = ["meter", "start", "end", "length"]
  /// Names of the columns of kept intervals.
  static let readingColumns = [
    "meter", "account", "start", "end", "produced", "consumed", "quality", "sequence", "exported",
    "imported",
  ]

  static func cells(_ meter: ListedMeter) -> [Cell] {
    let isEnded = meter.account == .null
    return [
      .number(UInt64(meter.meter.rawValue)),
      isEnded ? .text("ended") : .number(UInt64(meter.account.rawValue)),
      isEnded ? .none : .number(UInt64(meter.area.rawValue)),
      meter.capacity == 0 ? .none : .amount("\(meter.capacity)W"),
      .text(meter.ownReadings ? "yes" : "no"),
      .text(Typed.name(of: meter.attestation)),
      meter.technology == .unknown ? .none : .text("\(meter.technology)"),
      meter.place == .empty ? .none : .text(meter.place.text),
      meter.key == PublicKey(0, 0, 0, 0) ? .none : .text(digits(meter.key)),
    ]
  }

  static func cells(_ listed: ListedQuarantine) -> [Cell] {
    let (kept, reading) = (listed.kept, listed.kept.reading)
    return [
      .number(kept.number), .number(UInt64(reading.meter.rawValue)),
      listed.account == .null ? .none : .number(UInt64(listed.account.rawValue)),
      .text(reading.intervalStart.iso8601), .text(reading.intervalEnd.iso8601),
      .amount(reading.produced.kilowattHours), .amount(reading.consumed.kilowattHours),
      .text("\(reading.quality)"), .number(reading.registerSequence),
      .number(UInt64(kept.code.rawValue)), .text(kept.code.entry?.name ?? ""),
      .text(kept.time.iso8601), .number(UInt64(kept.session.rawValue)),
      .number(UInt64(listed.more)),
    ]
  }

  static func cells(_ gap: ReadingGap) -> [Cell] {
    let seconds = (gap.to.nanoseconds - gap.from.nanoseconds) / 1_000_000_000
    let length = seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s"
    return [
      .number(UInt64(gap.meter.rawValue)), .text(gap.from.iso8601), .text(gap.to.iso8601),
      .amount(length),
    ]
  }

  static func cells(_ listed: ListedInterval) -> [Cell] {
    let (row, reading) = (listed.row, listed.row.reading)
    return [
      .number(UInt64(reading.meter.rawValue)),
      listed.account == .null ? .none : .number(UInt64(listed.account.rawValue)),
      .text(reading.intervalStart.iso8601), .text(reading.intervalEnd.iso8601),
      .amount(reading.produced.kilowattHours), .amount(reading.consumed.kilowattHours),
      .text("\(reading.quality)"), .number(reading.registerSequence),
      .amount(row.exported.kilowattHours), .amount(row.imported.kilowattHours),
    ]
  }
}
