import MarketModel

/// Public market data for a trader at the start of an interval.
public struct MarketView: Sendable {
  /// Index of the interval that starts now.
  public var interval: Int
  /// Number of intervals of a day.
  public var intervalsPerDay: Int
  /// Best executable bid; `nil` without one.
  public var liveBid: Price?
  /// Best executable ask; `nil` without one.
  public var liveAsk: Price?
  /// Price of the last trade; `nil` before the first.
  public var last: Price?

  /// A view of the market at the start of `interval`.
  public init(
    interval: Int, intervalsPerDay: Int, liveBid: Price? = nil, liveAsk: Price? = nil,
    last: Price? = nil
  ) {
    (self.interval, self.intervalsPerDay) = (interval, intervalsPerDay)
    (self.liveBid, self.liveAsk, self.last) = (liveBid, liveAsk, last)
  }

  /// Whether the interval starts at the full hour `hour` (0...23) of a day.
  public func isStart(ofHour hour: Int) -> Bool {
    interval % intervalsPerDay == hour * intervalsPerDay / 24
  }
}

/// A report for a trader about one of its accounts.
public enum TraderReport: Sendable, Equatable {
  /// A new order was accepted with this total quantity.
  case accepted(AccountId, ClientOrderId, OrderId, Side, Price, quantity: Energy)
  /// An order now has this price and open quantity.
  case changed(AccountId, OrderId, Price, leaves: Energy)
  /// An order traded `quantity`; its open quantity is now `leaves`.
  case traded(AccountId, OrderId, Side, Price, quantity: Energy, leaves: Energy)
  /// An order is no longer open.
  case gone(AccountId, OrderId)
  /// A command was rejected.
  case rejected(AccountId, ClientOrderId, RejectCode)
  /// The account now has this energy, cap and free cash.
  case balance(AccountId, energy: Energy, cap: Energy, free: Money)
  /// The account's own meter has read this for the interval that has ended.
  case reading(AccountId, produced: Energy, consumed: Energy)

  /// The account of the report.
  public var account: AccountId {
    switch self {
    case .accepted(let account, _, _, _, _, _), .changed(let account, _, _, _),
      .traded(let account, _, _, _, _, _), .gone(let account, _), .rejected(let account, _, _),
      .balance(let account, _, _, _), .reading(let account, _, _):
      account
    }
  }

  /// The reports for the parties of `event`; empty for other events.
  public static func reports(of event: Event) -> [TraderReport] {
    switch event {
    case .accepted(let state):
      [
        .accepted(
          state.account, state.clientOrderId, state.order, state.side, state.price,
          quantity: state.quantity)
      ]
    case .replaced(let state), .restated(let state):
      [.changed(state.account, state.order, state.price, leaves: state.leaves)]
    case .canceled(let canceled): [self.canceled(canceled.state)]
    case .trade(let trade): [self.traded(trade, .buy), self.traded(trade, .sell)]
    case .rejected(let reject): [.rejected(reject.account, reject.clientOrderId, reject.code)]
    case .balance(let balance):
      [.balance(balance.account, energy: balance.energy, cap: balance.cap, free: balance.free)]
    default: []
    }
  }

  private static func canceled(_ state: OrderState) -> TraderReport {
    state.leaves == .zero
      ? .gone(state.account, state.order)
      : .changed(state.account, state.order, state.price, leaves: state.leaves)
  }

  private static func traded(_ trade: Trade, _ side: Side) -> TraderReport {
    let party = side == .buy ? trade.buyer : trade.seller
    return .traded(
      party.account, party.order, side, trade.price, quantity: trade.quantity,
      leaves: party.leaves)
  }
}

/// A participant with a connection that decides once per interval which commands to send.
///
/// A trader is a pure state machine: its input is what a participant sees, public market data, the
/// reports of its accounts and the readings of their meters so far; its output are commands. It is
/// owned by the thread that runs the community.
public protocol Trader: Sendable {
  /// A short name, at most 16 ASCII characters.
  var name: String { get }
  /// The accounts it acts for.
  var accounts: [AccountId] { get }
  /// The commands at the start of an interval, in order.
  mutating func act(in view: MarketView) -> [Command.Body]
  /// Updates the trader with a report about one of its accounts.
  mutating func receive(_ report: TraderReport)
}
