import Testing

@Suite("Rule 3: the cap")
struct CapTests {
  @Test(
    "The default cap is 2 Cu / (1.5 P) kWh, rounded down to a watt-hour.",
    arguments: [
      ("1500.00", "200.00", "10kWh"),
      ("3000.00", "200.00", "20kWh"),
      ("1500.00", "400.00", "5kWh"),
      ("300.00", "200.00", "2kWh"),
      ("1.00", "3.00", "444Wh"),
      ("0.01", "200.00", "0kWh"),
      ("0.00", "200.00", "0kWh"),
      // A currency of small units: the product on the way leaves 64 bits, the cap does not.
      ("30000000.00", "4000000.00", "10kWh"),
      ("92233720368.54775807", "92233720368.54775807", "1333Wh"),
    ])
  func formula(cost: String, price: String, cap: String) {
    expect(
      """
      area 2 cost \(cost) price \(price) ->
      register #20 ana in 2 ->
      balance ana in 2 -> 0kWh of \(cap) free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("An area whose cap would be above 2^50 Wh is refused.")
  func highestCap() {
    expect(
      """
      area 2 cost 8444249.30131969 price 0.00001 -> rejected badDefinition 844424930131969
      area 2 cost 8444249.30131968 price 0.00001 ->
      """)
  }

  @Test("An individual cap replaces the default; a negative one restores the default.")
  func ownCap() {
    expect(
      """
      cap ana 3kWh ->
      balance ana -> 0kWh of 3kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ben -> 0kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      cap ana -1Wh ->
      balance ana -> 0kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("A cap below the stored energy removes no energy, but leaves no headroom.")
  func capBelowEnergy() {
    expect(
      """
      meter ana +8kWh ->
      cap ana 5kWh ->
      balance ana -> 8kWh of 5kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 waiting 1kWh headroom
      meter ana -3kWh ->
      order A1 -> waiting 1kWh headroom
      meter ana -1kWh -> restated A1 live 1kWh
      """)
  }

  @Test("With a cap of zero every bid waits and all production is exported.")
  func capOfZero() {
    expect(
      """
      cap ana 0kWh ->
      enter A1 ana bid 1kWh @ 0.10 -> accepted A1 waiting 1kWh headroom
      meter ana +3kWh -> metered exported 3kWh for 0.15
      """)
  }

  @Test("A cap holds in its area only; an ask in one area is not covered by energy in another.")
  func areasApart() {
    expect(
      """
      area 2 cost 300.00 price 200.00 ->
      spot 2 in 2 ->
      cap ana 4kWh ->
      meter ana +4kWh ->
      enter A1 ana bid 3kWh @ 0.10 in 2 -> accepted A1 live 2kWh waiting 1kWh headroom
      enter A2 ana ask 1kWh @ 0.20 in 2 -> accepted A2 waiting 1kWh energy
      cap ana 3kWh in 2 -> restated A1 live 3kWh
      """)
  }

  @Test("Headroom is a share of all the account's bids in the area, over its instruments.")
  func headroomIsShared() {
    expect(
      """
      spot 2 ->
      enter A1 ana bid 6kWh @ 0.10 -> accepted A1 live 6kWh
      enter A2 ana bid 6kWh @ 0.11 in 2 -> accepted A2 live 6kWh
      ; restated A1 live 4kWh waiting 2kWh headroom
      """)
  }

  @Test("A cap above 2^50 Wh, an unknown account or area: refused.")
  func rejects() {
    expect(
      """
      cap ana 1125899906842624Wh ->
      cap ana 1125899906842625Wh -> rejected badDefinition 1125899906842625
      cap #9 1kWh -> rejected unknownAccount 16
      cap ana 1kWh in 3 -> rejected unknownArea 4
      cap ana 1kWh by 2 -> rejected notPermitted 4
      """)
  }
}
