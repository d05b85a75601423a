// Section 16 of docs/MARKET-RULES.md: what is not settled, and what is refused above its limit.

import ExchangeCore
import MarketModel

extension ReferenceModel {
  mutating func setUnsettledLimit(_ id: AreaId, _ limit: Int64) {
    areas[id]?.unsettledLimit = limit
    if limit != 0 { return }
    areas[id]?.unsettled = []
    areas[id]?.unsettledSpan = 1
  }

  /// Counts a trade.
  mutating func countUnsettled(_ notional: Int64, _ id: AreaId) {
    guard var area = areas[id], area.unsettledLimit > 0 else { return }
    let room = 1 << 62 - area.unsettled.reduce(0) { $0 + $1.notional }
    area.unsettled.append(ModelPart(last: sequence, notional: min(abs(notional), room)))
    area.joinParts()
    while area.unsettled.count > 64 {
      area.unsettledSpan *= 2
      area.joinParts()
    }
    areas[id] = area
  }

  /// A confirmation takes out the parts that it covers.
  mutating func settle(through command: UInt64) {
    for (id, area) in areas where area.unsettledLimit > 0 {
      let left = area.unsettled.filter { $0.last > command }
      areas[id]?.unsettled = left
      if left.isEmpty {
        areas[id]?.unsettledSpan = 1
      } else if left.count <= 16 {
        areas[id]?.unsettledSpan = max(1, area.unsettledSpan / 2)
      }
    }
  }

  /// Above the limit no bid enters, and no ask that would wait.
  func requireSettled(_ order: ModelOrder) throws(Refusal) {
    guard let area = areas[order.position.area], area.unsettledLimit > 0 else { return }
    let sum = area.unsettled.reduce(0) { $0 + $1.notional }
    let waits = !order.timeInForce.isImmediate && cover(order) < order.leaves
    if sum > area.unsettledLimit, order.side == .buy || waits {
      throw Refusal(.unsettledLimit, limit: area.unsettledLimit)
    }
  }
}

extension ModelArea {
  /// Makes one part of neighbours whose last commands agree after division by the span. Only the newest two
  /// can, unless the span has just been doubled.
  fileprivate mutating func joinParts() {
    var joined: [ModelPart] = []
    for part in unsettled {
      if let before = joined.last, before.last / unsettledSpan == part.last / unsettledSpan {
        joined[joined.count - 1] = ModelPart(
          last: part.last, notional: before.notional + part.notional)
      } else {
        joined.append(part)
      }
    }
    unsettled = joined
  }
}
