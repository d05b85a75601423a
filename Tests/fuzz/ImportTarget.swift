// The first byte selects the profile and its options; the rest is the file:
//
//     [ 0 own | 1 german | 2 columns | 3 wide columns | 4 nem12 ] [ bytes ............... ]

import MarketModel
import MeterImport

/// Reads files of meter readings, as `joulebook import` does.
enum ImportTarget {
  private static let zone = TimeZoneRules("Europe/Berlin") ?? .utc

  static func run(_ input: UnsafeRawBufferPointer) {
    guard let selection = input.first else { return }
    do throws(ImportError) {
      let file = try MeterFile(.bytes(Array(input.dropFirst())), options(selection))
      while let item = try file.next() {
        switch item {
        case .reading(let reading): check(reading)
        case .fault(let fault): require(!fault.text.isEmpty, "a fault without a sentence")
        }
      }
      require(!file.report.text(shownGaps: 3).isEmpty, "no report")
    } catch {
      require(!error.description.isEmpty, "an error without a sentence")
    }
  }

  private static func options(_ selection: UInt8) -> ImportOptions {
    let profile: ImportProfile =
      switch selection % 5 {
      case 0: .own
      case 1: .german
      case 2, 3: .columns
      default: .nem12
      }
    var options = ImportOptions(profile: profile)
    options.zone = zone
    options.takesEstimated = selection & 0x10 != 0
    options.absentIsZero = selection & 0x20 != 0
    options.timesAreEnds = selection & 0x40 != 0
    if profile == .german, selection & 0x80 != 0 { options.meter = MeterId(7) }
    guard profile == .columns else { return options }
    (options.interval, options.year) = (900, 2025)
    if selection % 5 == 3 {
      (options.timeColumns, options.wide) = (["week", "day", "time"], .consumed)
    } else {
      (options.timeColumns, options.meterColumn) = (["time"], "meter")
      (options.consumedColumns, options.producedColumns) = (["a", "b"], ["c"])
      (options.qualityColumn, options.dateOrder) = ("q", .dayFirst)
    }
    return options
  }

  private static func check(_ reading: ImportedReading) {
    let length = reading.end - reading.start
    require(reading.start >= 0 && (1...86_400).contains(length), "an interval of \(length) s")
    require(reading.produced >= 0 && reading.consumed >= 0, "negative energy")
    let message = reading.message(revision: 1)
    require(message.intervalStart < message.intervalEnd, "an interval that ends before it begins")
  }
}
