import Testing

@Suite("Rule 2: parameters change while orders rest")
struct ParameterTests {
  @Test("A higher band from a moment on; resting orders stay.")
  func band() {
    expect(
      """
      enter A1 ana bid 1kWh @ 1.00 -> accepted A1 live 1kWh
      setParameter subject instrument number 1 parameter highestPrice value 200000 from 60 ->
      enter A2 ana bid 1kWh @ 1.01 after 59s -> rejected priceOutOfBand 100000
      enter A3 ana bid 1kWh @ 1.01 after 1s -> accepted A3 live 1kWh
      book 1 -> bid 1.01 A3 1kWh/1kWh | bid 1.00 A1 1kWh/1kWh
      """)
  }

  @Test("An announced change is withdrawn: that of one moment, or all of the parameter.")
  func withdrawal() {
    let highest = "subject instrument number 1 parameter highestPrice"
    expect(
      """
      setParameter \(highest) value 200000 from 60 ->
      setParameter \(highest) value 300000 from 120 ->
      setParameter \(highest) value 400000 from 180 ->
      withdrawParameter subject instrument number 1 parameter tick -> rejected noSuchChange 3
      withdrawParameter \(highest) from 61 -> rejected noSuchChange 3
      withdrawParameter \(highest) from 60 ->
      enter A1 ana bid 1kWh @ 1.01 after 60s -> rejected priceOutOfBand 100000
      withdrawParameter \(highest) ->
      enter A2 ana bid 1kWh @ 1.01 after 200s -> rejected priceOutOfBand 100000
      withdrawParameter \(highest) -> rejected noSuchChange
      """)
  }

  @Test("What no longer fits tick or band is cancelled, in book order; the rest keeps its place.")
  func fit() {
    expect(
      """
      meter ana +3kWh ->
      enter B1 ben bid 1kWh @ 0.05 -> accepted B1 live 1kWh
      enter B2 ben bid 1kWh @ 0.08 -> accepted B2 live 1kWh
      enter C1 cy bid 1kWh @ 0.05 -> accepted C1 live 1kWh
      enter A1 ana ask 1kWh @ 0.15 -> accepted A1 live 1kWh
      enter A2 ana ask 1kWh @ 0.17 -> accepted A2 live 1kWh
      setParameter subject instrument number 1 parameter tick value 5000 -> canceled B2 1kWh definition; canceled A2 1kWh definition
      book 1 -> bid 0.05 B1 1kWh/1kWh | bid 0.05 C1 1kWh/1kWh | ask 0.15 A1 1kWh/1kWh
      setParameter subject instrument number 1 parameter highestPrice value 10000 -> canceled A1 1kWh definition
      enter A3 ana ask 1kWh @ 0.05 -> accepted A3 live 1kWh; trade A3 B1 1kWh @ 0.05
      """)
  }

  @Test("A larger lot: cover is counted anew, losses before gains; quantities must be multiples.")
  func lot() {
    expect(
      """
      meter ana +3kWh ->
      enter A1 ana ask 4kWh @ 0.10 -> accepted A1 live 3kWh waiting 1kWh energy
      enter A2 ana ask 3kWh @ 0.20 -> accepted A2 waiting 3kWh energy
      setParameter subject instrument number 1 parameter lot value 2000 -> canceled A2 3kWh definition; restated A1 live 2kWh waiting 2kWh energy
      enter B1 ben bid 1kWh @ 0.10 -> rejected offLot 2000
      enter B2 ben bid 4kWh @ 0.10 -> accepted B2 live 4kWh; trade A1 B2 2kWh @ 0.10
      """)
  }

  @Test("A resting order trades at the fees at which it reserved, until it reserves anew.")
  func fees() {
    expect(
      """
      meter ana +3kWh ->
      enter A1 ana ask 2kWh @ 0.10 -> accepted A1 live 2kWh
      setParameter subject instrument number 1 parameter makerFee value 10000 ->
      setParameter subject instrument number 1 parameter takerFee value 20000 ->
      enter B1 ben bid 1kWh @ 0.10 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ 0.10 fees 0.00 0.002
      replace A1 3kWh @ 0.10 -> replaced A1 live 2kWh
      enter B2 ben bid 1kWh @ 0.10 -> accepted B2 live 1kWh; trade A1 B2 1kWh @ 0.10 fees 0.001 0.002
      """)
  }

