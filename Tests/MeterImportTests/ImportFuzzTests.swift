import MarketModel
import Testing

@testable import MeterImport

@Suite("Files with any bytes")
struct ImportFuzzTests {
  private static let rounds = 1_500

  /// Files that each profile accepts.
  private static let files: [(ImportProfile, String)] = [
    (
      .own,
      "meter,start,end,produced,consumed,quality,sequence\n"
        + "7,2026-06-01T12:00:00Z,2026-06-01T12:15:00Z,1250,30,measured,99\n"
        + "7,2026-06-01T12:15:00Z,2026-06-01T12:30:00Z,0,\"30\",estimated\n"
    ),
    (
      .german,
      "Zähler;Datum;Uhrzeit;Bezug (kWh);2.29.0;Status\n7;25.10.2026;02:15 B;1.234,5;0,1;W\n"
        + "7;25.10.2026;02:30;0,5;0;E\n8;25.10.26;24:00;1;2;\n"
    ),
    (
      .german,
      "Meter;OBIS;Ab;Bis;Wert\n7;1.29.0;01.06.2026 14:00;01.06.2026 14:15;1\n7;2.29.0;"
        + "01.06.2026 14:00;01.06.2026 14:15;1\n"
    ),
    (.german, "Datum;Uhrzeit;1.8.0\n01.06.2026;14:00;70\n01.06.2026;14:15;71\n"),
    (.columns, "week,day,time,1,2\nw47,1,00:00,5,6\nw47,1,00:15,7,-8\n"),
    (
      .nem12,
      "100,NEM12,1,A,B\n200,7,E1,1,E1,N1,M,kWh,30,\n300,20260601,"
        + Array(repeating: "1", count: 48).joined(separator: ",")
        + ",V,,,,\n400,1,48,S14,32,\n200,7,E1,1,B1,N1,M,kWh,30,\n300,20260601,"
        + Array(repeating: "2", count: 48).joined(separator: ",") + ",A,,,,\n900\n"
    ),
  ]

  private static func options(_ profile: ImportProfile, _ text: String) -> (inout ImportOptions) ->
    Void
  {
    { options in
      if profile == .german, !text.contains("Meter"), !text.contains("Zähler") {
        options.meter = MeterId(7)
      }
      if profile == .columns {
        (options.timeColumns, options.year) = (["week", "day", "time"], 2025)
        (options.wide, options.interval, options.zone) = (.consumed, 900, .utc)
        options.unit = .wattHours
      }
    }
  }

  @Test("The files are read before they are changed.", arguments: files)
  func whole(profile: ImportProfile, text: String) throws {
    let found = try Outcome(text, profile, Self.options(profile, text))
    #expect(
      !found.readings.isEmpty && found.report.faults[.unreadable] == nil, "\(found.complaints)")
  }

  @Test("Random and changed bytes end in readings or in sentences.", arguments: 1...4)
  func mutated(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var (read, refused, faults) = (0, 0, 0)
    for _ in 0..<Self.rounds {
      let (profile, text) = Self.files[Int.random(in: 0..<Self.files.count, using: &random)]
      var bytes = Array(text.utf8)
      mutate(&bytes, &random)
      do {
        let found = try Outcome(bytes: bytes, profile, Self.options(profile, text))
        read += found.readings.count
        faults += found.faults.count
        for reading in found.readings {
          #expect(reading.start < reading.end && reading.end - reading.start <= 86_400)
          #expect(reading.produced >= 0 && reading.consumed >= 0)
          _ = reading.message(revision: 3)
        }
        #expect(found.faults.allSatisfy { !$0.text.isEmpty && $0.line >= 0 })
        _ = found.report.text(shownGaps: 5)
      } catch {
        refused += 1
        #expect(!"\(error)".isEmpty)
      }
    }
    // All must occur, or the test proves little.
    #expect(
      min(read, refused, faults) > Self.rounds / 100, "seed \(seed): \(read), \(refused), \(faults)"
    )
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededRandom) {
    switch Int.random(in: 0..<6, using: &random) {
    case 0:
      bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in
        .random(in: 0...255, using: &random)
      }
    case 1: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
    case 2:
      // Cells and lines change places.
      let marks: [UInt8] = [0x0A, 0x2C, 0x3B, 0x22, 0x30, 0x2D, 0x2E, 0x39]
      for _ in 0..<3 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] =
          marks.randomElement(using: &random) ?? 0
      }
    case 3:
      let at = Int.random(in: 0..<bytes.count, using: &random)
      bytes.insert(contentsOf: bytes[at...].prefix(80), at: at)
    case 4:
      // Digits become others: dates and values at their bounds.
      for index in bytes.indices where (0x30...0x39).contains(bytes[index]) {
        if Int.random(in: 0..<12, using: &random) == 0 {
          bytes[index] = .random(in: 0x30...0x39, using: &random)
        }
      }
    default:
      for _ in 0..<4 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
    }
  }
}
