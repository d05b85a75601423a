// What is said, in words. Numbers are whole, as the exchange counts: Wh, 1e-5 currency per kWh, 1e-8 currency.

import GatewayKit
import MarketModel

extension [String] {
  /// The number in a place of a client's line.
  func number<Number: FixedWidthInteger>(_ place: Int) throws(Refusal) -> Number {
    if let number = Number(self[place]) { return number }
    throw Refusal(.badEnumValue, limit: Int64(place))
  }
}

extension Refusal { var line: String { "ERROR \(code.rawValue) \(limit)" } }

extension Report {
  func line(_ event: Event) -> String { "R \(number) " + words(event) }
  private func words(_ event: Event) -> String {
    switch event {
    case _ where part == .copyNotice: "COPY session \(origin.rawValue) report \(originNumber)"
    case .accepted(let order): "ACCEPTED \(order.line)"
    case .replaced(let order): "REPLACED \(order.line)"
    case .restated(let order): "RESTATED \(order.line)"
    case .canceled(let done): "CANCELED \(done.state.line) reason \(done.reason)"
    case .trade(let trade): trade.line(part == .buyer ? trade.buyer : trade.seller)
    case .balance(let has):
      "BALANCE account \(has.account.rawValue) area \(has.area.rawValue) cash \(has.free.units) "
        + "reserved \(has.reserved.units) energy \(has.energy.wattHours)"
    case .rejected(let no): "REJECTED \(no.code.rawValue) \(no.limit) \(no.clientOrderId.rawValue)"
    default: "OTHER"  // What only binary clients ask for.
    }
  }
}

extension Trade {
  func line(_ mine: TradeParty) -> String {
    "TRADED order \(mine.order.rawValue) id \(mine.clientOrderId.rawValue) quantity "
      + "\(quantity.wattHours) price \(price.ticks) fee \(mine.fee.units) open "
      + "\(mine.leaves.wattHours) trade \(trade.rawValue)"
  }
}

extension OrderState {
  var line: String {
    "order \(order.rawValue) id \(clientOrderId.rawValue) \(side) instrument \(instrument.rawValue) "
      + "price \(price.ticks) open \(leaves.wattHours) live \(covered.wattHours)"
  }
}

extension FeedTop {
  /// Price and quantity of the best displayed orders (the selling price, then the buying price), and
  /// the live bid and ask.
  var line: String {
    let best = [bid, ask].map { $0.map { "\($0.price.ticks) \($0.total.wattHours)" } ?? "- 0" }
    let live = [liveBid, liveAsk].map { $0.map { "\($0.ticks)" } ?? "-" }
    return "QUOTE \(instrument.rawValue) bid \(best[0]) ask \(best[1]) live \(live[0]) \(live[1])"
  }
}
