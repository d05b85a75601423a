// What a dry run prints: counts, gaps, and the first line that cannot be sent.

import MarketModel

/// What was found in a file.
public struct ImportReport: Sendable {
  /// A stretch of time in which a meter has no readings.
  public struct Gap: Equatable, Sendable {
    /// The meter as the file names it.
    public var meter: String
    /// The stretch, in seconds since 1970.
    public var interval: Range<Int64>
    /// Number of intervals that are missing, by the length of those beside it.
    public var count: Int64
  }

  /// Lines of the file.
  public internal(set) var lines = 0
  /// Readings that can be sent.
  public internal(set) var readings = 0
  /// Meters.
  public internal(set) var meters = 0
  /// Begin of the first and end of the last interval, in seconds since 1970.
  public internal(set) var period: Range<Int64>?
  /// Lengths of intervals in s, with the number of readings of each.
  public internal(set) var lengths: [Int64: Int] = [:]
  /// All produced energy, Wh.
  public internal(set) var produced: Int128 = 0
  /// All consumed energy, Wh.
  public internal(set) var consumed: Int128 = 0
  /// Readings of each quality.
  public internal(set) var qualities: [Int] = [0, 0, 0]
  /// Values that were rounded to whole Wh.
  public internal(set) var rounded = 0
  /// What rounding has added to all values together, in 1e-9 Wh.
  public internal(set) var roundedBy: Int64 = 0
  /// Readings above the plausible power.
  public internal(set) var implausible = 0
  /// The first of them.
  public internal(set) var firstImplausible: ImportedReading?
  /// Intervals that stand twice with the same values.
  public internal(set) var repeated = 0
  /// Further versions of an interval, by their register sequence.
  public internal(set) var versions = 0
  /// Cells and lines without a value.
  public internal(set) var missing = 0
  /// Intervals outside the period that was asked for.
  public internal(set) var outside = 0
  /// Lines of registers that are not imported, such as reactive energy.
  public internal(set) var ignored = 0
  /// Faults by kind.
  public internal(set) var faults: [LineFault.Kind: Int] = [:]
  /// The first fault of the file.
  public internal(set) var firstFault: LineFault?
  /// The first gaps, by meter, then by time.
  public internal(set) var gaps: [Gap] = []
  /// Number of all gaps.
  public internal(set) var gapCount = 0
  /// Number of intervals that are missing in all gaps.
  public internal(set) var missingIntervals: Int64 = 0
  /// Number of meters with gaps.
  public internal(set) var metersWithGaps = 0
  /// Whether the times look like the ends of intervals.
  public internal(set) var looksLikeEnds = false

  /// Most gaps that are kept for the list.
  static let mostGaps = 100_000

  /// Number of readings and lines that cannot be sent.
  public var faultCount: Int { faults.values.reduce(0, +) }

  /// Counts a reading that can be sent.
  mutating func take(_ reading: ImportedReading, power: Int64) {
    readings += 1
    let length = reading.end - reading.start
    // Few files have more than two lengths; irregular ones are counted together.
    lengths[lengths[length] != nil || lengths.count < 16 ? length : 0, default: 0] += 1
    produced += Int128(reading.produced)
    consumed += Int128(reading.consumed)
    qualities[Int(reading.quality.rawValue)] += 1
    let most = Int128(power) * Int128(length)
    if Int128(max(reading.produced, reading.consumed)) * 3_600 > most + 3_599 {
      implausible += 1
      if firstImplausible == nil { firstImplausible = reading }
    }
  }

  /// Counts what cannot be sent.
  mutating func take(_ fault: LineFault) {
    faults[fault.kind, default: 0] += 1
    if firstFault.map({ fault.line < $0.line }) ?? true { firstFault = fault }
  }

  /// Finds period and gaps when all lines are read.
  mutating func end(_ all: [ReadingSink.Meter], _ asked: Range<Int64>) {
    let periods = all.compactMap(\.coverage.period)
    meters = all.count
    guard let first = periods.map(\.lowerBound).min(), let last = periods.map(\.upperBound).max()
    else { return }
    period = first..<last
    let lower = asked.lowerBound == .min ? first : asked.lowerBound
    let whole = lower..<max(lower, asked.upperBound == .max ? last : asked.upperBound)
    for meter in all {
      let before = gapCount
      meter.coverage.gaps(in: whole) { interval, length in
        gapCount += 1
        let span = interval.upperBound - interval.lowerBound
        let count = (span + length - 1) / length
        missingIntervals += count
        if gaps.count < Self.mostGaps {
          gaps.append(Gap(meter: meter.name, interval: interval, count: count))
        }
      }
      if gapCount > before { metersWithGaps += 1 }
    }
  }

  // MARK: Text

  /// A time for people.
  static func time(_ seconds: Int64) -> String {
    Timestamp(nanoseconds: UInt64(max(0, min(seconds, 18_000_000_000))) * 1_000_000_000).iso8601
  }

