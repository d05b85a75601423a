import Foundation
import MarketModel
import Testing

@testable import MeterImport

@Suite("Files whose columns options name")
struct NamedColumnsTests {
  /// Two days of four Swiss homes, a column for each; see Data/NOTICE.
  private func homes(_ change: (inout ImportOptions) -> Void = { _ in }) throws -> Outcome {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Data/swiss-homes.csv")
    return try Outcome(bytes: Array(Data(contentsOf: path)), .columns) {
      $0.timeColumns = ["week", "day", "time"]
      ($0.year, $0.zone) = (2025, TimeZoneRules("Europe/Zurich"))
      ($0.interval, $0.unit, $0.wide) = (900, .wattHours, .consumed)
      change(&$0)
    }
  }

  @Test(
    "Measured homes: the negative quarters are named, and missing; the bulk meter is implausible.")
  func measured() throws {
    let found = try homes()
    #expect(found.report.meters == 4 && found.report.readings == 2 * 4 * 96 - 3)
    #expect(
      found.complaints.map { $0.prefix { $0 != "." } } == [
        "line 42, meter 9717902: consumed -950 Wh: energy is not negative",
        "line 62, meter 9717902: consumed -36480 Wh: energy is not negative",
        "line 124, meter 9717902: consumed -6510 Wh: energy is not negative",
      ])
    #expect(found.report.implausible == 96)
    #expect(
      found.report.firstImplausible.map { [$0.line, Int($0.meter.rawValue)] } == [98, 2_046_645])
    // Between the two days lie 19 days of each meter.
    let single = try homes { $0.period = 1_763_334_000..<1_763_334_000 + 86_400 }
    #expect(single.report.readings == 4 * 96 - 2 && single.report.implausible == 0)
    #expect(
      single.report.gaps.map { "\($0.meter) \(ReadingSink.text($0.interval))" } == [
        "9717902 2025-11-17T09:00:00Z to 2025-11-17T09:15:00Z",
        "9717902 2025-11-17T14:00:00Z to 2025-11-17T14:15:00Z",
      ])
    #expect(single.report.outside == 4 * 96)
  }

  @Test(
    "One meter a line: columns are named, several are added, and both directions make a reading.")
  func named() throws {
    let text = """
      serial|x
      When,Serial,Peak,Night,Made
      2026-06-01 12:00,7,0.1,0.2,3
      2026-06-01 12:30,7,0.1,,3
      2026-06-01 13:00,7,0.1,0.3,
      """
    let found = try Outcome(text, .columns) {
      ($0.timeColumns, $0.meterColumn) = (["when"], "Serial")
      ($0.consumedColumns, $0.producedColumns) = (["Peak", "Night"], ["Made"])
      ($0.interval, $0.zone, $0.unit) = (1_800, .utc, .kilowattHours)
    }
    #expect(found.lines == ["7 2026-06-01T12:00:00Z 30m +3000 -300"])
    #expect(found.faults.map(\.kind) == [.incomplete, .incomplete])
    #expect(found.report.gapCount == 0, "what could not be sent lies behind the last reading")
  }

  @Test("A register shows the energy so far: it may roll over, be reset, or be another meter's.")
  func registers() throws {
    func counters(
      _ lines: String, digits: Int? = nil, power: Int64 = 100_000
    ) throws -> Outcome {
      try Outcome("at,serial,in,out,q\n" + lines, .columns) {
        ($0.timeColumns, $0.meterColumn, $0.qualityColumn) = (["at"], "serial", "q")
        ($0.consumedRegisters, $0.producedRegisters) = (["in"], ["out"])
        ($0.zone, $0.unit, $0.registerDigits) = (.utc, .kilowattHours, digits)
        ($0.power, $0.takesEstimated) = (power, true)
      }
    }
    let usual = try counters(
      """
      2026-06-01 12:00,7,100,5,
      2026-06-01 12:00,8,70,0,
      2026-06-01 12:15,7,100.5,6,
      2026-06-01 12:45,7,100.7,6,E
      2026-06-01 13:00,7,,6,
      2026-06-01 13:15,7,101,6.25,
      2026-06-01 12:30,8,70.1,0,
      """)
    // Lengths differ, an estimate is one of both intervals beside it, and an empty cell joins two intervals.
    #expect(
      usual.lines == [
        "7 2026-06-01T12:00:00Z 15m +1000 -500", "7 2026-06-01T12:15:00Z 30m +0 -200~",
        "7 2026-06-01T12:45:00Z 30m +250 -300~", "8 2026-06-01T12:00:00Z 30m +0 -100",
      ])
    #expect(usual.faults.isEmpty && usual.report.missing == 1)
    let back = "2026-06-01 12:00,7,9999.5,0,\n2026-06-01 12:15,7,1,0,\n2026-06-01 12:30,7,1.5,0,\n"
    let rolled = try counters(back, digits: 4)
    #expect(rolled.lines.first == "7 2026-06-01T12:00:00Z 15m +0 -1500")
    #expect(rolled.lines.count == 2 && rolled.faults.isEmpty)
    // Without the digits, with too little power for it, and after a reset, it is a gap of one interval.
    for other in [
      try counters(back), try counters(back, digits: 4, power: 5_000),
      try counters(back.replacing("9999.5", with: "5000"), digits: 4),
    ] {
      #expect(other.lines == ["7 2026-06-01T12:15:00Z 15m +0 -500"])
      #expect(other.faults.map(\.kind) == [.registerBack])
      #expect(other.complaints[0].contains("the meter was replaced or reset"))
    }
    // One register of two that goes back makes no reading of the interval.
    let one = try counters("2026-06-01 12:00,7,5,9,\n2026-06-01 12:15,7,6,2,\n")
    #expect(one.readings.isEmpty && one.complaints[0].contains("from 9000 Wh back to 2000 Wh"))
    #expect(throws: ImportError.self) {
      _ = try Outcome("at,in\n2026-06-01 12:00,1\n", .columns) {
        ($0.timeColumns, $0.consumedRegisters, $0.meter) = (["at"], ["import"], MeterId(1))
      }
    }
  }

  @Test("What is missing in options or file is said.")
  func refusals() {
    let text = "When,Serial,Value\n2026-06-01 12:00,7,1\n"
    func options(_ options: inout ImportOptions) {
      (options.timeColumns, options.meterColumn) = (["When"], "Serial")
      options.consumedColumns = ["Value"]
    }
    #expect(refusal(text, .columns, options).contains("give its length, such as --interval 15m"))
    #expect(
      refusal(text, .columns) {
        options(&$0)
        $0.meterColumn = "Meter"
      }.contains("no line has the columns When, Value, Meter; the line with most cells has When"))
    #expect(
      refusal(text, .columns) {
        options(&$0)
        $0.meterColumn = nil
      }.contains("give its number with --meter"))
  }

  @Test("A cell of a wide file that cannot be read leaves the others.")
  func wideFaults() throws {
    let text =
      "time,1,2,x\n2026-06-01T12:00Z,5,oops,7\n2026-06-01T12:15Z,,6,7\n2026-06-01T12:30Z,1\n"
    let found = try Outcome(text, .columns) {
      ($0.timeColumns, $0.wide, $0.interval, $0.unit) = (["time"], .produced, 900, .wattHours)
    }
    #expect(
      found.lines == ["1 2026-06-01T12:00:00Z 15m +5 -0", "2 2026-06-01T12:15:00Z 15m +6 -0"])
    #expect(found.faults.map(\.kind) == [.unreadable, .unknownMeter, .unknownMeter, .unreadable])
    #expect(found.complaints[0].hasPrefix("line 2, column 3, meter 2: 'oops' is not a number"))
    #expect(
      found.complaints[3] == "line 4: it has 2 cells, and 4 are needed; the line may be cut off")
    #expect(found.report.missing == 1)
  }
}
