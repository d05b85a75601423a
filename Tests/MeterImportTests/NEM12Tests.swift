import MarketModel
import Testing

@testable import MeterImport

@Suite("Files of NEM12")
struct NEM12Tests {
  private let names: MeterNames

  init() throws {
    names = try MeterNames(table: "NEM1201009,100\nNEM1201010,200\n", file: "meters")
  }

  private func nem12(
    _ lines: [String], _ change: (inout ImportOptions) -> Void = { _ in }
  ) throws -> Outcome {
    try Outcome(lines.joined(separator: "\r\n") + "\r\n", .nem12) {
      $0.names = names
      change(&$0)
    }
  }

  private func day(
    _ date: String, _ count: Int, _ quality: String = "A", value: (Int) -> String = { "\($0)" }
  ) -> String {
    "300,\(date)," + (1...count).map(value).joined(separator: ",") + ",\(quality),,,20260603000000,"
  }

  private static let head = "100,NEM12,202606030000,MDP1,RETAILER1"
  private static let register = "200,NEM1201009,E1,1,E1,N1,METER1,kWh,30,20260701"

  @Test(
    "Days are in Australian Eastern Standard Time, in every length of interval.",
    arguments: [
      5, 15, 30,
    ])
  func lengths(minutes: Int) throws {
    let count = 1_440 / minutes
    let found = try nem12([
      Self.head, "200,NEM1201009,E1,1,E1,N1,METER1,kWh,\(minutes),", day("20260601", count),
      "500,O,S01009,20260601120000,", day("20260602", count), "900",
    ])
    #expect(found.faults.isEmpty && found.readings.count == 2 * count, "\(found.complaints)")
    #expect(found.report.gapCount == 0)
    let first = try #require(found.readings.first)
    #expect(ImportReport.time(first.start) == "2026-05-31T14:00:00Z")
    #expect(first.end - first.start == Int64(minutes) * 60)
    #expect(first.consumed == 1_000 && first.produced == 0 && first.meter == MeterId(100))
    #expect(found.readings.last?.consumed == Int64(count) * 1_000)
  }

  @Test("The registers of a meter make one reading: E is consumed, B produced, others are ignored.")
  func registers() throws {
    let found = try nem12([
      Self.head, "200,NEM1201009,E1E2B1Q1,1,E1,N1,METER1,kWh,30,", day("20260601", 48) { _ in "1" },
      "200,NEM1201009,E1E2B1Q1,2,E2,N2,METER1,Wh,30,", day("20260601", 48) { _ in "250" },
      "200,NEM1201009,E1E2B1Q1,3,B1,N3,METER1,MWh,30,", day("20260601", 48, "S14") { _ in "0.002" },
      "200,NEM1201009,E1E2B1Q1,4,Q1,N4,METER1,kVArh,30,", day("20260601", 48) { _ in "9" },
      "200,NEM1201010,E1,1,E1,N1,METER2,kWh,30,", day("20260601", 48) { _ in "0.5" }, "900",
    ])
    #expect(found.faults.isEmpty, "\(found.complaints)")
    #expect(found.lines.filter { $0.hasPrefix("100") }.count == 48)
    #expect(found.lines.first == "100 2026-05-31T14:00:00Z 30m +2000 -1250s")
    #expect(found.lines.last == "200 2026-06-01T13:30:00Z 30m +0 -500")
    #expect(found.report.ignored == 1 && found.report.gapCount == 0)
  }

