import MarketFile
import MarketModel
import Testing

@Suite("Values that people type")
struct TypedTests {
  /// The text of the error; empty when the value is accepted.
  private func refusal<Value>(_ body: () throws(ValueError) -> Value) -> String {
    do throws(ValueError) {
      _ = try body()
      return ""
    } catch {
      return error.description
    }
  }

  @Test("Numbers that are right become exact integers.")
  func numbers() throws {
    #expect(try Typed.price("0.08") == Price(ticks: 8_000))
    #expect(try Typed.price(".08") == Price(ticks: 8_000))
    #expect(try Typed.price("-0.05") == Price(ticks: -5_000))
    #expect(try Typed.price("+4") == Price(ticks: 400_000))
    #expect(try Typed.money("1234.50") == Money(units: 123_450_000_000))
    #expect(try Typed.money("12.5 ") == Money(units: 1_250_000_000))
    #expect(try Typed.rate("0.1%") == Rate(partsPerMillion: 1_000))
    #expect(try Typed.rate("2.5") == Rate(partsPerMillion: 25_000))
    #expect(try Typed.number("16", in: 1...16) == 16)
  }

  @Test(
    "A price that is written in another way is refused with what to write.",
    arguments: [
      ("0,08", "0.08"), ("1,234", "ambiguous"), ("8e-2", "without an exponent"),
      ("0.080001", "has 6 decimals, a price has at most 5"), ("٣", "digits 0 to 9"),
      ("\u{2212}0.05", "write -0.05"), ("0.08 EUR", "without a unit"), ("0.08€", "without a unit"),
      ("", "it is empty"), ("cheap", "it is not a number"), ("--1", "it is not a number"),
      ("99999999999999999999", "too large"), ("-", "not a number"), ("1.2.3", "separators"),
    ])
  func prices(text: String, words: String) {
    let found = refusal { () throws(ValueError) in try Typed.price(text) }
    #expect(found.contains(words), "\(text): \(found)")
  }

  @Test(
    "Separators between thousands are refused with the number that is meant.",
    arguments: [
      ("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("1'234.50", "1234.50"),
      ("1 234,5", "1234.5"), ("1,234,567", "1234567"), ("1.234.567", "1234567"),
    ])
  func amounts(text: String, words: String) {
    let found = refusal { () throws(ValueError) in try Typed.money(text) }
    #expect(found.hasSuffix(words), "\(text): \(found)")
  }

  @Test("Energy has a unit, in its case, and is whole watt-hours.")
  func energy() throws {
    #expect(try Typed.energy("1kWh") == Energy(wattHours: 1_000))
    #expect(try Typed.energy("2.5 kWh") == Energy(wattHours: 2_500))
    #expect(try Typed.energy("500Wh") == Energy(wattHours: 500))
    #expect(try Typed.energy("1MWh") == Energy(wattHours: 1_000_000))
    for (text, words) in [
      ("1kwh", "written kWh: 1kWh"), ("1KWH", "written kWh: 1kWh"), ("1", "1kWh or 1Wh"),
      ("7.5", "7.5kWh"), ("7,5kWh", "7.5"), ("3kW", "power"), ("0.5Wh", "decimals"),
      ("1J", "J is no unit of energy"), ("kWh", "energy in kWh"), ("", "empty"), ("much", "energy"),
    ] {
      let found = refusal { () throws(ValueError) in try Typed.energy(text) }
      #expect(found.contains(words), "\(text): \(found)")
    }
  }

  @Test("Currencies have letters or numbers; an unknown name gets the list.")
  func currencies() throws {
    #expect(try Typed.currency("eur") == .eur)
    #expect(try Typed.currency("PLN") == Currency(985))
    #expect(try Typed.currency("36") == Currency(36))
    let found = refusal { () throws(ValueError) in try Typed.currency("Zloty") }
    #expect(found.contains("PLN") && found.contains("ISO 4217"))
    #expect(Currency(985).letters == "PLN" && Currency(999).letters == "999")
    #expect(Set(Currency.named.map(\.currency)).count == Currency.named.count)
  }

  @Test("A label that is not ASCII, or too long, is refused with where the full name goes.")
  func labels() throws {
    #expect(try Typed.label("STROM") == Label("STROM"))
    for (text, words) in [
      ("Müller", "such as \"Mueller\""), ("Łukasz", "Lukasz"), ("名前", "名 is not printable ASCII"),
      ("ABCDEFGHIJKLMNOPQ", "it has 17 characters"), ("", "empty"), ("a\tb", "control character"),
    ] {
      let found = refusal { () throws(ValueError) in try Typed.label(text) }
      #expect(found.contains(words), "\(text): \(found)")
      #expect(text.isEmpty || found.contains("joulebook people set"))
    }
  }

  @Test("Roles are joined by + and named when one is unknown.")
  func roles() throws {
    #expect(try Typed.roles("trading+metering") == [.trading, .metering])
    let firms: Roles = [.participantAdministration, .surveillance]
    #expect(try Typed.roles("participantAdministration+surveillance") == firms)
    let found = refusal { () throws(ValueError) in try Typed.roles("trader") }
    #expect(found.contains("trading, metering, administration, dropCopy"))
  }

  @Test("Times may have an offset, and are refused where the calendar has no such day.")
  func times() throws {
    for text in [
      "2026-11-30T09:00:00Z", "2026-11-30T10:00+01:00", "2026-11-30 10:00+0100",
      "2026-11-30T10:00:00.000+01", "2026-11-30T03:30-05:30", "2026-11-30T09:00",
      "1796029200000000000",
    ] {
      let time = try Typed.time(text)
      #expect(time.iso8601 == "2026-11-30T09:00:00Z", "\(text) \(time.iso8601)")
    }
    #expect(try Typed.time("2028-02-29").iso8601 == "2028-02-29T00:00:00Z")
    #expect(try Typed.time("1970-01-01T01:00+01:00").nanoseconds == 0)
    for (text, words) in [
      ("2026-02-31", "February 2026 has the days 1 to 28, not 31"), ("2026-13-01", "the month 13"),
      ("30.11.2026", "year-month-day"), ("11/30/2026", "year-month-day"), ("2554-01-01", "2554"),
      ("2026-11-30T24:00", "the hour 24"), ("2026-11-30T10:60", "the minute 60"),
      ("2026-11-30T10:00:60", "the second 60"), ("2026-11-30T10:00 CET", "no offset"),
      ("2026-11-30T10:00+25:00", "no offset"), ("1970-01-01T00:00+01:00", "before 1970"),
      ("tomorrow", "it is no time"), ("", "it is no time"),
    ] {
      let found = refusal { () throws(ValueError) in try Typed.time(text) }
      #expect(found.contains(words), "\(text): \(found)")
    }
  }
}
