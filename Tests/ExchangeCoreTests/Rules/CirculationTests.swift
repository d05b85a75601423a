import Testing

// Section 6, "What there is of a currency", and section 0, versions. 1099511627776 Wh = 2^40 Wh at 17.50 a kWh are
// 19,241,453,486.08, or 2^60.7 in 1e-8; 2^62 is 4611686018427387904.

@Suite("Circulation of a currency under both versions of the rules")
struct CirculationTests {
  private static let areas = """
    area 2 feedin 17.50 retail 17.50 ->
    area 3 feedin 17.50 retail 17.50 ->
    area 4 feedin 17.50 retail 17.50 ->
    register #11 ana in 2 ->
    register #12 ana in 3 ->
    register #13 ana in 4 ->
    cap ana 0Wh in 2 ->
    cap ana 0Wh in 3 ->
    cap ana 0Wh in 4 ->

    """

  @Test(
    "One account is paid by three areas: the third reading would be too much for all cash together."
  )
  func paidByThreeAreas() {
    expect(
      "rules 2 ->\n" + Self.areas + """
        meter #11 +1099511627776Wh -> metered exported 1099511627776Wh for 19241453486.08
        meter #12 +1099511627776Wh -> metered exported 1099511627776Wh for 19241453486.08
        meter #13 +1099511627776Wh -> rejected balanceLimit 4611686018427387904
        balance ana 1 -> 0kWh of 10kWh free 38482907972.16 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
        deposit ben 1000.00 ->
        deposit ben 10000000000.00 -> rejected balanceLimit 4611686018427387904
        """)
  }

  @Test("Version 1 has no such bound; version 2 is refused while the circulation exceeds it.")
  func versionOne() {
    expect(
      Self.areas + """
        meter #11 +1099511627776Wh -> metered exported 1099511627776Wh for 19241453486.08
        meter #12 +1099511627776Wh -> metered exported 1099511627776Wh for 19241453486.08
        meter #13 +1099511627776Wh -> metered exported 1099511627776Wh for 19241453486.08
        rules 2 -> rejected balanceLimit 4611686018427387904
        withdraw ana 20000000000.00 ->
        rules 2 ->
        rules 2 -> rejected alreadyExists
        rules 1 -> rejected badDefinition 2
        rules 9 -> rejected outOfRange 8
        """)
  }

  @Test("Only an operator sets the rules.")
  func operatorsOnly() {
    expect("rules 2 by 2 -> rejected notPermitted 4\nrules 2 by 9 -> rejected unknownSession")
  }

  @Test(
    "An account's debt is counted on import and updated by its next reading or deposit.")
  func debts() {
    expect(
      "rules 2 ->\n" + Self.areas + """
        meter #11 -1099511627776Wh -> metered imported 1099511627776Wh for 19241453486.08
        meter #12 -1099511627776Wh -> metered imported 1099511627776Wh for 19241453486.08
        meter #13 -1099511627776Wh -> rejected balanceLimit 4611686018427387904
        deposit ana 10000000000.00 ->
        meter #13 -1099511627776Wh -> rejected balanceLimit 4611686018427387904
        meter #13 -549755813888Wh -> metered imported 549755813888Wh for 9620726743.04
        """)
  }

  @Test("Debts from version 1 are counted when version 2 takes effect.")
  func debtsOfVersionOne() {
    expect(
      Self.areas + """
        meter #11 -1099511627776Wh -> metered imported 1099511627776Wh for 19241453486.08
        deposit ben 19241453486.08 ->
        send ben ana 19241453486.08 ->
        rules 2 ->
        meter #12 -1099511627776Wh -> metered imported 1099511627776Wh for 19241453486.08
        meter #13 -1099511627776Wh -> metered imported 1099511627776Wh for 19241453486.08
        """)
  }

  @Test("An ask whose price x lot is -2^63 is refused: its lot would cost one unit too much.")
  func lowestProduct() {
    expect(
      """
      spot 2 lot 8388608Wh tick 10.48576 band -10995116.27776 0.00 ->
      enter A1 ana ask 8388608Wh @ -10995116.27776 in 2 -> rejected notionalOverflow 9223372036854775807
      enter B1 ana bid 8388608Wh @ 0.00 in 2 -> accepted B1 waiting 8388608Wh headroom
      """)
  }
}