  @Test("A day that one register lacks is incomplete, or 0 where that is asked for.")
  func incomplete() throws {
    let lines = [
      Self.head, "200,NEM1201009,E1B1,1,E1,N1,METER1,kWh,30,", day("20260601", 48),
      day("20260602", 48), "200,NEM1201009,E1B1,1,B1,N1,METER1,kWh,30,", day("20260602", 48), "900",
    ]
    let found = try nem12(lines)
    #expect(found.readings.count == 48 && found.faults.count == 48)
    #expect(
      found.complaints[0].contains(
        "2026-05-31T14:00:00Z to 2026-05-31T14:30:00Z has no value of B1"))
    #expect(try nem12(lines) { $0.absentIsZero = true }.readings.count == 96)
  }

  @Test("A day of quality V has that of its records 400; N is no value; E waits for --estimated.")
  func quality() throws {
    let lines = [
      Self.head, Self.register, day("20260601", 48, "V"), "400,1,20,A,,", "400,21,24,S14,32,",
      "400,25,26,E62,,", "400,27,28,N,,", "400,29,46,F14,,", "900",
    ]
    let found = try nem12(lines)
    #expect(found.report.qualities == [20, 22, 0] && found.report.missing == 2)
    #expect(found.faults.map(\.kind) == [.estimated, .estimated, .unreadable, .unreadable])
    #expect(found.complaints.contains { $0.contains("no record 400 says that of interval 47") })
    let all = try nem12(lines) { $0.takesEstimated = true }
    #expect(all.report.qualities == [20, 22, 2])
    #expect(all.readings[24].quality == .estimated && all.readings[23].quality == .substituted)
  }

  @Test("Each fault says the line, the column, what is wrong, and what to do.")
  func faults() throws {
    let bad = day("20260601", 48).replacing(",7,", with: ",7x,").replacing(",8,", with: ",-8,")
    let found = try nem12([
      Self.head, Self.register, bad, "300,20260602,1,2,3", day("20260632", 48),
      day("2026-06-03", 48),
      day("20260604", 48, "X"), day("20260605", 48, "V"), "400,40,50,A,,", "400,1,48,Q,,",
      "400,1,48,A,,", "410,1", "200,NEM1201009,E1,1,E1,N1,METER1,kW,30,", day("20260606", 48),
      "200,NEM1201009,E1,1,E1,N1,METER1,kWh,20,", "200,,E1,1,,N1,METER1,kWh,30,",
    ])
    let expected = [
      "line 3, column 9, meter NEM1201009: '7x' is not a number",
      "line 3, meter NEM1201009: consumed -8000 Wh: energy is not negative",
      "line 4, meter NEM1201009: it has 5 cells; a day of 30 minutes has 48 values",
      "line 5, column 2, meter NEM1201009: month 6 of 2026 has the days 1 to 30, not 32",
      "line 6, column 2, meter NEM1201009: '2026-06-03' is no date such as 20260601",
      "line 7, column 51, meter NEM1201009: the quality 'X' is unknown",
      "line 9, column 2: '40' and '50' are no intervals from 1 to 48",
      "line 10, column 4: the quality 'Q' is unknown",
      "line 12: '410' is no record of NEM12",
      "line 13, column 8, meter NEM1201009: the unit 'kW' is not Wh, kWh or MWh",
      "line 15, column 9, meter NEM1201009: the interval '20' is not 5, 15 or 30 minutes",
      "line 16, column 2: a record 200 needs an NMI and a suffix",
      "line 16: the file ends without a record 900",
    ]
    #expect(found.complaints.count == expected.count, "\(found.complaints)")
    for (complaint, words) in zip(found.complaints, expected) {
      #expect(complaint.hasPrefix(words), "\(complaint)")
    }
    #expect(found.readings.count == 46 + 48)
  }

  @Test("A file that is none of NEM12 is refused; two files in one are read.")
  func files() throws {
    #expect(refusal("100,NEM13,202606030000,A,B\n900\n", .nem12).contains("export NEM12"))
    #expect(refusal("200,A\n", .nem12).contains("does not begin with 100,NEM12"))
    #expect(refusal("", .nem12).contains("the file is empty"))
    let lines = [Self.head, Self.register, day("20260601", 48), "900"]
    let twice = try nem12(lines + lines)
    #expect(twice.readings.count == 48 && twice.report.repeated == 48 && twice.faults.isEmpty)
  }
}
