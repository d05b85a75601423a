// Random changes of what an operator has defined.

import ExchangeCore
import MarketModel

extension RandomMarket {
  /// A change of a definition.
  mutating func change() -> Step { parameter() }

  /// A change of a parameter: half of them back to the first value, half at once.
  private mutating func parameter() -> Step {
    let isOfArea = chance(1, of: 4)
    var change =
      isOfArea ? areaParameter() : instrumentParameter(pick(instruments + [Self.dear]))
    if chance(1, of: 2) { change.from = seconds((clock + 1)...(clock + 90)) }
    if chance(1, of: 20) {
      change.subject = pick(ParameterSubject.allCases)
      change.number = dice(7)
    }
    if chance(1, of: 20) { change.value = -change.value }
    if chance(1, of: 20) { change.from = chance(1, of: 2) ? .never : seconds(1...20) }
    return Step(.reference(.setParameter(change)))
  }

  private mutating func areaParameter() -> SetParameter {
    let number = 1 + dice(2)
    let parameter = pick([Parameter.storageCost, .storagePrice, .lossFactor])
    let usual: Int64 = number == 1 ? 1_500 : 500
    let value: Int64 =
      switch parameter {
      case .storageCost: chance(1, of: 2) ? usual : Int64(dice(2_000))
      case .storagePrice: chance(1, of: 2) ? 200 : 50 + Int64(dice(300))
      default: 0
      }
    return SetParameter(
      subject: .area, number: number, parameter: parameter,
      value: parameter == .lossFactor ? Int64(dice(60_000)) : value * 100_000_000)
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
