import MarketFile
import MarketModel
import Testing

/// Tariffs by kind of day and time of day in a time zone (docs/TARIFFS.md).
@Suite("Tariffs")
struct TariffTests {
  private static let quarter: UInt64 = 900_000_000_000

  private static let rates = """
        rates:
          low: {feed-in: 0.08, retail: 0.22, network: 0.06}
          high: {feed-in: 0.08, retail: 0.32, network: 0.10}
    """

  private static func file(
    _ table: String, zone: String = "Europe/Zurich", head: String = "", rates: String = rates,
    charges: String = ""
  ) -> String {
    """
    area: 7
    time-zone: \(zone)
    \(head)
    tariffs:
      - from: 2026-01-01
    \(rates)
        table:
    \(table)
    \(charges)
    """
  }

  private static let everyDay = """
          - {days: all, from: "22:00", to: "06:00", rate: low}
          - {days: all, from: "06:00", to: "22:00", rate: high}
    """

  private func tariff(_ yaml: String) throws -> Tariff {
    do throws(MarketFileError) {
      return try Tariff(yaml: yaml, name: "t.yaml")
    } catch {
      Issue.record("\(error)")
      throw error
    }
  }

  private func faults(_ yaml: String) -> [String] {
    do throws(MarketFileError) {
      _ = try Tariff(yaml: yaml, name: "t.yaml")
      return []
    } catch {
      return error.faults
    }
  }

  private func span(_ from: String, _ to: String) throws -> Range<Timestamp> {
    try Typed.time(from)..<Typed.time(to)
  }

  private func changes(_ tariff: Tariff, _ from: String, _ to: String) throws -> [String] {
    tariff.changes(in: try span(from, to)).map {
      "\($0.local) = \($0.from.iso8601) \($0.rate.name)"
    }
  }

  /// The quarters of a span by rate.
  private func quarters(_ tariff: Tariff, _ span: Range<Timestamp>) -> [String: Int] {
    var counts: [String: Int] = [:]
    for time in stride(
      from: span.lowerBound.nanoseconds, to: span.upperBound.nanoseconds, by: Int(Self.quarter))
    {
      counts[tariff.rate(at: Timestamp(nanoseconds: time))?.name ?? "none", default: 0] += 1
    }
    return counts
  }

