// Random changes of what an operator has defined.

import ExchangeCore
import MarketModel

extension RandomMarket {
  /// A change of a definition, a note, or a deposit with a reference in any order.
  mutating func change() -> Step {
    switch dice(6) {
    case 0...1: return parameter()
    case 2: return meterChange()
    case 3: return referenced()
    default:
      return Step(
        .order(
          .note(
            Note(
              clientOrderId: chance(3, of: 4) ? .engine : ClientOrderId(UInt64(1 + dice(200))),
              text: noteText("")))))
    }
  }

  /// A decision about one of the first readings in quarantine.
  mutating func decision() -> Step {
    Step(
      .metering(
        .decideReading(
          DecideReading(number: UInt64(1 + dice(clock > 500 ? 60 : 12)), releases: chance(3, of: 4))
        )))
  }

  /// A meter gets another key or account, or none, at once or from a moment on.
  private mutating func meterChange() -> Step {
    let account = account()
    let isEnd = chance(1, of: 6)
    return Step(
      .reference(
        .registerMeter(
          RegisterMeter(
            meter: MeterId(account.rawValue + (chance(1, of: 2) ? 0 : 12)),
            account: isEnd ? .null : chance(1, of: 2) ? account : self.account(),
            area: AreaId(chance(1, of: 8) ? UInt16(dice(4)) : account.rawValue % 2 == 0 ? 1 : 2),
            publicKey: PublicKey(UInt64(dice(2)), 0, 0, 0), capacity: power(),
            from: chance(1, of: 2)
              ? (chance(1, of: 2) ? .never : Timestamp(nanoseconds: 0))
              : seconds((clock > 60 ? clock - 60 : 1)...(clock + 900)),
            ownReadings: chance(1, of: 2),
            attestation: chance(1, of: 8) ? .meteringOperator : .device))))
  }

  private mutating func referenced() -> Step {
    let movement = CashMovement(
      account: account(), currency: .eur, amount: Money(units: Int64(1 + dice(100_000_000))),
      reference: UInt64(dice(80)), source: UInt16(dice(3)))
    return Step(chance(2, of: 3) ? .cash(.deposit(movement)) : .cash(.withdraw(movement)))
  }

  /// A change of a parameter: half of them back to the first value, half at once.
  private mutating func parameter() -> Step {
    let isOfArea = chance(1, of: 4)
    var change =
      isOfArea ? areaParameter() : instrumentParameter(pick(instruments + [Self.dear]))
    if change.from == .never, chance(1, of: 2) {
      change.from = seconds((clock + 1)...(clock + 90))
    }
    if chance(1, of: 20) {
      change.subject = pick(ParameterSubject.allCases)
      change.number = dice(7)
    }
    if chance(1, of: 20) { change.value = -change.value }
    if chance(1, of: 20) { change.from = chance(1, of: 2) ? .never : seconds(1...20) }
    if chance(1, of: 6) { return withdrawal(change) }
    return Step(.reference(.setParameter(change)))
  }

  /// Withdraws announced changes of the parameter: all of them, or those of a moment near by.
  private mutating func withdrawal(_ change: SetParameter) -> Step {
    Step(
      .reference(
        .withdrawParameter(
          WithdrawParameter(
            subject: change.subject, number: change.number, parameter: change.parameter,
            from: chance(2, of: 3) ? .never : change.from))))
  }

  private mutating func areaParameter() -> SetParameter {
    let number = 1 + dice(2)
    if chance(1, of: 2) { return gridPrice(number) }
    let parameter = pick([
      Parameter.storageCost, .storagePrice, .lossFactor, .ownUse, .localFirst, .readingWindow,
      .mintedQuality, .unsettledLimit,
    ])
    let usual: Int64 = number == 1 ? 1_500 : 500
    let value: Int64 =
      switch parameter {
      case .storageCost: chance(1, of: 2) ? usual : Int64(dice(2_000))
      case .storagePrice: chance(1, of: 2) ? 200 : 50 + Int64(dice(300))
      default: 0
      }
    let other: Int64? =
      switch parameter {
      case .lossFactor: Int64(dice(60_000))
      case .ownUse: pick([0, 5, 60, 900, 3_600, 3_601])
      case .localFirst: Int64(dice(8) == 0 ? 2 : min(1, dice(4)))
      case .readingWindow: pick([3_599, 3_600, 7_200, 3_888_000, 3_888_000, 34_560_000])
      case .mintedQuality: Int64(dice(4))
      case .unsettledLimit:
        pick([
          0, 1, 40_000_000, 200_000_000, 1_000_000_000, 20_000_000_000, -1, 1 << 62, 1 << 62 - 1,
        ])
      default: nil
      }
    return SetParameter(
      subject: .area, number: number, parameter: parameter, value: other ?? value * 100_000_000)
  }

  /// A price of the grid, often for a moment that others have too.
  private mutating func gridPrice(_ area: UInt32) -> SetParameter {
    let value: Int64 =
      isVast
      ? pick([1_000_000, 2_000_000]) : Int64(dice(chance(1, of: 8) ? 14_000 : 6_000)) - 1_000
    return SetParameter(
      subject: .area, number: area, parameter: chance(1, of: 2) ? .feedInPrice : .retailPrice,
      value: value, from: Timestamp(nanoseconds: (clock / 40 + 1) * 40))
  }

  private mutating func instrumentParameter(_ given: CreateInstrument) -> SetParameter {
    let parameters: [Parameter] = [.lowestPrice, .highestPrice, .tick, .lot, .makerFee, .takerFee]
    let parameter = pick(hasFees ? parameters : Array(parameters.prefix(4)))
    let isFirst = chance(1, of: 2)
    let tick = given.tick.ticks
    let value: Int64 =
      switch parameter {
      case .lowestPrice: given.lowestPrice.ticks + (isFirst ? 0 : (Int64(dice(7)) - 3) * tick)
      case .highestPrice: given.highestPrice.ticks + (isFirst ? 0 : (Int64(dice(7)) - 3) * tick)
      case .tick: isFirst ? tick : pick([1, 100, 250, 259, tick / 2, tick * 2])
      case .lot: isFirst ? given.lot.wattHours : pick([1, 50, 100, 150, 250, 500, 600, 1_000])
      default: isFirst ? 0 : Int64(dice(300_000))
      }
    return SetParameter(
      subject: .instrument, number: given.instrument.rawValue, parameter: parameter, value: value)
  }
}