  @Test("A lower storage cost lowers the default cap; own caps stay, and losses come first.")
  func cap() {
    expect(
      """
      cap ben 10kWh ->
      enter A1 ana bid 8kWh @ 0.05 -> accepted A1 live 8kWh
      enter B1 ben bid 8kWh @ 0.04 -> accepted B1 live 8kWh
      setParameter subject area number 1 parameter storageCost value 75000000000 ->
      order A1 -> live 8kWh
      """, world: Script.village)
    expect(
      """
      cap ben 10kWh ->
      enter A1 ana bid 8kWh @ 0.05 -> accepted A1 live 8kWh
      enter B1 ben bid 8kWh @ 0.04 -> accepted B1 live 8kWh
      setParameter subject area number 1 parameter storageCost value 75000000000 -> restated A1 live 5kWh waiting 3kWh headroom
      order B1 -> live 8kWh
      """, world: "rules 4 by 0\n" + Script.village)
  }

  @Test("What fits no longer at its moment is rejected then; the table of changes is bounded.")
  func later() {
    expect(
      """
      setParameter subject instrument number 1 parameter tick value 3 from 60 ->
      setParameter subject instrument number 1 parameter tick value 3 -> rejected badDefinition -100000
      setParameter subject link number 1 parameter tick value 3 -> rejected badDefinition 2
      setParameter subject area number 1 parameter tick value 3 -> rejected badDefinition 2
      setParameter subject area number 3 parameter lossFactor value 3 -> rejected unknownArea 4
      setParameter subject instrument number 9 parameter lot value 3 -> rejected unknownInstrument 8
      tick 60s -> rejected badDefinition -100000
      """)
    let more = (1...1_024).map { _ in
      "setParameter subject area number 1 parameter lossFactor value 3 from 99 ->"
    }
    expect(
      more.joined(separator: "\n") + """

        setParameter subject area number 1 parameter lossFactor value 4 from 98 -> rejected capacityExhausted 1024
        setParameter subject area number 1 parameter lossFactor value 4 ->
        tick 99s ->
        meter ana +1kWh -> metered lost 1Wh
        """)
  }

  @Test("Prices of the grid that are set for one moment take effect together, or none does.")
  func gridPricesTogether() {
    expect(
      """
      setTariff area 1 feedInPrice 0.08 retailPrice 0.32 ->
      setParameter subject area number 1 parameter feedInPrice value 33000 -> rejected badDefinition 33000
      setParameter subject area number 1 parameter retailPrice value 7000 -> rejected badDefinition 8000
      setParameter subject area number 1 parameter feedInPrice value 32000 ->
      setParameter subject area number 1 parameter feedInPrice value -1000 ->
      setParameter subject area number 1 parameter feedInPrice value 40000 from 60 ->
      setParameter subject area number 1 parameter retailPrice value 50000 from 60 ->
      setParameter subject area number 1 parameter feedInPrice value 45000 from 60 ->
      tick 60s ->
      meter ben -1kWh -> metered imported 1kWh for 0.50
      balance ben -> 0kWh of 10kWh free 999.50 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      setParameter subject area number 1 parameter retailPrice value 60000 from 120 ->
      setParameter subject area number 1 parameter feedInPrice value 61000 from 120 ->
      tick 60s -> rejected badDefinition 61000; rejected badDefinition 61000
      meter ben -1kWh -> metered imported 1kWh for 0.50
      balance ben -> 0kWh of 10kWh free 999.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      setParameter subject area number 1 parameter feedInPrice value 46000 from 180 ->
      setParameter subject area number 1 parameter retailPrice value 44000 from 181 ->
      tick 60s ->
      tick 1s -> rejected badDefinition 46000
      """, world: "rules 4 by 0\n" + Script.village)
  }

  @Test("Since version 4 grid prices may be negative and equal; feed-in above retail is refused.")
  func tariff() {
    expect(
      """
      setTariff area 1 feedInPrice 0.09 retailPrice 0.08 -> rejected badDefinition 9000
      setTariff area 1 feedInPrice -0.05 retailPrice -0.05 ->
      cap ana 1kWh ->
      meter ana +3kWh -> metered exported 2kWh for -0.10
      balance ana -> 1kWh of 1kWh free 999.90 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      meter ben -2kWh -> metered imported 2kWh for -0.10
      balance ben -> 0kWh of 10kWh free 1000.10 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """, world: "rules 4 by 0\n" + Script.village)
    expect("setTariff area 1 feedInPrice -0.05 retailPrice 0.08 -> rejected badDefinition -5000")
  }
}
