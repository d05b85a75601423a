import MarketModel

/// Prints the events of each command, in order.
struct Printer: EventSink {
  mutating func emit(_ event: Event) {
    if let line = Words.line(event) { print("  " + line) }
  }
}

enum Words {
  /// An event in words; `nil` for one that this example does not show.
  static func line(_ event: Event) -> String? {
    switch event {
    case .reference(.areaCreated(let made)):
      "area \(made.definition.code.text): each home may store \(made.defaultCap.wattHours) Wh"
    case .reference(.participantCreated(let made)): "home \(made.name.text)"
    case .accepted(let order):
      "\(name(order.account)) \(order.side)s \(order.quantity.wattHours) Wh at \(price(order.price))"
        + ": live \(order.covered.wattHours), waiting \(order.waiting.wattHours)"
    case .restated(let order):
      "the order of \(name(order.account)) at \(price(order.price)) is now"
        + ": live \(order.covered.wattHours), waiting \(order.waiting.wattHours)"
    case .trade(let trade):
      "TRADE \(trade.trade.rawValue): \(name(trade.seller.account)) to \(name(trade.buyer.account))"
        + " \(trade.quantity.wattHours) Wh at \(price(trade.price)) = \(money(trade.notional))"
    case .metered(let done):
      "\(name(done.account)) produced \(done.reading.produced.wattHours) and consumed "
        + "\(done.reading.consumed.wattHours) Wh; of it bought from the grid "
        + "\(done.imported.wattHours) Wh for \(money(done.importCost))"
    case .rejected(let no): "REJECTED with code \(no.code.rawValue), limit \(no.limit)"
    default: nil
    }
  }

  static func name(_ account: AccountId) -> String {
    Home(rawValue: account.rawValue).map { "\($0)" } ?? "account \(account.rawValue)"
  }

  /// A price per kWh, which is a whole number of 1e-5.
  static func price(_ price: Price) -> String { decimal(price.ticks, 5) }

  /// An amount of money, which is a whole number of 1e-8.
  static func money(_ money: Money) -> String { decimal(money.units, 8) }

  /// `value` x 10^-`decimals`, exact.
  private static func decimal(_ value: Int64, _ decimals: Int) -> String {
    let digits = String(value.magnitude)
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    return (value < 0 ? "-" : "") + padded.dropLast(decimals) + "." + padded.suffix(decimals)
  }

  static func right(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: " ", count: max(0, width - digits.count)) + digits
  }
}
