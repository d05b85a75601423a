import ExchangeCore
import Journaling
import MarketModel

/// The result of applying a journal to a new exchange.
struct Replay {
  /// Hash over all events.
  let eventHash: UInt64
  /// Hash of the whole state.
  let stateHash: UInt64
  /// Number of applied commands.
  let commands: Int
  /// Sums of the area.
  let totals: Exchange.AreaTotals?
  /// Cash of every account.
  let cash: [(account: AccountId, currency: Currency, free: Money, reserved: Money)]
  /// Balances of every position.
  let balances: [Balance]
  /// All open orders.
  let openOrders: [OrderState]

  /// Applies the journal in `directory`.
  /// - Parameters:
  ///   - capacity: Capacity of the exchange.
  ///   - sink: Gets all events.
  ///   - begin: Called with each command before its events.
  /// - Throws: `JournalError` when the journal is damaged or cannot be read.
  init<Sink: EventSink>(
    _ directory: String, _ capacity: Capacity, into sink: inout Sink,
    begin: (inout Sink, Command) -> Void
  ) throws(JournalError) {
    var exchange = Exchange(capacity: capacity)
    var reader = try JournalReader(directory: directory)
    var commands = 0
    while let command = try reader.next() {
      begin(&sink, command)
      exchange.apply(command, into: &sink)
      commands += 1
    }
    self.commands = commands
    (eventHash, stateHash) = (exchange.eventHash, exchange.stateHash())
    totals = exchange.totals(of: CommunityPlan.area)
    (cash, balances) = (exchange.cash(), exchange.allBalances())
    openOrders = exchange.openOrders()
  }
}
