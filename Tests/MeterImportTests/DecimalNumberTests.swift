import MarketModel
import Testing

@testable import MeterImport

@Suite("Energy from decimal text")
struct DecimalNumberTests {
  private func wattHours(
    _ text: String, _ unit: ValueUnit, seconds: Int64 = 900, mark: Character = "."
  ) throws -> Int64? {
    try withBytes(text) { bytes in
      try DecimalNumber(bytes, mark: mark.asciiValue ?? 0).energy(in: unit, seconds: seconds)?
        .wattHours
    }
  }

  @Test(
    "It is exact; halves are rounded away from zero.",
    arguments: [
      ("0.125", ValueUnit.kilowattHours, 125), ("-0.125", .kilowattHours, -125),
      ("+7", .kilowattHours, 7_000), ("1.5", .wattHours, 2), ("-1.5", .wattHours, -2),
      ("1.49999", .wattHours, 1), ("0.0004", .kilowattHours, 0), ("0.0005", .kilowattHours, 1),
      ("2.5", .kilowatts, 625), ("0.001", .megawatts, 250), ("3", .watts, 1), ("1", .watts, 0),
      (".5", .kilowattHours, 500), ("000000000000000000000005", .wattHours, 5),
      ("999999999999999999", .wattHours, 999_999_999_999_999_999),
      ("0.000000000001", .megawattHours, 0), ("4.611686018427387904", .megawattHours, nil),
    ] as [(String, ValueUnit, Int64?)])
  func values(text: String, unit: ValueUnit, energy: Int64?) throws {
    // Thirteen and more decimals are refused by another test.
    if energy == nil {
      #expect(throws: TextFault.self) { try wattHours(text, unit) }
    } else {
      #expect(try wattHours(text, unit) == energy)
    }
  }

  @Test(
    "A power in an interval of 5 minutes that is no whole number of Wh says what rounding added.")
  func rounding() throws {
    let (energy, added) = try withBytes("1.001") {
      try #require(try DecimalNumber($0, mark: 0x2E).energy(in: .kilowatts, seconds: 300))
    }
    // 83.416666... Wh
    #expect(energy == 83 && added == -416_666_666)
    let (more, up) = try withBytes("0,0126") {
      try #require(try DecimalNumber($0, mark: 0x2C).energy(in: .kilowattHours, seconds: 900))
    }
    #expect(more == 13 && up == 400_000_000)
  }

  @Test(
    "More than 2^62 Wh has no value.",
    arguments: [
      ("999999999999999999", ValueUnit.megawattHours), ("-999999999999999999", .kilowattHours),
      ("999999999999999999", .megawatts),
    ])
  func tooLarge(text: String, unit: ValueUnit) throws {
    #expect(try wattHours(text, unit, seconds: 86_400) == nil)
  }

  @Test("With a decimal comma, points separate thousands where the comma shows it.")
  func thousands() throws {
    #expect(try wattHours("1.234,5", .wattHours, mark: ",") == 1_235)
    #expect(try wattHours("12.345.678,0", .wattHours, mark: ",") == 12_345_678)
    for text in ["1.500", "0.125", "1.23,4", "1234.567,8", "1,234.5", "1.234.5,6", "1..234,5"] {
      #expect(throws: TextFault.self, "\(text)") { try wattHours(text, .wattHours, mark: ",") }
    }
  }

  @Test(
    "What is no number says what to write.",
    arguments: [
      ("", "it is empty"), ("12,3", "has a decimal comma, and numbers of this file have a point"),
      ("1e3", "has an exponent"), ("abc", "'abc' is not a number; it is written like 0.125"),
      ("--1", "is not a number"), ("1-", "is not a number"), (".", "is not a number"),
      ("1.0000000000001", "has too many digits"), ("1234567890123456789", "has too many digits"),
      ("1\u{7}", "'1?' is not a number"), ("nan", "is not a number"), ("0x1F", "is not a number"),
    ])
  func faults(text: String, words: String) {
    let fault = #expect(throws: TextFault.self) { try wattHours(text, .wattHours) }
    #expect(fault?.text.contains(words) == true, "\(fault?.text ?? "")")
  }
}
