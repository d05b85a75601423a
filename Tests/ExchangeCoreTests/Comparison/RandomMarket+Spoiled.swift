// Steps with one error each, so that every reject occurs.

import MarketModel

extension RandomMarket {
  /// A copy of the step with one error.
  mutating func spoiled(_ step: Step) -> Step {
    var bad = step
    switch step.body {
    case .enter(let order): bad.body = .enter(spoiled(order, &bad.countsUp))
    case .replace(var request):
      switch dice(6) {
      case 0: request.quantity.wattHours += 7
      case 1: request.price.ticks += 1
      case 2: request.quantity.wattHours = 0
      case 3: request.price.ticks = 900_000_000
      case 4: bad.countsUp = false
      default: request.account = AccountId(dice(20))
      }
      bad.body = .replace(request)
    case .cash(.transfer(var transfer)):
      switch dice(5) {
      case 0: transfer.amount = 0
      case 1: transfer.amount = .max
      case 2: transfer.to = AccountId(99)
      case 3:
        (transfer.asset, transfer.area) = (.energy, AreaId(UInt16(dice(9))))
        transfer.currency = Currency(0)
      default: bad.countsUp = false
      }
      bad.body = .cash(.transfer(transfer))
    case .meterReading(var reading):
      switch dice(7) {
      case 0: reading.meter = MeterId(dice(40))
      case 1: reading.produced.wattHours = -1
      case 2: reading.consumed.wattHours = 1 << 41
      case 3:
        bad.countsUp = false
        reading.intervalEnd = Timestamp(nanoseconds: 900)
        reading.registerSequence = UInt64(dice(100))
      case 4, 5:
        // Far ahead; from version 3 on it is rejected, by its length or by its end.
        bad.countsUp = false
        reading.registerSequence = 1 << 40
        reading.intervalStart = Timestamp(nanoseconds: 3_000_000)
        reading.intervalEnd = Timestamp(nanoseconds: 3_000_000 + (dice(2) == 0 ? 900 : 90_000))
      default:
        bad.countsUp = false
        reading.registerSequence = 1 << 40
      }
      bad.body = .meterReading(reading)
    case .cash(.deposit(var movement)):
      movement.amount.units = dice(2) == 0 ? 0 : (1 << 61) - 1
      bad.countsUp = dice(2) == 0
      bad.body = .cash(.deposit(movement))
    case .order(.setAgent(var agent)):
      if agent.sells { agent.sellPrice.ticks += 3 }
      if agent.buys { agent.buyBelow.wattHours = -5 }
      bad.body = .order(.setAgent(agent))
    case .reference(.setCap(var definition)):
      definition.cap.wattHours = (1 << 50) + 1
      bad.body = .reference(.setCap(definition))
    default: break
    }
    return bad
  }

  private mutating func spoiled(_ good: NewOrder, _ countsUp: inout Bool) -> NewOrder {
    var order = good
    switch dice(20) {
    case 18:
      order.clientOrderId = ClientOrderId(1 << 62 + UInt64(min(dice(8), 1)))
      countsUp = false
    case 0: order.account = AccountId(dice(20))
    case 1: order.instrument = InstrumentId(dice(12))
    case 2: order.quantity.wattHours = 0
    case 3: order.quantity.wattHours = -1_000
    case 4: order.quantity.wattHours += 1
    case 5: order.quantity.wattHours = 3_000 << 40
    case 6: order.price.ticks += 1
    case 7: order.price.ticks += 1_000_000
    case 8: order.price.ticks -= 1_000_000
    case 9: (order.type, order.price) = (.market, .zero)
    case 10: (order.postOnly, order.minimumQuantity) = (true, order.quantity)
    case 11: order.expireTime = Timestamp(nanoseconds: 5)
    case 13:
      (order.instrument, order.price) = (Self.dear.instrument, Self.dear.highestPrice)
      order.quantity.wattHours = 1 << 36
    case 14: order.displayQuantity.wattHours = order.quantity.wattHours + 1
    case 15:
      order.quantity.wattHours *= 201
      order.displayQuantity.wattHours = order.quantity.wattHours / 201
    case 16: order.onBehalfOf = SessionId(dice(8))
    case 12: order.minimumQuantity.wattHours = order.quantity.wattHours + 1
    default: countsUp = false
    }
    // A market order has no price to spoil.
    if order.type == .market { order.price = .zero }
    return order
  }
}
