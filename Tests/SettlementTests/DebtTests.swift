import MarketModel
import Settlement
import Testing

@Suite("Who owes")
struct DebtTests {
  @Test("Only participants' cash below zero is owed: no energy, no house, no outside account.")
  func table() {
    func balance(_ account: AccountId, _ unit: LedgerUnit, _ amount: Int128) -> LedgerBalance {
      LedgerBalance(account: account, unit: unit, debits: max(0, -amount), credits: max(0, amount))
    }
    let (area, euros) = (AreaId(1), LedgerUnit.currency(.eur))
    let balances = [
      balance(AccountId(7), euros, -97_035_000), balance(AccountId(8), euros, 5),
      balance(AccountId(9), euros, 0), balance(AccountId(7), .energy(area), -3),
      balance(.house(area, .grid), euros, -4), balance(.outside(.eur), euros, -900),
    ]
    let text = StatementText.debts(balances) { $0 == AccountId(7) ? "Müller, Anna" : "" }
    #expect(
      text.split(separator: "\n").filter { !$0.hasPrefix("-") } == [
        "account  unit     owes  name", "7        EUR   0.97035  Müller, Anna",
      ])
  }
}