  /// The text of a fault with its place: "line 12, column 4: ...".
  public static func text(_ fault: LineFault) -> String {
    let column = fault.column > 0 ? ", column \(fault.column)" : ""
    let meter = fault.meter.isEmpty ? "" : ", meter \(fault.meter)"
    return "line \(fault.line)\(column)\(meter): \(fault.text)"
  }

  /// The report in lines.
  /// - Parameter shownGaps: Most gaps that are listed.
  public func text(shownGaps: Int) -> String {
    var lines = [
      row("lines", "\(self.lines)"),
      row("meters", "\(meters)"),
      row("readings", "\(readings)" + lengthText),
    ]
    if let period { lines.append(row("from", Self.time(period.lowerBound))) }
    if let period { lines.append(row("to", Self.time(period.upperBound))) }
    lines.append(row("produced", Self.kilowattHours(produced) + " kWh"))
    lines.append(row("consumed", Self.kilowattHours(consumed) + " kWh"))
    lines += countLines
    lines += faultLines
    lines += gapLines(shownGaps)
    if looksLikeEnds {
      lines.append(
        "The first interval begins at its own length after midnight. If the times of the file are the "
          + "ends of intervals, give --times end.")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var lengthText: String {
    if lengths.isEmpty { return "" }
    let parts = lengths.sorted { $0.value > $1.value }.prefix(4).map { length, count in
      let words = length == 0 ? "other lengths" : Self.length(length)
      return lengths.count == 1 ? "of \(words)" : "\(count) of \(words)"
    }
    return (lengths.count == 1 ? " " : ": ") + parts.joined(separator: ", ")
  }

  private var countLines: [String] {
    var lines: [String] = []
    let names: [(ReadingQuality, String)] = [
      (.substituted, "substituted"), (.estimated, "estimated"),
    ]
    for (quality, name) in names where qualities[Int(quality.rawValue)] > 0 {
      lines.append(row(name, "\(qualities[Int(quality.rawValue)])"))
    }
    if rounded > 0 {
      lines.append(
        row("rounded", "\(rounded) values to whole Wh, together by \(Self.wattHours(roundedBy)) Wh")
      )
    }
    if repeated > 0 { lines.append(row("repeated", "\(repeated) with the same values")) }
    if versions > 0 { lines.append(row("versions", "\(versions) of intervals that stand before")) }
    if missing > 0 { lines.append(row("no value", "\(missing)")) }
    if outside > 0 { lines.append(row("outside", "\(outside) before --from or after --to")) }
    if ignored > 0 { lines.append(row("ignored", "\(ignored) lines of other registers")) }
    if let first = firstImplausible {
      lines.append(
        row(
          "implausible",
          "\(implausible) above the rated power; the first in line \(first.line), meter "
            + "\(first.meter.rawValue): \(max(first.produced, first.consumed)) Wh in "
            + "\(Self.length(first.end - first.start))"))
    }
    return lines
  }

  private var faultLines: [String] {
    guard let firstFault else { return [] }
    let kinds = LineFault.Kind.allCases.compactMap { kind in
      faults[kind].map { "\($0) \(kind.rawValue)" }
    }
    return [
      row("not sent", "\(faultCount): " + kinds.joined(separator: ", ")),
      row("first fault", Self.text(firstFault)),
    ]
  }

  private func gapLines(_ shown: Int) -> [String] {
    if gapCount == 0 { return [row("gaps", "0")] }
    var lines = [
      row(
        "gaps",
        "\(gapCount) in \(metersWithGaps) meter\(metersWithGaps == 1 ? "" : "s"), \(missingIntervals) "
          + "interval\(missingIntervals == 1 ? "" : "s")")
    ]
    for gap in gaps.prefix(shown) {
      lines.append(
        "  meter \(gap.meter)  \(ReadingSink.text(gap.interval))  \(gap.count) "
          + "interval\(gap.count == 1 ? "" : "s")")
    }
    if gapCount > shown, shown > 0 { lines.append("  and \(gapCount - shown) more (--gaps)") }
    return lines
  }

  private func row(_ name: String, _ value: String) -> String {
    name + String(repeating: " ", count: max(1, 13 - name.count)) + value
  }

  /// A length for people: "15 min", "24 h", "90 s".
  static func length(_ seconds: Int64) -> String {
    if seconds % 3_600 == 0 { return "\(seconds / 3_600) h" }
    return seconds % 60 == 0 ? "\(seconds / 60) min" : "\(seconds) s"
  }

  /// Wh as kWh with three decimals.
  private static func kilowattHours(_ wattHours: Int128) -> String {
    "\(wattHours / 1_000)." + String("\(1_000 + wattHours % 1_000)".dropFirst())
  }

  /// 1e-9 Wh as Wh, without trailing zeros.
  private static func wattHours(_ nano: Int64) -> String {
    let (whole, rest) = nano.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    var fraction = String("\(1_000_000_000 + rest)".dropFirst())
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return (nano < 0 ? "-" : "") + "\(whole)" + (fraction.isEmpty ? "" : "." + fraction)
  }
}
