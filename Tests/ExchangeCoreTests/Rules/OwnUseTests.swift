import Testing

// Section 7, "Own use, carried losses": what a reading produced and used itself, and its losses.

@Suite("Rule 7: own use and carried losses")
struct OwnUseTests {
  /// A cap of 2 kWh; the grid pays 0.08 and charges 0.32.
  private static let world = """
    rules 6 by 0
    participant 1 by 0
    session 1 of 1 roles 7 by 0
    area 1 cost 300.00 price 200.00 feedin 0.08 retail 0.32
    spot 1
    account ana of 1
    deposit ana 1000.00
    register ana ana
    """

  @Test("A reading uses its own production first, without loss and without the grid.")
  func example() {
    expect(
      """
      meter ana +2kWh after 900s ->
      meter ana +5kWh -3kWh after 900s -> metered own 3kWh exported 2kWh for 0.16
      balance ana -> 2kWh of 2kWh free 1000.16 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      meter ana +1kWh -3500Wh after 900s -> metered own 1kWh imported 500Wh for 0.16
      balance ana -> 0kWh of 2kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      meter ana +4kWh -4kWh after 900s -> metered own 4kWh
      """, world: Self.world)
  }

  @Test("Before version 6 production is exported above the cap before it is used.")
  func before() {
    expect(
      """
      meter ana +2kWh after 900s ->
      meter ana +5kWh -3kWh after 900s -> metered exported 5kWh for 0.40 imported 1kWh for 0.32
      rules 6 by 0 ->
      meter ana +5kWh -3kWh after 900s -> metered own 3kWh
      """, world: Self.world.replacing("rules 6", with: "rules 5"))
  }

  @Test("An interval above the area's own use stores nothing for nothing: no month's reading does.")
  func longInterval() {
    expect(
      """
      meter ana +5kWh -5kWh seq 1 from 0s to 900s after 3600s -> metered own 5kWh
      meter ana +5kWh -5kWh seq 2 from 900s to 1801s -> metered exported 3kWh for 0.24 imported 3kWh for 0.96
      setParameter subject area number 1 parameter ownUse value 3600 ->
      meter ana +5kWh -5kWh seq 3 from 1801s to 3600s -> metered own 5kWh
      setParameter subject area number 1 parameter ownUse value 0 ->
      meter ana +20Wh -20Wh seq 4 from 3600s to 3601s after 1s ->
      meter ana -1Wh seq 5 from 3601s to 3602s after 1s -> metered imported 1Wh for 0.00032
      meter ana +5kWh -5kWh seq 6 from 3602s to 86402s after 82800s -> metered exported 3kWh for 0.24 imported 3kWh for 0.96
      """, world: Self.world)
  }

  @Test("The own use of an area is 0 to 3,600 s.")
  func range() {
    expect(
      """
      setParameter subject area number 1 parameter ownUse value -1 -> rejected badDefinition -1
      setParameter subject area number 1 parameter ownUse value 3601 -> rejected badDefinition 3601
      setParameter subject instrument number 1 parameter ownUse value 900 -> rejected badDefinition 11
      setParameter subject area number 2 parameter ownUse value 900 -> rejected unknownArea 4
      setParameter subject area number 1 parameter ownUse value 60 from 60 ->
      meter ana +5kWh -5kWh after 59s -> metered own 5kWh
      meter ana +500Wh -500Wh after 60s -> metered own 500Wh
      meter ana +1600Wh -1600Wh after 61s ->
      """, world: Self.world)
  }

  @Test("The rest of a loss is carried to the meter's next reading.")
  func carriedLoss() {
    let minute = "meter ana +10Wh after 60s ->"
    expect(
      [
        "setParameter subject area number 1 parameter lossFactor value 20000 ->", minute, minute,
        minute, minute, minute + " metered lost 1Wh", minute, minute, minute,
        // What is used at once is not lost: 60 Wh of 0.02 leave 1.8 with the rest of 0.6.
        "meter ana +1060Wh -1kWh after 900s -> metered own 1kWh lost 1Wh",
        "meter ana +10Wh after 60s -> metered lost 1Wh",
      ].joined(separator: "\n"), world: Self.world)
  }

  @Test("Readings of any length lose together what one reading loses.")
  func lossesAddUp() {
    var market = Market()
    var sum: Int64 = 0
    do {
      for line in Script.lines(Self.world) { _ = market.apply(try StepParser.step(line.action)) }
      _ = market.apply(
        try StepParser.step("setParameter subject area number 1 parameter lossFactor value 12345"))
      for _ in 0..<500 {
        for event in market.apply(try StepParser.step("meter ana +7Wh after 60s")).events {
          if case .metered(let metered) = event { sum += metered.lost.wattHours }
        }
      }
    } catch { Issue.record(error) }
    #expect(sum == 3_500 * 12_345 / 1_000_000)
  }
}
