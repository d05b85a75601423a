import MarketModel
import Testing

@testable import ExchangeCore

@Suite("Lists of readings, gaps and quarantine")
struct ReadingPageTests {
  private static func market(_ text: String) throws -> Market {
    var market = Market()
    for line in Script.lines("rules 8 by 0\n" + Script.village + "\n" + text) {
      _ = market.apply(try StepParser.step(line.action))
    }
    return market
  }

  private func time(_ seconds: UInt64) -> Timestamp {
    Timestamp(nanoseconds: Market.start + seconds * 1_000_000_000)
  }

  @Test("Pages of any size have every kept interval, and every gap, once.")
  func intervalsAndGaps() throws {
    var random = SeededRandom(seed: 5)
    var (lines, expected, gaps) = (["tick 100000s"], [UInt64](), [ReadingGap]())
    var last: UInt64?
    for quarter in UInt64(0)..<100 where Int.random(in: 0..<4, using: &random) > 0 {
      let start = quarter * 900
      lines.append("meter ana +1Wh seq 3 from \(start)s to \(start + 900)s")
      expected.append(start)
      if let last, last < start {
        gaps.append(ReadingGap(meter: MeterId(1), from: time(last), to: time(start)))
      }
      last = start + 900
    }
    let market = try Self.market(
      ([lines[0]] + lines.dropFirst().shuffled(using: &random)).joined(separator: "\n"))
    for size in [1, 2, 7, 100] {
      var (cursor, starts, found) = (UInt64(0), [Timestamp](), [ReadingGap]())
      repeat {
        let page = market.exchange.readingPage(of: MeterId(1), cursor: cursor, count: size)
        #expect(page.rows.count <= size)
        starts += page.rows.map(\.reading.intervalStart)
        cursor = page.next
      } while cursor != 0
      #expect(starts == expected.map(time))
      var bounds = PageBounds()
      (bounds.steps, bounds.rowsOfStep) = (size + 1, 1)
      repeat {
        let page = market.exchange.gapPage(
          of: MeterId(1), cursor: cursor, count: size, bounds: bounds)
        found += page.rows
        cursor = page.next
      } while cursor != 0
      #expect(found == gaps, "pages of \(size)")
    }
    let from = market.exchange.readingPage(
      of: MeterId(1), cursor: time(45_001).nanoseconds, count: 1)
    #expect(from.rows.first?.reading.intervalStart == expected.first { $0 > 45_000 }.map(time))
    #expect(market.exchange.readingPage(of: MeterId(2), cursor: 0, count: 9).rows.isEmpty)
    #expect(market.exchange.gapPage(of: MeterId(99), cursor: 0, count: 9).rows.isEmpty)
  }

  @Test("The quarantine is listed by number, of all meters and of one.")
  func quarantine() throws {
    let beyond = (1...5).map {
      "meter \($0 % 2 == 0 ? "ana" : "ben") +500kWh seq \($0) from 0s to 900s"
    }
    let market = try Self.market("tick 900s\n" + beyond.joined(separator: "\n"))
    var (cursor, numbers) = (UInt64(0), [UInt64]())
    repeat {
      let page = market.exchange.quarantinePage(cursor: cursor, count: 2)
      numbers += page.rows.map(\.number)
      cursor = page.next
    } while cursor != 0
    #expect(numbers == [1, 2, 3, 4, 5])
    let own = market.exchange.quarantinePage(of: MeterId(1), cursor: 3, count: 9)
    #expect(own.rows.map(\.number) == [4] && own.rows.first?.code == .readingAboveCapacity)
    #expect(market.exchange.quarantinePage(of: MeterId(77), cursor: 0, count: 9).rows.isEmpty)
    #expect(market.exchange.countedOnly(of: MeterId(1)) == 0)
  }
}
