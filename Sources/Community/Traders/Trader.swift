import MarketModel

/// What a trader knows of the market when its turn comes: public data only.
public struct MarketView: Sendable {
  /// The interval that starts now.
  public var interval: Int
  /// How many intervals a day has.
  public var intervalsPerDay: Int
  /// Best executable bid, if any.
  public var liveBid: Price?
  /// Best executable ask, if any.
  public var liveAsk: Price?
  /// Price of the last trade, if any.
  public var last: Price?

  /// A view of the market at the start of `interval`.
  public init(
    interval: Int, intervalsPerDay: Int, liveBid: Price? = nil, liveAsk: Price? = nil,
    last: Price? = nil
  ) {
    (self.interval, self.intervalsPerDay) = (interval, intervalsPerDay)
    (self.liveBid, self.liveAsk, self.last) = (liveBid, liveAsk, last)
  }

  /// Whether `hour` o'clock (0...23) is now.
  public func isStart(ofHour hour: Int) -> Bool {
    interval % intervalsPerDay == hour * intervalsPerDay / 24
  }
}

/// What a trader hears back about one of its accounts.
public enum TraderReport: Sendable, Equatable {
  /// An order of its own entered; `leaves` before it matched.
  case accepted(AccountId, ClientOrderId, OrderId, Side, Price, quantity: Energy)
  /// An order has this price and open quantity now.
  case changed(AccountId, OrderId, Price, leaves: Energy)
  /// It traded; `leaves` is what the order has left.
  case traded(AccountId, OrderId, Side, Price, quantity: Energy, leaves: Energy)
  /// The order is open no more.
  case gone(AccountId, OrderId)
  /// What it asked was refused.
  case rejected(AccountId, ClientOrderId, RejectCode)
  /// Its balances now.
  case balance(AccountId, energy: Energy, cap: Energy, free: Money)

  /// The account it is about.
  public var account: AccountId {
    switch self {
    case .accepted(let account, _, _, _, _, _), .changed(let account, _, _, _),
      .traded(let account, _, _, _, _, _), .gone(let account, _), .rejected(let account, _, _),
      .balance(let account, _, _, _):
      account
    }
  }

  /// What the parties of `event` hear; nothing for events that are no trader's business.
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

/// Someone with a connection of its own who decides what to ask of the exchange, once an interval.
///
/// A trader is a pure state machine: it sees public data and its own reports, and asks. It is owned
/// by the thread that runs the community.
public protocol Trader: Sendable {
  /// A short name, at most 16 ASCII characters.
  var name: String { get }
  /// The accounts it acts for.
  var accounts: [AccountId] { get }
  /// What it asks at the start of an interval, in order.
  mutating func act(in view: MarketView) -> [Command.Body]
  /// Takes a report about one of its accounts.
  mutating func hear(_ report: TraderReport)
}
