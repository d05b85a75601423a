// Random labels, closings and openings of accounts, and what a closed account refuses.

import ExchangeCore
import MarketModel

extension RandomMarket {
  /// An account without meters, so that it is closed and opened now and then.
  var spare: AccountId { AccountId(accounts + 1) }

  /// A change of an account; or something that the spare account takes when it is open.
  mutating func accountChange() -> Step {
    switch dice(8) {
    case 0:
      return Step(
        .reference(.createAccount(CreateAccount(account: spare, participant: ParticipantId(1)))))
    case 1...3: return spareSet(chance(1, of: 2) ? .closed : .open)
    case 4:
      return Step(
        .reference(
          .setAccount(
            SetAccount(
              account: account(), label: Label(low: UInt64(dice(3)), high: 0),
              state: pick(AccountState.allCases)))))
    default: return spareUse()
    }
  }

  private func spareSet(_ state: AccountState) -> Step {
    Step(.reference(.setAccount(SetAccount(account: spare, state: state))))
  }

  private mutating func spareUse() -> Step {
    let movement = CashMovement(
      account: spare, currency: .eur, amount: Money(units: 100_000_000), reference: 0)
    switch dice(7) {
    case 0: return Step(.cash(.deposit(movement)), countsUp: true)
    case 1: return Step(.cash(.withdraw(movement)), countsUp: true)
    case 2:
      return Step(
        .cash(
          .transfer(
            Transfer(
              from: account(), to: spare, asset: .cash, currency: .eur, area: .null,
              amount: 100_000_000, clientOrderId: .engine))), countsUp: true)
    case 3:
      return Step(
        .cash(
          .transfer(
            Transfer(
              from: spare, to: account(), asset: .cash, currency: .eur, area: .null,
              amount: 100_000_000, clientOrderId: .engine))), countsUp: true)
    case 4:
      let sells = chance(1, of: 2)
      return Step(
        .order(
          .setAgent(
            SetAgent(
              account: spare, instrument: InstrumentId(1), sells: sells,
              sellPrice: sells ? Price(ticks: 1_000) : .zero))))
    case 5:
      return Step(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(31), account: chance(1, of: 2) ? spare : .null, area: AreaId(1),
              publicKey: PublicKey(0, 0, 0, 0),
              from: chance(1, of: 2) ? .never : seconds((clock + 1)...(clock + 60))))))
    default:
      return Step(
        .reference(.setBlock(SetBlock(account: spare, releases: chance(1, of: 2)))))
    }
  }
}

// Compensations of the ledger (section 17).
extension RandomMarket {
  /// Mostly an allowed compensation.
  mutating func compensation() -> Step {
    let area = UInt16(1 + dice(2))
    let house = 0x8000_0000 + UInt32(area) * 256 + pick([1, 5, 6, 0xF1, 0xF4])
    let others = [account(), AccountId(house), .outside(.eur), AccountId(99)]
    let amount = Int64(1 + dice(1_000))
    let (second, third) = (pick(others), chance(1, of: 2) ? account() : .null)
    let rest: Int64 = third == .null ? 0 : pick([1, -1, 7])
    let isWrong = chance(1, of: 10)
    compensations += UInt64(dice(3))
    return Step(
      .cash(
        .compensate(
          Compensate(
            reference: compensations, amount1: amount, amount2: -amount - rest,
            amount3: isWrong ? -rest : rest, account1: account(), account2: second,
            account3: third, currency: .eur, area: AreaId(area), asset: pick([.cash, .energy])))))
  }
}