  @Test("The day of 25 hours has 100 quarters, and its changes are an hour later in UTC.")
  func autumn() throws {
    let tariff = try tariff(Self.file(Self.everyDay))
    let day = try span("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00")
    #expect(quarters(tariff, day) == ["low": 36, "high": 64])
    #expect(
      try changes(tariff, "2026-10-24T22:00:00Z", "2026-10-26T06:00:00Z") == [
        "2026-10-25 00:00 +02:00 = 2026-10-24T22:00:00Z low",
        "2026-10-25 06:00 +01:00 = 2026-10-25T05:00:00Z high",
        "2026-10-25 22:00 +01:00 = 2026-10-25T21:00:00Z low",
        "2026-10-26 06:00 +01:00 = 2026-10-26T05:00:00Z high",
      ])
  }

  @Test("The day of 23 hours has 92 quarters, and its changes are an hour earlier in UTC.")
  func spring() throws {
    let tariff = try tariff(Self.file(Self.everyDay))
    let day = try span("2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00")
    #expect(quarters(tariff, day) == ["low": 28, "high": 64])
    #expect(
      try changes(tariff, "2026-03-28T23:00:00Z", "2026-03-30T00:00:00Z") == [
        "2026-03-29 00:00 +01:00 = 2026-03-28T23:00:00Z low",
        "2026-03-29 06:00 +02:00 = 2026-03-29T04:00:00Z high",
        "2026-03-29 22:00 +02:00 = 2026-03-29T20:00:00Z low",
      ])
  }

  @Test(
    "A row in the hour that comes twice holds both times, and one in the missing hour not at all.")
  func hourOfTheChange() throws {
    let tariff = try tariff(
      Self.file(
        """
              - {days: all, to: "02:00", rate: low}
              - {days: all, from: "02:00", to: "03:00", rate: high}
              - {days: all, from: "03:00", rate: low}
        """))
    #expect(
      try changes(tariff, "2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z") == [
        "2026-10-25 00:00 +02:00 = 2026-10-24T22:00:00Z low",
        "2026-10-25 02:00 +02:00 = 2026-10-25T00:00:00Z high",
        "2026-10-25 03:00 +01:00 = 2026-10-25T02:00:00Z low",
      ])
    #expect(
      try changes(tariff, "2026-03-28T23:00:00Z", "2026-03-29T12:00:00Z") == [
        "2026-03-29 00:00 +01:00 = 2026-03-28T23:00:00Z low"
      ])
  }

  @Test("The second of the hours that come twice goes back to its rate.")
  func twice() throws {
    let tariff = try tariff(
      Self.file(
        """
              - {days: all, to: "02:30", rate: low}
              - {days: all, from: "02:30", rate: high}
        """))
    #expect(
      try changes(tariff, "2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z") == [
        "2026-10-25 00:00 +02:00 = 2026-10-24T22:00:00Z low",
        "2026-10-25 02:30 +02:00 = 2026-10-25T00:30:00Z high",
        "2026-10-25 02:00 +01:00 = 2026-10-25T01:00:00Z low",
        "2026-10-25 02:30 +01:00 = 2026-10-25T01:30:00Z high",
      ])
  }

  @Test(
    "Every change is where the rate of the wall clock changes, in several zones.",
    arguments: [
      "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC",
      "America/Havana", "Pacific/Auckland",
    ])
  func everyMinute(_ zone: String) throws {
    let tariff = try tariff(
      Self.file(
        """
              - {days: weekday, to: "01:40", rate: low}
              - {days: weekday, from: "01:40", to: "17:05", rate: high}
              - {days: weekday, from: "17:05", rate: low}
              - {days: weekend, rate: low}
              - {days: holiday, from: "23:59", to: "23:59", rate: high}
        """, zone: zone, head: "holidays: [2026-05-01]"))
    let year = try span("2026-01-02", "2026-12-31")
    let changes = tariff.changes(in: year)
    var (before, next): (String?, Int) = (nil, 0)
    for time in stride(
      from: year.lowerBound.nanoseconds, to: year.upperBound.nanoseconds, by: 300_000_000_000)
    {
      let rate = tariff.rate(at: Timestamp(nanoseconds: time))?.name
      if rate != before {
        #expect(changes[next].from.nanoseconds == time && changes[next].rate.name == rate)
        next += 1
      }
      before = rate
    }
    #expect(next == changes.count && next > 400)
  }

  @Test("Weekends and holidays have their own rows; a holiday is like a Sunday without any.")
  func days() throws {
    let table = """
            - {days: weekday, rate: high}
            - {days: weekend, rate: low}
      """
    let plain = try tariff(Self.file(table, head: "holidays: [2026-06-04]"))
    #expect(
      try changes(plain, "2026-06-01", "2026-06-08") == [
        "2026-06-01 02:00 +02:00 = 2026-06-01T00:00:00Z high",
        "2026-06-04 00:00 +02:00 = 2026-06-03T22:00:00Z low",
        "2026-06-05 00:00 +02:00 = 2026-06-04T22:00:00Z high",
        "2026-06-06 00:00 +02:00 = 2026-06-05T22:00:00Z low",
        "2026-06-08 00:00 +02:00 = 2026-06-07T22:00:00Z high",
      ])
    let own = try tariff(
      Self.file(table + "\n      - {days: holiday, rate: high}", head: "holidays: [2026-06-06]"))
    #expect(
      try changes(own, "2026-06-05", "2026-06-07T12:00:00Z").map { $0.suffix(4) }
        == ["high", " low"])
  }

  @Test("A tariff holds from its date to that of the next one, or to the end of the file.")
  func dates() throws {
    let two = """
      area: 1
      time-zone: Europe/Zurich
      to: 2026-08-01
      tariffs:
        - from: 2026-06-01
          rates: {flat: {feed-in: 0.05, retail: 0.30}}
          table: [{days: all, rate: flat}]
        - from: 2026-07-01
          rates: {flat: {feed-in: 0.05, retail: 0.35}}
          table: [{days: all, rate: flat}]
      """
    let tariff = try tariff(two)
    #expect(
      tariff.changes(in: try span("2026-05-01", "2026-09-01")).map {
        "\($0.from.iso8601) \($0.rate.retail.ticks)"
      } == ["2026-05-31T22:00:00Z 30000", "2026-06-30T22:00:00Z 35000"])
    #expect(tariff.expires == (try Typed.time("2026-07-31T22:00:00Z")))
    #expect(tariff.rate(at: try Typed.time("2026-07-31T22:00:00Z")) == nil)
  }

  @Test("Charges are for the days that begin in the period; of a month, the part of its days.")
  func charges() throws {
    let tariff = try tariff(
      Self.file(
        Self.everyDay,
        charges: """
              charges:
                - {name: Base price, per: day, amount: 0.20}
                - {name: Metering, per: month, amount: 5.00}
          """))
    func charges(_ from: String, _ to: String) throws -> [String] {
      tariff.charges(in: try span(from, to)).map { "\($0.charge.name) \($0.days) \($0.units)" }
    }
    // A month with a day of 25 hours, and the first ten days of the next one.
    #expect(
      try charges("2026-10-01T00:00+02:00", "2026-11-11T00:00+01:00")
        == ["Base price 41 820000000", "Metering 41 666666667"])
    #expect(
      try charges("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00")
        == ["Base price 1 20000000", "Metering 1 16129032"])
    #expect(try charges("2026-10-25T01:00+02:00", "2026-10-26T00:00+01:00") == [])
    #expect(try charges("2025-12-01", "2025-12-31") == [])
  }

  @Test("Rows that overlap, gaps and days without rows are named with their line.")
  func tables() {
    #expect(
      faults(
        Self.file(
          """
                - {days: weekday, from: "00:00", to: "12:00", rate: low}
                - {days: monday, from: "11:00", to: "24:00", rate: high}
                - {days: weekend, rate: low}
          """)
      ).prefix(2) == [
        "t.yaml:9: table: no row has tuesday 12:00 to 24:00",
        "t.yaml:9: table: no row has wednesday 12:00 to 24:00",
      ])
    let overlap = faults(
      Self.file(
        """
              - {days: all, from: "00:00", to: "12:00", rate: low}
              - {days: all, from: "11:00", to: "24:00", rate: high}
        """))
    #expect(overlap.count == 8)
    #expect(overlap.first == "t.yaml:11: table: monday 11:00 to 12:00 is in the row of line 10 too")
    let gap = faults(
      Self.file(
        """
              - {days: all, from: "00:00", to: "06:00", rate: low}
              - {days: all, from: "07:00", to: "24:00", rate: high}
        """))
    #expect(gap.first == "t.yaml:11: table: no row has monday 06:00 to 07:00")
  }

  @Test(
    "Values that cannot be used are refused with what to write.",
    arguments: [
      ("time-zone: Europe/Zurich", "time-zone: Europe/Zuerich", "no such time zone"),
      ("time-zone: Europe/Zurich", "time-zone: CEST", "no such time zone"),
      ("area: 7", "area: 0", "whole number from 1"),
      ("retail: 0.22", "retail: 0.07", "feed-in is at most the retail price"),
      ("retail: 0.32", "retail: 10995116.27777", "within +-10995116.27776"),
      ("rate: high", "rate: peak", "none of the rates"),
      ("days: all", "days: workday", "no kind of day"),
      ("days: all", "days: monday+monday", "names a day twice"),
      ("\"22:00\"", "\"24:30\"", "time of day from 00:00 to 24:00"),
      ("from: 2026-01-01", "from: 2026-02-30", "days 1 to 28"),
      ("from: 2026-01-01", "from: 2026-01-01T00:00Z", "without a time"),
      ("tariffs:", "tarifs:", "tariffs is missing"),
      ("network: 0.06", "grid: 0.06", "there is no field grid"),
    ])
  func refused(_ right: String, _ wrong: String, _ words: String) {
    let yaml = Self.file(Self.everyDay)
    #expect(faults(yaml) == [])
    let found = faults(yaml.replacing(right, with: wrong, maxReplacements: 1))
    #expect(found.contains { $0.contains(words) }, "\(found)")
  }
}
