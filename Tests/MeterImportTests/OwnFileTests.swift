import MarketModel
import Testing

@testable import MeterImport

@Suite("Files of the exchange's own format")
struct OwnFileTests {
  private static let header = "meter,start,end,produced,consumed,quality,sequence\n"

  @Test("Lines are readings; names of columns may be left out, or stand in another order.")
  func readings() throws {
    let expected = ["7 2026-06-01T12:00:00Z 15m +1250 -30", "8 2026-06-01T12:00:00Z 30m +0 -500s"]
    let lines = """
      7,2026-06-01T12:00:00Z,2026-06-01T12:15:00Z,1250,30,measured,99
      8,2026-06-01T14:00:00+02:00,2026-06-01T14:30:00+02:00,0,500,substituted

      """
    let named = try Outcome(Self.header + lines)
    #expect(named.lines == expected && named.faults.isEmpty)
    #expect(named.readings.map(\.sequence) == [99, nil])
    #expect(try Outcome(lines).lines == expected)
    let other = try Outcome(
      "consumed;produced;end;start;meter\r\n30;1250;2026-06-01T12:15:00Z;2026-06-01T12:00:00Z;7\r\n"
    )
    #expect(other.lines == [expected[0]])
    let bom = try Outcome("\u{FEFF}" + Self.header + lines)
    #expect(bom.lines == expected)
  }

  @Test("A register sequence is that of the file, or rises with end, revision and quality.")
  func sequences() {
    var reading = ImportedReading(
      line: 1, meter: MeterId(1), start: 0, end: 900, produced: 0, consumed: 1, quality: .estimated)
    let estimated = reading.registerSequence(revision: 0)
    #expect(estimated == 900 << 8)
    reading.quality = .measured
    let measured = reading.registerSequence(revision: 0)
    let revised = reading.registerSequence(revision: 1)
    reading.quality = .estimated
    #expect(measured > estimated && revised > measured)
    #expect(reading.registerSequence(revision: 1) > measured)
    (reading.end, reading.quality) = (901, .estimated)
    #expect(reading.registerSequence(revision: 0) > (900 << 8 | 63 << 2 | 2))
    reading.sequence = 5
    #expect(reading.registerSequence(revision: 7) == 5)
  }

  @Test("Each fault says the line, the column, what is wrong, and what to do.")
  func faults() throws {
    let time = "2026-06-01T12:00:00Z,2026-06-01T12:15:00Z"
    let file = """
      x,\(time),1,2
      7,2026-06-01T12:00:00,2026-06-01T12:15:00Z,1,2
      7,\(time),1.5,2
      7,\(time),1,-2
      7,\(time),,2
      7,2026-06-01T12:00:00Z
      7,\(time),1,2,guessed
      7,\(time),1,2,estimated
      7,\(time),1,2,,-1
      7,2026-06-01T12:15:00Z,2026-06-01T12:00:00Z,1,2
      7,2026-06-01T00:00:00Z,2026-06-02T00:00:01Z,1,2
      "7,\(time),1,2
      0,\(time),1,2
      """
    let complaints = try Outcome(file).complaints
    let expected = [
      "line 1, meter x: meter 'x' is no number from 1 to 4294967295: give its number in a table",
      "line 2, column 2, meter 7: the time has no offset to UTC: give the zone",
      "line 3, column 4, meter 7: '1.5' is not a whole number of Wh",
      "line 4, meter 7: consumed -2 Wh: energy is not negative",
      "line 5, meter 7: 2026-06-01T12:00:00Z to 2026-06-01T12:15:00Z has no produced energy",
      "line 6: it has 2 cells, and 5 are needed",
      "line 7, column 6, meter 7: the quality 'guessed' is unknown",
      "line 8, meter 7: the value is estimated: import the measured one, or give --estimated",
      "line 9, column 7, meter 7: '-1' is no register sequence",
      "line 10, column 3, meter 7: the interval ends at 2026-06-01T12:00:00Z, not after",
      "line 11, meter 7: 2026-06-01T00:00:00Z to 2026-06-02T00:00:01Z is longer than 24 h",
      "line 12: a quotation mark is not closed", "line 13, meter 0: meter '0' is no number",
    ]
    #expect(complaints.count == expected.count, "\(complaints)")
    for (complaint, words) in zip(complaints, expected) {
      #expect(complaint.hasPrefix(words), "\(complaint)")
    }
  }

