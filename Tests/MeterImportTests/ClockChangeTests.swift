import MarketModel
import Testing

@testable import MeterImport

@Suite("Days on which the clock is changed")
struct ClockChangeTests {
  /// How a file writes the hour that repeats.
  enum Form: CaseIterable {
    /// One hour after the other; the oldest line first.
    case forward
    /// The newest line first.
    case backward
    /// Each quarter twice.
    case interleaved
    /// With the letters A and B.
    case marked
    /// Both hours, of which a line is missing.
    case gap
    /// The times are the ends.
    case ends
    /// Beginning and end of each interval.
    case both
  }

  /// Local times of all quarters of a day of Europe/Berlin, with the quarter's number.
  private func quarters(_ date: String, hours: Int) -> [(text: String, part: String, end: String)] {
    var all: [(String, String, String)] = []
    func clock(_ quarter: Int) -> (String, String) {
      // The third hour is left out in spring, and repeated in autumn.
      var hour = quarter / 4
      var part = ""
      if hours == 23, hour >= 2 { hour += 1 }
      if hours == 25, hour == 2 { part = "A" }
      if hours == 25, hour == 3 { part = "B" }
      if hours == 25, hour >= 3 { hour -= 1 }
      let minute = quarter % 4 * 15
      return ((hour < 10 ? "0" : "") + "\(hour):" + (minute == 0 ? "00" : "\(minute)"), part)
    }
    for quarter in 0..<hours * 4 {
      let (start, part) = clock(quarter)
      all.append((start, part, clock(quarter + 1).0))
    }
    return all
  }

  private func file(_ date: String, hours: Int, _ form: Form) -> String {
    let quarters = quarters(date, hours: hours)
    var lines: [String] = []
    for (index, quarter) in quarters.enumerated() {
      let value = "\(index + 1)"
      switch form {
      case .marked where !quarter.part.isEmpty:
        lines.append("\(date);\(quarter.text) \(quarter.part);\(value)")
      case .ends: lines.append("\(date);\(quarter.end);\(value)")
      case .both: lines.append("\(date);\(quarter.text);\(quarter.end);\(value)")
      case .forward, .backward, .interleaved, .marked, .gap:
        lines.append("\(date);\(quarter.text);\(value)")
      }
    }
    if form == .backward { lines.reverse() }
    if form == .gap { lines.remove(at: 9) }
    if form == .interleaved {
      let (first, second) = (Array(lines[8..<12]), Array(lines[12..<16]))
      lines.replaceSubrange(8..<16, with: zip(first, second).flatMap { [$0, $1] })
    }
    let head = form == .both ? "Datum;von;bis;Wert (Wh)" : "Datum;Uhrzeit;Wert (Wh)"
    return ([head] + lines).joined(separator: "\n") + "\n"
  }

  @Test(
    "In autumn 100 quarters follow each other, in every form of file.", arguments: Form.allCases)
  func autumn(form: Form) throws {
    let found = try Outcome(file("25.10.2026", hours: 25, form), .german) {
      $0.meter = MeterId(7)
      $0.timesAreEnds = form == .ends
    }
    let readings = found.readings.sorted { $0.start < $1.start }
    #expect(found.faults.isEmpty, "\(found.complaints)")
    #expect(readings.count == (form == .gap ? 99 : 100))
    #expect(found.report.gapCount == (form == .gap ? 1 : 0))
    // 2026-10-24T22:00Z is midnight; the value is the number of the quarter.
    for reading in readings {
      #expect(reading.start == 1_792_879_200 + (reading.consumed - 1) * 900, "\(reading)")
      #expect(reading.end - reading.start == 900)
    }
  }

  @Test(
    "In spring 92 quarters follow each other.", arguments: [Form.forward, .backward, .ends, .both])
  func spring(form: Form) throws {
    let found = try Outcome(file("29.03.2026", hours: 23, form), .german) {
      $0.meter = MeterId(7)
      $0.timesAreEnds = form == .ends
    }
    #expect(found.faults.isEmpty, "\(found.complaints)")
    #expect(found.readings.count == 92 && found.report.gapCount == 0)
    // 2026-03-28T23:00Z is midnight.
    for reading in found.readings {
      #expect(reading.start == 1_774_738_800 + (reading.consumed - 1) * 900, "\(reading)")
    }
  }

  @Test("A quarter that does not exist in spring is a fault.")
  func notThere() throws {
    let found = try Outcome("Datum;Uhrzeit;Wert\n29.03.2026;02:15;1\n", .german) {
      $0.meter = MeterId(7)
    }
    #expect(
      found.complaints == [
        "line 2, column 1, meter 7: the time does not exist in Europe/Berlin: the clock is put forward over it"
      ])
  }

  @Test("Two meters of one file keep their own hours.")
  func meters() throws {
    var text = "Zähler;Datum;Uhrzeit;Wert (Wh)\n"
    for quarter in quarters("25.10.2026", hours: 25) {
      for meter in [1, 2] { text += "\(meter);25.10.2026;\(quarter.text);1\n" }
    }
    let found = try Outcome(text, .german)
    #expect(found.readings.count == 200 && found.faults.isEmpty && found.report.gapCount == 0)
  }
}
