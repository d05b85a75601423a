import MarketModel
import Testing

@testable import MeterImport

@Suite("Files of German metering companies")
struct GermanFileTests {
  private func german(
    _ text: String, _ change: (inout ImportOptions) -> Void = { _ in }
  ) throws -> Outcome {
    try Outcome(text, .german) {
      $0.meter = MeterId(7)
      change(&$0)
    }
  }

  @Test(
    "Columns are known by the usual names, below lines of addresses.",
    arguments: [
      "Datum;Uhrzeit;Wert (kWh)\n01.06.2026;14:00;0,125\n01.06.2026;14:15;0,25\n",
      "Stadtwerke Musterstadt;;\nZeitraum: Juni;;\n\nDatum;von;bis;Verbrauch [kWh];Status\n"
        + "01.06.2026;14:00;14:15;0,125;W\n01.06.2026;14:15;14:30;0,25;W\n",
      "Zeitstempel;Lastgang in kW\n01.06.2026 14:00;0,5\n01.06.2026 14:15;1\n",
      "Ab-Datum;Ab-Zeit;Bis-Datum;Bis-Zeit;Bezug (Wh)\n01.06.26;14:00;01.06.26;14:15;125\n"
        + "01.06.26;14:15;01.06.26;14:30;250\n",
      "Von;Bis;1-1:1.29.0 [kWh]\n01.06.2026 14:00:00;01.06.2026 14:15:00;0,125\n"
        + "01.06.2026 14:15:00;01.06.2026 14:30:00;0,250\n",
      "Datum;Uhrzeit;Verbrauch (kWh);Zählerstand Verbrauch (kWh);Status\n"
        + "01.06.2026;14:00;0,125;1.000,125;W\n01.06.2026;14:15;0,25;1.000,375;W\n",
      "Datum;Zeit;Menge;Einheit\n01.06.2026;14:00;0,125;kWh\n01.06.2026;14:15;250;Wh\n",
      "Datum;Uhrzeit;1.5.0\n01.06.2026;14:00;0,5\n01.06.2026;14:15;1,0\n",
      "Datum;Uhrzeit;1-0:1.8.0 (kWh)\n01.06.2026;14:00;70,0\n01.06.2026;14:15;70,125\n"
        + "01.06.2026;14:30;70,375\n",
    ])
  func layouts(text: String) throws {
    let found = try german(text)
    #expect(
      found.lines == ["7 2026-06-01T12:00:00Z 15m +0 -125", "7 2026-06-01T12:15:00Z 15m +0 -250"],
      "\(found.complaints)")
    #expect(found.faults.isEmpty)
  }

  @Test(
    "Both directions stand in columns, of OBIS codes or of words.",
    arguments: [
      "Zählpunkt;Datum;Uhrzeit;1.29.0;2.29.0\n9;01.06.2026;14:00;0,125;2,5\n",
      "Zaehlernummer;Zeitstempel;Bezug (kWh);Einspeisung (kWh)\n9;01.06.2026 14:00;0,125;2,5\n",
    ])
  func directions(text: String) throws {
    let found = try Outcome(text, .german)
    #expect(found.lines == ["9 2026-06-01T12:00:00Z 15m +2500 -125"], "\(found.complaints)")
  }

  @Test("A register in each line: both directions of an interval make one reading.")
  func registersOfLines() throws {
    let head = "Messlokation;OBIS;Ab;Bis;Wert;Einheit;Status\n"
    func line(_ obis: String, _ from: String, _ to: String, _ value: String) -> String {
      "9;\(obis);01.06.2026 \(from);01.06.2026 \(to);\(value);kWh;W\n"
    }
    let text =
      head + line("1-1:1.29.0", "14:00", "14:15", "0,1")
      + line("1-1:1.29.0", "14:15", "14:30", "0,2") + line("1-1:3.29.0", "14:00", "14:15", "9,9")
      + line("1-1:2.29.0", "14:00", "14:15", "1") + line("1-1:1.29.0", "14:30", "14:45", "0,3")
    let found = try Outcome(text, .german)
    #expect(found.lines == ["9 2026-06-01T12:00:00Z 15m +1000 -100"])
    #expect(found.report.ignored == 1)
    #expect(found.faults.map(\.kind) == [.incomplete, .incomplete])
    #expect(found.complaints[0].contains("has no value of 1-1:2.29.0; --absent-as-zero"))
    let filled = try Outcome(text, .german) { $0.absentIsZero = true }
    #expect(
      filled.lines == [
        "9 2026-06-01T12:00:00Z 15m +1000 -100", "9 2026-06-01T12:15:00Z 15m +0 -200",
        "9 2026-06-01T12:30:00Z 15m +0 -300",
      ])
    // A meter with one direction needs no other one.
    let single = try Outcome(
      head + line("1-1:1.29.0", "14:00", "14:15", "0,1")
        + line("1-1:1.29.1", "14:00", "14:15", "0,1"),
      .german)
    #expect(
      single.lines == ["9 2026-06-01T12:00:00Z 15m +0 -100"], "the sum counts, not its tariff")
    let shown = try Outcome(head + line("1-1:1.8.0", "14:00", "14:15", "70,1"), .german)
    #expect(shown.complaints.first?.contains("--interval-values") == true)
  }

  @Test("What registers show is told apart from energy; one that goes back is a fault.")
  func registers() throws {
    let text = """
      Datum;Uhrzeit;1.8.0 (kWh);2.8.0 (kWh)
      01.06.2026;14:00;100,0004;5
      01.06.2026;14:15;100,5008;5
      01.06.2026;14:30;100,6;4
      01.06.2026;14:15;100,6;4
      01.06.2026;15:00;100,9;4,25
      """
    let found = try german(text)
    #expect(
      found.lines == ["7 2026-06-01T12:00:00Z 15m +0 -501", "7 2026-06-01T12:30:00Z 30m +250 -300"])
    #expect(found.faults.map(\.kind) == [.registerBack, .unreadable])
    #expect(found.complaints[0].contains("went from 5000 Wh back to 4000 Wh"))
    #expect(found.complaints[1].contains("sort the file by time"))
    #expect(found.report.rounded == 2)
    let far = try german(
      "Datum;Uhrzeit;1.8.0 (Wh)\n01.06.2026;14:00;-999999999999999999\n"
        + "01.06.2026;14:15;999999999999999999\n"
    ) { $0.unit = .wattHours }
    #expect(far.readings.map(\.consumed) == [1_999_999_999_999_999_998])
    let energy = try german("Datum;Uhrzeit;1.8.0\n01.06.2026;14:00;0,5\n") {
      $0.registersAreIntervals = true
    }
    #expect(energy.lines == ["7 2026-06-01T12:00:00Z 15m +0 -500"])
  }

  @Test("Marks of quality are those of German files; F and an empty cell are gaps.")
  func quality() throws {
    let text = """
      Datum;Uhrzeit;Wert;Status
      01.06.2026;14:00;1;W
      01.06.2026;14:15;2;E
      01.06.2026;14:30;3;V
      01.06.2026;14:45;;F
      01.06.2026;15:00;;
      01.06.2026;15:15;4;?
      01.06.2026;15:30;5;Ersatzwert
      """
    let found = try german(text) { $0.takesEstimated = true }
    #expect(
      found.lines == [
        "7 2026-06-01T12:00:00Z 15m +0 -1000", "7 2026-06-01T12:15:00Z 15m +0 -2000s",
        "7 2026-06-01T12:30:00Z 15m +0 -3000~", "7 2026-06-01T13:30:00Z 15m +0 -5000s",
      ])
    #expect(found.report.missing == 2 && found.faults.count == 1 && found.report.gapCount == 1)
    #expect(found.complaints[0].contains("column 4, meter 7: the quality '?' is unknown"))
  }

  @Test("Latin-1 is read too, and an umlaut in a name does not matter.")
  func latin() throws {
    let text = "Z\u{E4}hlpunkt;Datum;Uhrzeit;Wert\n9;01.06.2026;14:00;1\n"
    let bytes = text.unicodeScalars.map { UInt8($0.value) }
    #expect(try Outcome(bytes: bytes, .german).lines == ["9 2026-06-01T12:00:00Z 15m +0 -1000"])
  }

  @Test("A file without known columns says which there are; one without meters asks for --meter.")
  func refusals() {
    #expect(
      refusal("A;B;C\n1;2;3\n", .german).contains("no line names a column of times"))
    #expect(refusal("A;B;C\n1;2;3\n", .german).contains("has A | B | C"))
    #expect(refusal("Datum;Uhrzeit;Wert\n", .german).contains("give its number with --meter"))
  }

  @Test("Times of the ends of intervals are taken as such, and guessed at in the report.")
  func ends() throws {
    let text = "Datum;Uhrzeit;Wert\n01.06.2026;00:15;1\n01.06.2026;00:30;1\n01.06.2026;24:00;1\n"
    let ends = try german(text) { $0.timesAreEnds = true }
    #expect(
      ends.readings.map { ImportReport.time($0.start) } == [
        "2026-05-31T22:00:00Z", "2026-05-31T22:15:00Z", "2026-06-01T21:45:00Z",
      ])
    #expect(!ends.report.looksLikeEnds)
    let starts = try german(text)
    #expect(starts.report.text(shownGaps: 0).contains("give --times end"))
  }
}