  @Test("What stands twice, contradicts or overlaps is told apart; only the first is taken.")
  func twice() throws {
    func line(_ from: String, _ to: String, _ rest: String) -> String {
      "7,2026-06-01T\(from):00Z,2026-06-01T\(to):00Z,\(rest)\n"
    }
    let file =
      Self.header + line("12:00", "12:15", "1,2,,") + line("12:00", "12:15", "1,2,,")
      + line("12:00", "12:15", "1,3,,") + line("12:10", "12:25", "1,2,,")
      + line("12:30", "12:45", "0,9,,5") + line("12:30", "12:45", "0,8,,6")
    let found = try Outcome(file)
    #expect(
      found.lines == [
        "7 2026-06-01T12:00:00Z 15m +1 -2", "7 2026-06-01T12:30:00Z 15m +0 -9",
        "7 2026-06-01T12:30:00Z 15m +0 -8",
      ])
    #expect(found.report.repeated == 1 && found.report.versions == 1)
    #expect(found.faults.map(\.kind) == [.contradicting, .overlapping])
    #expect(found.complaints[1].contains("overlaps 2026-06-01T12:00:00Z to 2026-06-01T12:15:00Z"))
  }

  @Test("Gaps are listed for each meter, also at the ends of the file's period.")
  func gaps() throws {
    func line(_ meter: Int, _ quarter: Int) -> String {
      let (start, end) = (1_780_315_200 + quarter * 900, 1_780_315_200 + quarter * 900 + 900)
      return "\(meter),\(start),\(end),0,1\n"
    }
    let file = [(1, 0), (1, 1), (1, 4), (1, 5), (2, 1), (2, 2), (2, 3), (2, 4)].map(line).joined()
    let report = try Outcome(file).report
    #expect(
      report.gaps.map { "\($0.meter) \(ReadingSink.text($0.interval)) \($0.count)" } == [
        "1 2026-06-01T12:30:00Z to 2026-06-01T13:00:00Z 2",
        "2 2026-06-01T12:00:00Z to 2026-06-01T12:15:00Z 1",
        "2 2026-06-01T13:15:00Z to 2026-06-01T13:30:00Z 1",
      ])
    #expect(report.gapCount == 3 && report.missingIntervals == 4 && report.metersWithGaps == 2)
    let part = try Outcome(file) { $0.period = 1_780_315_200 + 900..<1_780_315_200 + 4_500 }.report
    #expect(part.gapCount == 1 && part.outside == 2)
  }

  @Test("The report says what a person needs, in this form.")
  func report() throws {
    let file = """
      meter,start,end,produced,consumed,quality
      1,2026-06-01T12:00:00Z,2026-06-01T12:15:00Z,0,500,measured
      1,2026-06-01T12:15:00Z,2026-06-01T12:30:00Z,0,-500,measured
      1,2026-06-01T12:30:00Z,2026-06-01T12:45:00Z,25001,500,substituted
      1,2026-06-01T12:30:00Z,2026-06-01T12:45:00Z,25001,500,substituted
      """
    #expect(
      try Outcome(file).report.text(shownGaps: 20) == """
        lines        5
        meters       1
        readings     2 of 15 min
        from         2026-06-01T12:00:00Z
        to           2026-06-01T12:45:00Z
        produced     25.001 kWh
        consumed     1.000 kWh
        substituted  1
        repeated     1 with the same values
        implausible  1 above the rated power; the first in line 4, meter 1: 25001 Wh in 15 min
        not sent     1: 1 negative
        first fault  line 3, meter 1: consumed -500 Wh: energy is not negative. Ask who read the meter; a value that is to be taken back is a correction of its own interval
        gaps         1 in 1 meter, 1 interval
          meter 1  2026-06-01T12:15:00Z to 2026-06-01T12:30:00Z  1 interval

        """)
    #expect(try Outcome("meter,start,end,produced,consumed\n").report.readings == 0)
    #expect(refusal("\n\n") == "the file has no lines")
  }

  @Test("Names of meters come from a table.")
  func names() throws {
    let table = "name;meter\nDE000562668020O6G56M11SN51G21M24S;100\n\"NEM1201009\",200\n"
    let names = try MeterNames(table: table, file: "meters.csv")
    let time = "2026-06-01T12:00:00Z,2026-06-01T12:15:00Z,0,1\n"
    let found = try Outcome("NEM1201009,\(time)100,\(time)") { $0.names = names }
    #expect(found.readings.map(\.meter) == [MeterId(200)])
    #expect(found.complaints.first?.contains("'100' is not in the table of --meters") == true)
    for (text, words) in [
      ("A,1\nA,2", "meters.csv:2: A stands there twice"), ("A,1\nB,1", "meters.csv:2: number 1"),
      ("A,1\nB", "meters.csv:2: write the meter's name"), ("A,0", "meters.csv:1: write"),
    ] {
      let error = #expect(throws: ImportError.self) {
        try MeterNames(table: text, file: "meters.csv")
      }
      #expect(error?.description.hasPrefix(words) == true, "\(error?.description ?? "")")
    }
  }

  @Test("A file that is none of this profile is refused as a whole.")
  func otherFiles() {
    #expect(refusal("meter,start,end\n").hasPrefix("line 1: there is no column produced"))
    #expect(
      refusal("meter,start,end,produced,consumed,colour\n").contains("column 6: 'colour' is no"))
    #expect(refusal("meter,meter,end\n").contains("column 2: 'meter'"))
    #expect(refusal("\u{1F}").contains("no error"))
    #expect(refusal("PK\u{3}\u{4}xyz").contains("a workbook"))
    #expect(refusal("a\0b\0").contains("UTF-16"))
    #expect(refusal(String(repeating: "1", count: LineReader.longest + 1)).contains("longer than"))
    #expect(throws: ImportError(.content, "")) {
      do throws(ImportError) {
        _ = try MeterFile(.bytes([0x1F, 0x8B, 8, 0]), ImportOptions(profile: .own)).next()
      } catch {
        #expect(error.description.contains("zcat"))
        throw ImportError(error.kind, "")
      }
    }
    #expect(throws: ImportError.self) {
      try MeterFile(.path("/nothing/here.csv"), ImportOptions(profile: .own))
    }
  }

  @Test("Lines that are longer than a block of the reader stay whole.")
  func longLines() throws {
    var text = ""
    for number in 0..<40_000 {
      let start = 1_700_000_000 + number * 900
      text +=
        "7,\(start),\(start + 900),0,\(number)" + String(repeating: " ", count: number % 97) + "\n"
    }
    let found = try Outcome(text)
    #expect(found.readings.count == 40_000 && found.faults.isEmpty)
    #expect(found.readings.enumerated().allSatisfy { $0.offset == Int($0.element.consumed) })
    #expect(found.report.lines == 40_000)
  }
}
