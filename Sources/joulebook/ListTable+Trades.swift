// Rows of lists of trades, limits and blocks.

import JoulebookClient
import MarketModel

extension ListTable {
  /// The columns of trades.
  static let tradeColumns = [
    "trade", "time", "account", "side", "area", "price", "quantity", "notional", "fee", "currency",
    "sequence", "local",
  ]

  /// A row of trades.
  static func cells(_ trade: TradeSide) -> [Cell] {
    [
      .number(trade.trade.rawValue), .text(trade.time.iso8601),
      .number(UInt64(trade.account.rawValue)), .text("\(trade.side)"),
      .number(UInt64(trade.area.rawValue)), .amount(trade.price.decimal),
      .amount(trade.quantity.kilowattHours), .amount(trade.notional.decimal),
      .amount(trade.fee.decimal),
      trade.currency == Currency(0) ? .none : .text(trade.currency.name),
      .number(trade.sequence.rawValue), .text(trade.isLocal ? "yes" : "no"),
    ]
  }

  /// A row of limits; values in kWh, units of the currency, or numbers.
  static func cells(_ limit: ListedLimit) -> [Cell] {
    func cell(_ value: Int64) -> Cell {
      if value == 0 { return .none }
      return switch limit.kind {
      case .orderQuantity: .amount(Energy(wattHours: value).kilowattHours)
      case .dailyNotional, .cashAtRisk: .amount(Money(units: value).decimal)
      case .messagesPerSecond, .openOrders, .accounts, .sessions: .number(UInt64(clamping: value))
      }
    }
    return subject(limit.participant, limit.session, limit.account) + [
      .text("\(limit.kind)"), cell(limit.inForce), cell(limit.ofOperator),
      cell(limit.ofAdministrator),
    ]
  }

  /// A row of blocks, with who blocks.
  static func cells(_ block: ListedBlock) -> [Cell] {
    subject(block.participant, block.session, block.account) + [
      .text(block.byOperator ? "yes" : "no"), .text(block.byAdministrator ? "yes" : "no"),
    ]
  }

  /// The cells of what is limited or blocked.
  private static func subject(
    _ participant: ParticipantId, _ session: SessionId, _ account: AccountId
  ) -> [Cell] {
    [
      .number(UInt64(participant.rawValue)),
      session == .exchange ? .none : .number(UInt64(session.rawValue)),
      account == .null ? .none : .number(UInt64(account.rawValue)),
    ]
  }
}
