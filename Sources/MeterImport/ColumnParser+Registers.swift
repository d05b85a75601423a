// Lines with what registers show (meter counters): the energy of an interval is the difference to the line before.
//
//     shows less than before ─▶ it began at 0 again (--register-digits) ─▶ plausible: what is left up to the top + now
//                            └▶ the meter was replaced or reset ─────────▶ a fault, and the next line goes on from here

import MarketModel

extension ColumnParser {
  /// The energy between what the registers showed in the line before and what they show now.
  func registers(
    _ layout: ColumnLayout, _ cells: Cells, _ meter: Int, _ moment: Int64,
    _ quality: ReadingQuality, _ column: inout Int
  ) throws(TextFault) -> ParsedLine {
    let used = try sum(layout.consumed, layout, cells, 3_600, &column)
    let made = try sum(layout.produced, layout, cells, 3_600, &column)
    column = 0
    guard used != nil || layout.consumed.isEmpty, made != nil || layout.produced.isEmpty else {
      return .missing
    }
    let now = ReadingSink.RegisterPair(
      moment: moment, consumed: used ?? 0, produced: made ?? 0, quality: quality)
    let last = sink.meters[meter].shown
    guard let before = sink.show(now, ofMeter: meter) else {
      if last.moment == .min { return .begin }
      throw TextFault(
        "the registers at \(ImportReport.time(moment)) come after those at "
          + "\(ImportReport.time(last.moment)): sort the file by time")
    }
    let interval = before.moment..<moment
    let consumed = try difference(before.consumed, now.consumed, interval, layout.consumed.count)
    let produced = try difference(before.produced, now.produced, interval, layout.produced.count)
    guard let consumed, let produced else {
      let (from, to) =
        consumed == nil ? (before.consumed, now.consumed) : (before.produced, now.produced)
      return .fault(
        .registerBack,
        "the register went from \(from) Wh back to \(to) Wh until \(ImportReport.time(moment)): the "
          + "meter was replaced or reset. What lies before and behind it is imported; for a register "
          + "that begins at 0 again give its --register-digits; if the columns have the energy of each "
          + "interval, give --interval-values")
    }
    return .reading(interval, produced, consumed, .worse(before.quality, quality), nil)
  }

  /// What a register counted from one moment to another; `nil` when it went back and did not roll over.
  /// - Parameter registers: Number of registers that are added; only a single one can roll over.
  private func difference(
    _ before: Int64, _ now: Int64, _ interval: Range<Int64>, _ registers: Int
  ) throws(TextFault) -> Int64? {
    let (counted, isMuch) = now.subtractingReportingOverflow(before)
    if isMuch { throw TextFault("the registers went too far since the line before") }
    if counted >= 0 { return counted }
    guard let digits = options.registerDigits, registers == 1 else { return nil }
    let top = (0..<digits).reduce(Int64(1_000)) { product, _ in product * 10 }
    let rolled = counted + top
    // A meter that was reset shows little too: only energy that the meter can have is taken.
    let most = Int128(options.power) * Int128(interval.count) / 3_600
    return before < top && now >= 0 && Int128(rolled) <= most ? rolled : nil
  }
}
