import Testing

@Suite("Rule 7: a meter gets another key or account")
struct MeterChangeTests {
  private static let key = String(repeating: "0", count: 64)
  private static let other = "01" + String(repeating: "0", count: 62)

  private func expectNew(_ text: String) {
    expect(text, world: "rules 4 by 0\n" + Script.village)
  }

  @Test("From a moment on intervals belong to the next account; one across it is rejected.")
  func account() {
    let moment = 1_800_000_000_000_000_000 + 100 * 1_000_000_000
    expectNew(
      """
      registerMeter meter 1 account 2 area 1 publicKey \(Self.key) from 100 ->
      meter ana +1kWh seq 1 from 0s to 60s after 200s ->
      meter ana +1kWh seq 2 from 60s to 101s -> rejected badInterval \(moment)
      meter ana +1kWh seq 2 from 60s to 100s ->
      meter ana +2kWh seq 3 from 100s to 200s ->
      balance ana -> 2kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ben -> 2kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("Register sequences of another key begin anew; late readings of the former one count.")
  func key() {
    expectNew(
      """
      meter ana +1kWh seq 900 from 0s to 60s after 200s ->
      registerMeter meter 1 account 1 area 1 publicKey \(Self.other) from 100 ->
      meter ana +1kWh seq 900 from 60s to 90s -> rejected readingReplayed 900
      meter ana +1kWh seq 901 from 60s to 100s ->
      meter ana +1kWh seq 1 from 100s to 200s ->
      meter ana +1kWh seq 902 from 99s to 100s -> rejected overlappingInterval 1800000200000000000
      """)
  }

  @Test("An ended meter sends nothing more; its number stays and can begin again.")
  func end() {
    expectNew(
      """
      meter ana +1kWh seq 1 from 0s to 60s after 60s ->
      registerMeter meter 1 account 0 area 1 publicKey \(Self.key) ->
      meter ana +1kWh seq 2 from 60s to 100s -> rejected unknownMeter 32
      registerMeter meter 1 account 2 area 1 publicKey \(Self.key) from 59
        ; rejected overlappingInterval 1800000060000000000
      registerMeter meter 1 account 2 area 1 publicKey \(Self.key) ->
      registerMeter meter 1 account 2 area 1 publicKey \(Self.key) -> rejected alreadyExists
      meter ana +1kWh seq 2 from 60s to 100s ->
      balance ben -> 1kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """.replacing("\n  ; ", with: " -> "))
  }

  @Test("Since version 5 a changed meter keeps its rated power unless another one is given.")
  func power() {
    let change = "registerMeter meter 1 account 1 area 1 publicKey \(Self.other)"
    expect(
      """
      rules 5 by 0 ->
      register ana ana power 1000 ->
      meter ana +1001Wh seq 1 from 0s to 3600s after 3600s -> rejected readingAboveCapacity 1000
      \(change) ->
      meter ana +1001Wh seq 1 from 3600s to 7200s after 3600s -> rejected readingAboveCapacity 1000
      registerMeter meter 1 account 2 area 1 publicKey \(Self.other) capacity 2000 ->
      meter ana +1001Wh seq 1 from 7200s to 10800s after 3600s ->
      """)
  }

  @Test("Since version 6 a later change waits for the readings of the former account.")
  func history() {
    let moment = 1_800_000_000_000_000_000 + 100 * 1_000_000_000
    let toBen = "registerMeter meter 1 account 2 area 1 publicKey \(Self.key)"
    let toEva = "registerMeter meter 1 account 3 area 1 publicKey \(Self.key)"
    expect(
      """
      rules 6 by 0 ->
      \(toBen) from 100 ->
      meter ana +1kWh seq 1 from 0s to 60s after 200s ->
      \(toEva) from 1000 -> rejected formerReadingsMissing \(moment)
      meter ana +1kWh seq 2 from 60s to 100s ->
      \(toEva) from 1000 ->
      meter ana +1kWh seq 3 from 100s to 150s ->
      balance ana -> 2kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      balance ben -> 1kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
    // At once gives up what is ana's, and books nothing of it to ben.
    expect(
      """
      rules 6 by 0 ->
      \(toBen) from 100 ->
      meter ana +1kWh seq 1 from 0s to 60s after 200s ->
      \(toEva) ->
      meter ana +1kWh seq 2 from 60s to 100s -> rejected overlappingInterval \(moment)
      meter ana +1kWh seq 2 from 100s to 150s ->
      balance ben -> 1kWh of 10kWh free 1000.00 reserved 0.00 asks 0kWh/0kWh bids 0kWh/0kWh
      """)
  }

  @Test("Since version 6 a change that waits comes at once, and a rated power is not announced.")
  func comesNow() {
    let end = "registerMeter meter 1 account 0 area 1 publicKey \(Self.key)"
    expect(
      """
      rules 6 by 0 ->
      \(end) from 1000 ->
      \(end) ->
      meter ana +1kWh seq 1 from 10s to 20s after 20s -> rejected unknownMeter 32
      """)
    let same = "registerMeter meter 1 account 1 area 1 publicKey \(Self.key)"
    expect(
      """
      rules 6 by 0 ->
      register ana ana power 1000 ->
      \(same) capacity 500 from 1000 -> rejected badDefinition 500
      registerMeter meter 1 account 2 area 1 publicKey \(Self.key) capacity 500 from 1000 -> rejected badDefinition 500
      registerMeter meter 1 account 2 area 1 publicKey \(Self.key) from 7200 ->
      meter ana +1000Wh seq 1 from 0s to 3600s after 3600s ->
      """)
  }

  @Test("Since version 5 a change that has not come is replaced, also by a later one.")
  func pending() {
    let end = "registerMeter meter 1 account 0 area 1 publicKey \(Self.key)"
    expect(
      """
      rules 5 by 0 ->
      \(end) from 1000 ->
      \(end) from 1000 -> rejected alreadyExists
      \(end) from 3000 ->
      meter ana +1kWh seq 1 from 0s to 2000s after 2000s ->
      meter ana +1kWh seq 2 from 2500s to 3000s after 1000s ->
      meter ana +1kWh seq 3 from 3000s to 3100s after 100s -> rejected unknownMeter 32
      """)
  }

  @Test("Trading sessions send readings of meters registered with own readings only.")
  func ownReadings() {
    expectNew(
      """
      meter eva +1kWh by 2 -> rejected notPermitted 2
      registerMeter meter 5 account 5 area 1 publicKey \(Self.key) ownReadings yes ->
      meter eva +1kWh by 2 ->
      meter ana +1kWh by 2 -> rejected notPermitted 2
      """)
    expect("meter eva +1kWh by 2 ->")
  }

  @Test("Before version 4 a registered meter is refused.")
  func before() {
    expect(
      "registerMeter meter 1 account 2 area 1 publicKey \(Self.key) -> rejected alreadyExists")
  }
}
