// A dry run that asks the server what it has: which readings of a file would be new intervals, which the next
// versions of kept ones, and which change nothing.

import ArgumentParser
import JoulebookClient
import MarketModel
import MeterImport
import Presentation

/// What the readings of a file would be.
struct ImportComparison {
  /// What a reading would be.
  enum Verdict: String, CaseIterable {
    case new = "new"
    case version = "next version"
    case repeated = "unchanged"
    case lower = "lower"
    case overlapping = "overlapping"

    /// The word of the count, and what it means.
    var text: (name: String, meaning: String) {
      switch self {
      case .new: ("new", "intervals that the exchange does not have")
      case .version: ("versions", "next versions of intervals that it has")
      case .repeated: ("unchanged", "the exchange has the same values")
      case .lower:
        (
          "older",
          "other values, whose register sequence is not above that of the exchange (7003): give a "
            + "higher --revision, or the column sequence"
        )
      case .overlapping: ("overlapping", "intervals that overlap others of the exchange (7006)")
      }
    }
  }

  private(set) var counts: [Verdict: Int] = [:]
  /// The first reading of each verdict.
  private(set) var first: [Verdict: ImportedReading] = [:]
  private let revision: UInt64
  private let period: Range<Int64>
  /// Kept intervals of the meters of the file, ascending.
  private var kept: [MeterId: [MeterReading]] = [:]

  /// A comparison.
  /// - Parameter period: That of the file, s since 1970.
  init(revision: UInt64, period: Range<Int64>) { (self.revision, self.period) = (revision, period) }

  /// Whether the intervals of the meter have been read.
  func knows(_ meter: MeterId) -> Bool { kept[meter] != nil }

  /// Reads the kept intervals of a meter. A meter that the exchange does not have, has none.
  mutating func read(_ meter: MeterId, _ client: Client) throws(ClientError) {
    var rows: [MeterReading] = []
    // An interval that begins up to 24 h before the period may reach into it.
    let from = UInt64(max(0, period.lowerBound - 86_400)) * 1_000_000_000
    let to = UInt64(max(0, min(period.upperBound, 18_000_000_000))) * 1_000_000_000
    do throws(ClientError) {
      try client.readList(
        .readings, scope: .all, meter: meter,
        period: Timestamp(nanoseconds: from)..<Timestamp(nanoseconds: max(from, to))
      ) { event in
        if case .listRow(.reading(let listed), _) = event { rows.append(listed.row.reading) }
      }
    } catch {
      guard case .rejected(let rejection) = error, rejection.code == .unknownMeter else {
        throw error
      }
    }
    kept[meter] = rows
  }

  /// Judges a reading of a meter whose intervals have been read.
  mutating func take(_ reading: ImportedReading) {
    let message = reading.message(revision: revision)
    let verdict = Self.verdict(message, kept[reading.meter] ?? [])
    counts[verdict, default: 0] += 1
    if first[verdict] == nil { first[verdict] = reading }
  }

  /// What a reading would be, beside ascending intervals that do not overlap.
  static func verdict(_ reading: MeterReading, _ kept: [MeterReading]) -> Verdict {
    var (low, high) = (0, kept.count)
    while low < high {
      let middle = (low + high) / 2
      if kept[middle].intervalEnd <= reading.intervalStart {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < kept.count, kept[low].intervalStart < reading.intervalEnd else { return .new }
    let known = kept[low]
    guard known.intervalStart == reading.intervalStart, known.intervalEnd == reading.intervalEnd
    else { return .overlapping }
    // Production of an insufficient quality counts as 0, which is what the list has.
    let isSame =
      known.consumed == reading.consumed && known.quality == reading.quality
      && (known.produced == reading.produced
        || known.produced == .zero && reading.quality != .measured)
    if isSame { return .repeated }
    return reading.registerSequence > known.registerSequence ? .version : .lower
  }

  /// The counts in lines.
  var text: String {
    Verdict.allCases.compactMap { verdict in
      guard let count = counts[verdict] else { return nil }
      let (name, meaning) = verdict.text
      let place =
        verdict == .lower || verdict == .overlapping
        ? first[verdict].map { "; the first in line \($0.line)" } ?? "" : ""
      return name + String(repeating: " ", count: max(1, 13 - name.count))
        + "\(count): \(meaning)\(place)\n"
    }.joined()
  }
}

extension ImportCommand {
  /// Reads the file, asks the server what it has, and prints what would be sent.
  func compare(
    _ readings: MeterFile, _ list: RejectedList?, _ bar: inout ProgressBar?
  ) throws {
    var all: [ImportedReading] = []
    do throws(ImportError) {
      while let item = try readings.next() {
        switch item {
        case .reading(let reading): all.append(reading)
        case .fault(let fault): try list?.add(fault)
        }
        if all.count & 0xFFF == 0 { bar?.show(readings.bytesRead >> 10) }
      }
    } catch {
      throw Self.failure(error, file)
    }
    bar?.clear()
    try Self.close(list)
    let report = readings.report
    var comparison = ImportComparison(revision: revision, period: report.period ?? 0..<0)
    try server.converse { client throws(ClientError) in
      for reading in all {
        if !comparison.knows(reading.meter) { try comparison.read(reading.meter, client) }
        comparison.take(reading)
      }
    }
    print(report.text(shownGaps: gaps) + comparison.text, terminator: "")
    print("This was a dry run: nothing was sent. --apply sends \(report.readings) readings.")
    if report.faultCount > 0 { throw ExitCode(Failure.badData.rawValue) }
  }
}
