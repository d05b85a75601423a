import ExchangeCore
import MarketModel
import Testing

/// Section 7, "Late readings and versions", "Prices by interval". The area has no own use for longer intervals than
/// 900 s, a feed-in price of 0.05 and a retail price of 0.30.
@Suite("Rule 7: late readings and later versions")
struct IntervalTests {
  private func expectNew(_ text: String, _ capacity: Capacity = .script) {
    expect("rules 8 by 0 ->\n" + text, capacity: capacity)
  }

  @Test("A late interval is settled; one that overlaps or is sent again is refused.")
  func late() {
    expectNew(
      """
      meter ana +1kWh seq 5 from 1800s to 2700s after 3600s ->
      meter ana +2kWh seq 1 from 0s to 900s ->
      meter ana +1kWh seq 9 from 600s to 1200s -> rejected overlappingInterval 1800000900000000000
      meter ana +1kWh seq 9 from 900s to 2000s -> rejected overlappingInterval 1800002700000000000
      meter ana +2kWh seq 1 from 0s to 900s -> rejected readingReplayed 1
      meter ana +3kWh seq 2 from 900s to 1800s ->
      balance ana -> 6kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("A correction takes back what was sold to the grid, at the price of its interval.")
  func exportsBack() {
    expectNew(
      """
      cap ana 0kWh ->
      meter ana +4kWh seq 1 from 0s to 900s after 900s -> metered exported 4kWh for 0.20
      tariff 1 feedin 0.10 retail 0.40 after 10s ->
      meter ana +1kWh seq 2 from 0s to 900s -> corrected exportsBack 3kWh for -0.15
      meter ana +2kWh seq 3 from 0s to 900s -> corrected exported 1kWh for 0.05
      meter ana +2kWh seq 4 from 910s to 1810s after 900s -> metered exported 2kWh for 0.20
      balance ana -> 0kWh of 0kWh free 1000.30 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("What a correction takes and the balance lacks is imported at the price of its interval.")
  func sold() {
    expectNew(
      """
      meter ana +5kWh seq 1 from 0s to 900s after 900s ->
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 live 5kWh
      enter B1 ben bid 4kWh @ 0.10 -> accepted B1 live 4kWh; trade A1 B1 4kWh @ 0.10
      tariff 1 feedin 0.10 retail 0.50 ->
      meter ana +2kWh seq 2 from 0s to 900s -> corrected imported 2kWh cost 0.60; restated A1 waiting 1kWh energy
      meter ana +5kWh seq 3 from 0s to 900s -> restated A1 live 1kWh; corrected importsBack 2kWh cost -0.60
      balance ana -> 1kWh of 10kWh free 1000.40 reserved 0.00 asks 1kWh/1kWh bids 0kWh/0kWh
      """)
  }

  @Test("More consumption is taken from the balance, less is credited; own use counts in both.")
  func consumption() {
    expectNew(
      """
      meter ana +3kWh -1kWh seq 1 from 0s to 900s after 900s -> metered own 1kWh
      meter ana +3kWh -2kWh seq 2 from 0s to 900s -> corrected own 1kWh
      balance ana -> 1kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      meter ana +3kWh -5kWh seq 3 from 0s to 900s -> corrected own 1kWh imported 2kWh cost 0.60
      meter ana +3kWh seq 4 from 0s to 900s -> corrected own -3kWh importsBack 2kWh cost -0.60
      balance ana -> 3kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("Production of a quality that the area does not count is counted with a better version.")
  func quality() {
    expectNew(
      """
      meter ana +3kWh -1kWh seq 1 from 0s to 900s quality estimated after 900s -> metered imported 1kWh for 0.30
      meter ana +3kWh -1kWh seq 2 from 0s to 900s quality substituted -> corrected own 1kWh importsBack 1kWh cost -0.30
      balance ana -> 2kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      setParameter subject area number 1 parameter mintedQuality value 0 ->
      meter ana +3kWh -1kWh seq 3 from 0s to 900s quality substituted -> corrected own -1kWh imported 1kWh cost 0.30
      setParameter subject area number 1 parameter mintedQuality value 3 -> rejected badDefinition 3
      """)
  }

  @Test("An interval that begins before the window is too late, also when it is sent again.")
  func window() {
    expectNew(
      """
      setParameter subject area number 1 parameter readingWindow value 3600 ->
      meter ana +1kWh seq 1 from 0s to 900s after 3600s ->
      meter ana +1kWh seq 2 from 0s to 900s -> corrected
      meter ana +2kWh seq 3 from 0s to 900s after 1s -> rejected readingTooLate 1800000001000000000
      meter ana +1kWh seq 1 from 1s to 900s -> rejected overlappingInterval 1800000900000000000
      setParameter subject area number 1 parameter readingWindow value 3599 -> rejected badDefinition 3599
      """)
  }

  @Test("Register sequences end at 2^62, and begin anew with each interval.")
  func sequence() {
    let most = UInt64(1) << 62
    expectNew(
      """
      meter ana +1kWh seq \(most) from 0s to 900s after 3600s ->
      meter ana +1kWh seq \(most + 1) from 0s to 900s -> rejected registerSequenceTooHigh \(most); quarantined 1
      meter ana +1kWh seq 1 from 900s to 1800s ->
      """)
  }

  @Test("Intervals from before version 8 stay refused.")
  func before() {
    expect(
      """
      rules 6 by 0 ->
      meter ana +1kWh seq 1 from 900s to 1800s after 3600s ->
      rules 8 by 0 ->
      meter ana +1kWh seq 2 from 900s to 1800s -> rejected overlappingInterval 1800001800000000000
      meter ana +1kWh seq 2 from 0s to 900s -> rejected overlappingInterval 1800001800000000000
      meter ana +1kWh seq 1 from 1800s to 2700s ->
      """)
  }

  @Test("Where the table is full the meter's oldest reading gives way; another meter is refused.")
  func full() {
    var capacity = Capacity.script
    capacity.readings = 2
    expectNew(
      """
      meter ana +1kWh seq 1 from 0s to 900s after 9000s ->
      meter ana +1kWh seq 1 from 900s to 1800s ->
      meter ben +1kWh seq 1 from 0s to 900s -> rejected capacityExhausted 2
      meter ana +1kWh seq 1 from 1800s to 2700s ->
      meter ana +2kWh seq 2 from 0s to 900s -> rejected readingTooLate 1800000900000000000
      meter ana +2kWh seq 2 from 900s to 1800s -> corrected
      """, capacity)
  }

  @Test("Late readings and versions go to the account of their interval, whatever came after it.")
  func holders() {
    let key = String(repeating: "0", count: 64)
    expectNew(
      """
      meter ana +1kWh seq 1 from 0s to 900s after 900s ->
      registerMeter meter 1 account 2 area 1 publicKey \(key) from 900 ->
      registerMeter meter 1 account 3 area 1 publicKey \(key) from 1800 ->
      registerMeter meter 1 account 4 area 1 publicKey \(key) from 2700 after 2700s ->
      meter ana +2kWh seq 2 from 900s to 1800s ->
      meter ana +1kWh seq 2 from 1500s to 2000s -> rejected badInterval 1800001800000000000
      meter ana +4kWh seq 2 from 1800s to 2700s ->
      meter ana +3kWh seq 3 from 0s to 900s -> corrected
      balance ana -> 3kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ben -> 2kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test(
    "Ten thousand versions of one interval, forth and back, leave cash and energy as they were.")
  func manyVersions() throws {
    var market = Market()
    for line in Script.lines("rules 8 by 0\n" + Script.village + "\ncap ana 2kWh") {
      _ = market.apply(try StepParser.step(line.action))
    }
    _ = market.apply(try StepParser.step("meter ana +5kWh -1kWh seq 1 from 0s to 900s after 900s"))
    let before = market.exchange.balance(of: AccountId(1), in: AreaId(1))
    let grid = market.exchange.totals(of: AreaId(1))
    var random = SeededRandom(seed: 3)
    for version in 2...10_000 {
      let (made, used) = (
        Int.random(in: 0...9, using: &random), Int.random(in: 0...9, using: &random)
      )
      let text =
        version == 10_000 ? "+5kWh -1kWh" : "+\(made)kWh -\(used)kWh"
      let outcome = market.apply(
        try StepParser.step("meter ana \(text) seq \(version) from 0s to 900s"),
        deep: version % 500 == 0)
      try #require(outcome.differences.isEmpty, "\(outcome.differences)")
    }
    #expect(market.exchange.balance(of: AccountId(1), in: AreaId(1)) == before)
    #expect(market.exchange.totals(of: AreaId(1)) == grid)
  }

  @Test("Versions of intervals of a nanosecond make no more energy than the rated power.")
  func tinyIntervals() throws {
    var market = Market()
    for line in Script.lines("rules 8 by 0\n" + Script.village) {
      _ = market.apply(try StepParser.step(line.action))
    }
    _ = market.apply(try StepParser.step("tick 100s"))
    func read(_ start: UInt64, _ sequence: UInt64, _ energy: Int64) -> Market.Outcome {
      var step = Step(
        .meterReading(
          MeterReading(
            meter: MeterId(1), registerSequence: sequence,
            intervalStart: Timestamp(nanoseconds: start),
            intervalEnd: Timestamp(nanoseconds: start + 1), produced: Energy(wattHours: energy),
            consumed: .zero)))
      step.isExact = true
      return market.apply(step, deep: false)
    }
    for start in Market.start..<Market.start + 200 {
      _ = read(start, 1, 0)
      let outcome = read(start, 2, 1)
      #expect(outcome.differences.isEmpty)
    }
    #expect(market.exchange.totals(of: AreaId(1))?.produced == Energy(wattHours: 1))
  }
}
