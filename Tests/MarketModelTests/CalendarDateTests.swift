import MarketModel
import Testing

@Suite("Dates")
struct CalendarDateTests {
  @Test("Every day that a moment can have follows the day before, and counts back to its number.")
  func everyDay() {
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var expected = CalendarDate(year: 1970, month: 1, day: 1)
    for number in 0...UInt32(UInt64.max / 86_400_000_000_000) {
      let date = CalendarDate(daysSinceEpoch: number)
      guard date == expected, date.daysSinceEpoch == Int(number) else {
        Issue.record("day \(number) is \(date.iso8601), not \(expected.iso8601)")
        return
      }
      let year = date.year
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      expected.day += 1
      if date.day == lengths[date.month - 1] + (isLeap && date.month == 2 ? 1 : 0) {
        (expected.month, expected.day) = (date.month % 12 + 1, 1)
        if date.month == 12 { expected.year += 1 }
      }
    }
  }

  @Test("The last day whose number an initialiser takes has a date.")
  func lastDay() {
    #expect(CalendarDate(daysSinceEpoch: .max).year == 11_761_191)
  }

  @Test(
    "A moment is written in ISO 8601, to the second and to the millisecond.",
    arguments: [
      (0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
      (951_782_399_999_999_999, "2000-02-28T23:59:59Z", "2000-02-28T23:59:59.999Z"),
      (951_782_400_007_000_000, "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.007Z"),
      (1_780_304_645_120_000_000, "2026-06-01T09:04:05Z", "2026-06-01T09:04:05.120Z"),
      (4_107_542_399_000_000_000, "2100-02-28T23:59:59Z", "2100-02-28T23:59:59.000Z"),
      (4_107_542_400_000_000_000, "2100-03-01T00:00:00Z", "2100-03-01T00:00:00.000Z"),
      (UInt64.max, "2554-07-21T23:34:33Z", "2554-07-21T23:34:33.709Z"),
    ])
  func texts(_ nanoseconds: UInt64, _ seconds: String, _ milliseconds: String) {
    let time = Timestamp(nanoseconds: nanoseconds)
    #expect(time.iso8601 == seconds)
    #expect(time.iso8601Milliseconds == milliseconds)
  }
}
