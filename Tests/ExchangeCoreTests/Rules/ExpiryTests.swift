import Testing

@Suite("Rule 5: good till time")
struct ExpiryTests {
  @Test("Orders expire by expire time, then by arrival, regardless of price and account.")
  func orderOfExpiry() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 gtt expires 60s -> accepted B1 live 1kWh
      enter C1 cy bid 1kWh @ 0.12 gtt expires 30s -> accepted C1 live 1kWh
      enter D1 dee bid 1kWh @ 0.14 gtt expires 60s -> accepted D1 live 1kWh
      enter B2 ben bid 1kWh @ 0.16 gtt expires 30s -> accepted B2 live 1kWh
      tick 90s -> canceled C1 1kWh expired; canceled B2 1kWh expired
      ; canceled B1 1kWh expired; canceled D1 1kWh expired
      """)
  }

  @Test("An order that expires when a reading arrives does not trade with the reading's energy.")
  func expiryBeforeReading() {
    expect(
      """
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 waiting 5kWh energy
      enter B1 ben bid 5kWh @ 0.12 gtt expires 60s -> accepted B1 live 5kWh
      meter ana +5kWh after 60s -> canceled B1 5kWh expired; restated A1 live 5kWh
      """)
  }

  @Test("A second earlier it trades.")
  func readingBeforeExpiry() {
    expect(
      """
      enter A1 ana ask 5kWh @ 0.10 -> accepted A1 waiting 5kWh energy
      enter B1 ben bid 5kWh @ 0.12 gtt expires 60s -> accepted B1 live 5kWh
      meter ana +5kWh after 59s -> restated A1 live 5kWh; trade A1 B1 5kWh @ 0.12
      """)
  }

  @Test("An incoming bid trades with an ask that gained cover when another ask expired.")
  func expiryGivesCover() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 gtt expires 60s -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.11 -> accepted A2 waiting 2kWh energy
      enter B1 ben bid 2kWh @ 0.11 after 60s -> canceled A1 2kWh expired; restated A2 live 2kWh
      ; accepted B1 live 2kWh; trade A2 B1 2kWh @ 0.11
      """)
  }

  @Test("Trades caused by an expiry happen before the command that is applied at that time.")
  func expiryTrades() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 gtt expires 60s -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.12 -> accepted A2 waiting 2kWh energy
      enter B1 ben bid 1kWh @ 0.05 -> accepted B1 live 1kWh
      replace B1 1kWh @ 0.09 -> replaced B1 live 1kWh
      cancel A1 -> canceled A1 2kWh user; restated A2 live 2kWh
      enter A3 ana ask 1kWh @ 0.11 gtt expires 60s -> accepted A3 live 1kWh
      ; restated A2 live 1kWh waiting 1kWh energy
      enter C1 cy bid 2kWh @ 0.12 gtt expires 90s -> accepted C1 live 2kWh
      ; trade A3 C1 1kWh @ 0.11; trade A2 C1 1kWh @ 0.12
      tick 90s ->
      """)
  }

  @Test("All due orders expire before any order gains their cover.")
  func allEndFirst() {
    expect(
      """
      meter ana +2kWh ->
      enter A1 ana ask 2kWh @ 0.10 gtt expires 60s -> accepted A1 live 2kWh
      enter A2 ana ask 2kWh @ 0.11 -> accepted A2 waiting 2kWh energy
      enter B1 ben bid 2kWh @ 0.09 gtt expires 60s -> accepted B1 live 2kWh
      tick 60s -> canceled A1 2kWh expired; canceled B1 2kWh expired; restated A2 live 2kWh
      """)
  }

  @Test("A command that is rejected still moves the clock.")
  func rejectedCommandExpires() {
    expect(
      """
      enter B1 ben bid 1kWh @ 0.10 gtt expires 60s -> accepted B1 live 1kWh
      cancel B1 after 60s -> canceled B1 1kWh expired; rejected unknownOrder
      """)
  }

  @Test("The executed quantity of an expired order stays; the rest is cancelled.")
  func partlyExecuted() {
    expect(
      """
      meter ana +1kWh ->
      enter B1 ben bid 3kWh @ 0.10 gtt expires 60s -> accepted B1 live 3kWh
      enter A1 ana ask 1kWh @ 0.10 -> accepted A1 live 1kWh; trade A1 B1 1kWh @ 0.10
      tick 60s -> canceled B1 2kWh expired
      balance ben -> 1kWh of 10kWh free 999.90 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("A waiting order and one of a halted instrument end as well.")
  func waitingAndHalted() {
    expect(
      """
      spot 2 ->
      enter A1 ana ask 1kWh @ 0.10 gtt expires 60s -> accepted A1 waiting 1kWh energy
      enter B1 ben bid 1kWh @ 0.10 in 2 gtt expires 60s -> accepted B1 live 1kWh
      halt 2 -> restated B1 waiting 1kWh halted
      tick 60s -> canceled A1 1kWh expired; canceled B1 1kWh expired
      """)
  }

  @Test("A replace keeps the expire time, and a cancelled order does not end twice.")
  func replaceKeepsTheTime() {
    expect(
      """
      enter B1 ben bid 3kWh @ 0.10 gtt expires 60s -> accepted B1 live 3kWh
      enter C1 cy bid 1kWh @ 0.10 gtt expires 60s -> accepted C1 live 1kWh
      replace B1 2kWh @ 0.10 -> replaced B1 live 2kWh
      cancel C1 -> canceled C1 1kWh user
      tick 60s -> canceled B1 2kWh expired
      """)
  }

  @Test("Only good-till-time orders have an expire time, which must be in the future.")
  func badTimes() {
    expect(
      """
      tick 60s ->
      enter X ben bid 1kWh @ 0.10 gtt expires 60s -> rejected badExpireTime 1800000060000000000
      enter X ben bid 1kWh @ 0.10 gtt -> rejected badExpireTime 1800000060000000000
      enter X ben bid 1kWh @ 0.10 ioc expires 99s -> rejected badExpireTime 1800000060000000000
      enter B1 ben bid 1kWh @ 0.10 gtt expires 61s -> accepted B1 live 1kWh
      tick 1s -> canceled B1 1kWh expired
      """)
  }
}
