import Testing

@Suite("Rule 2: accounts are labelled, closed and opened again")
struct AccountTests {
  private static let key = String(repeating: "0", count: 64)

  @Test("An account with nothing left in it is closed; each rest is refused by its own code.")
  func closing() {
    expect(
      """
      enter D1 dee bid 1kWh @ 0.10 -> accepted D1 live 1kWh
      agent dee sell 0.10 above 1kWh ->
      setAccount account 4 state closed -> rejected accountOrdersLeft 2
      cancel D1 -> canceled D1 1kWh user
      agent dee ->
      meter dee +1kWh ->
      setAccount account 4 state closed -> rejected accountBalancesLeft 2
      send dee eva 1kWh ->
      setAccount account 4 state closed -> rejected accountBalancesLeft 1
      withdraw dee 1000.00 ->
      setAccount account 4 state closed -> rejected accountMetersLeft 1
      registerMeter meter 4 account 0 area 1 publicKey \(Self.key) ->
      setAccount account 4 state closed ->
      setAccount account 4 state closed ->
      """, world: "rules 4 by 0\n" + Script.village)
  }

  @Test("An account can be opened with its label, which a change without one keeps.")
  func label() {
    expect(
      """
      createAccount account 9 participant 1 label "Flat 9" ->
      createAccount account 9 participant 1 label "Flat 10" -> rejected alreadyExists
      setAccount account 9 state closed ->
      createAccount account 10 participant 1 ->
      setAccount account 10 label "Flat 10" ->
      """)
  }

  @Test("Who owes cash keeps the account until it is paid.")
  func debt() {
    expect(
      """
      withdraw dee 1000.00 ->
      meter dee -1kWh -> metered imported 1kWh for 0.30
      registerMeter meter 4 account 0 area 1 publicKey \(Self.key) ->
      setAccount account 4 state closed -> rejected accountBalancesLeft 1
      deposit dee 0.30 ->
      setAccount account 4 state closed ->
      """, world: "rules 5 by 0\n" + Script.village)
  }

  @Test("A closed account takes nothing; cancels and removals are answered as ever.")
  func closed() {
    expect(
      """
      account #9 of 1 ->
      setAccount account 9 state closed ->
      enter A1 #9 bid 1kWh @ 0.10 -> rejected accountClosed
      agent #9 sell 0.10 above 1kWh -> rejected accountClosed
      agent #9 ->
      mass #9 -> massCanceled 0
      deposit #9 1.00 -> rejected accountClosed
      withdraw #9 1.00 -> rejected insufficientCash
      send ana #9 1.00 -> rejected accountClosed
      send #9 ana 1.00 -> rejected accountClosed
      registerMeter meter 9 account 9 area 1 publicKey \(Self.key) -> rejected accountClosed
      registerMeter meter 1 account 9 area 1 publicKey \(Self.key) -> rejected accountClosed
      cap #9 5kWh ->
      setLimit account 9 kind openOrders value 3 ->
      setBlock account 9 ->
      enter A2 #9 bid 1kWh @ 0.10 -> rejected accountClosed
      setAccount account 9 state open ->
      enter A3 #9 bid 1kWh @ 0.10 -> rejected blocked 2
      setBlock account 9 releases yes ->
      enter A4 #9 bid 1kWh @ 0.10 -> rejected insufficientCash
      deposit #9 1.00 ->
      enter A5 #9 bid 1kWh @ 0.10 -> accepted A5 live 1kWh
      """, world: "rules 4 by 0\n" + Script.village)
  }

  @Test("A meter that leaves later still belongs to the account; late readings come too late.")
  func leavingMeter() {
    expect(
      """
      withdraw dee 1000.00 ->
      registerMeter meter 4 account 5 area 1 publicKey \(Self.key) from 100 ->
      setAccount account 4 state closed after 50s -> rejected accountMetersLeft 1
      tick 50s ->
      setAccount account 4 state closed ->
      meter dee +1kWh seq 1 from 0s to 60s -> rejected accountClosed
      meter dee +1kWh seq 1 from 100s to 160s ->
      """, world: "rules 4 by 0\n" + Script.village)
  }

  @Test("The operator labels any account, an administrator those of its participant.")
  func rights() {
    expect(
      """
      session 7 of 2 roles 32 ->
      setAccount account 5 label "Flat3" by 7 ->
      setAccount account 1 label "Flat1" by 7 -> rejected foreignAccount
      setAccount account 1 state closed by 7 -> rejected foreignAccount
      setAccount account 1 label "Flat1" by 2 -> rejected notPermitted 36
      setAccount account 14 label "Flat1" -> rejected unknownAccount 16
      setAccount account 1 label "Flat1" ->
      setAccount account 1 state open ->
      """, world: "rules 4 by 0\n" + Script.village)
  }
}
