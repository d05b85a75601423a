// The price levels of one area, kept while a gateway wants them. They are built in pieces: a cursor
// over the order slots, which all areas being built share, goes round once.
//
//     slots   0 ............ start ............ cursor ............ end
//             not passed     passed: changes    not passed: the cursor
//                            are applied        will meet the orders
//
// An area joins at the cursor (its start); its levels are complete when the cursor, which begins
// again behind the last slot, is back there. A change of an order whose slot was passed is applied;
// one whose slot was not is met by the cursor in its new state.

import MarketModel

/// The kept levels of an area. Owned by the I/O thread.
final class AreaDepth {
  private final class Book {
    var bids = SortedLevels(.buy)
    var asks = SortedLevels(.sell)
    /// Whether it is in the list of changed instruments.
    var isMarked = false

    func apply(_ change: LevelChange) -> FeedLevel {
      change.side == .buy ? bids.apply(change) : asks.apply(change)
    }
  }

  /// The gateways that want the levels, with the changed instruments that each has not taken.
  private(set) var users: [GatewayNumber: [InstrumentId]] = [:]
  /// Since when no gateway wants them; `nil` while one does.
  private(set) var unwantedSince: SteadyTime?
  /// Whether every order of the area is contained.
  private(set) var isComplete = false
  /// Number of orders contained.
  private(set) var orders = 0
  /// The slot at which building began.
  let start: Int
  /// Whether the cursor has passed the last slot since.
  var hasWrapped = false
  private var books: [InstrumentId: Book] = [:]
  /// Changed instruments not yet handed to the users.
  private var marked: [InstrumentId] = []

  /// No levels yet; building begins at this slot.
  init(start: Int) { self.start = start }

  /// Whether the shared cursor has passed a slot.
  func hasPassed(_ slot: Int, cursor: Int) -> Bool {
    hasWrapped ? slot >= start || slot < cursor : slot >= start && slot < cursor
  }

  /// Every order of the area is contained.
  func complete() {
    isComplete = true
    handOut()
    for gateway in users.keys { users[gateway] = [] }
  }

  /// Applies a change of an order.
  /// - Returns: its level after it.
  @discardableResult func apply(_ change: LevelChange) -> FeedLevel {
    orders += Int(change.orders)
    let book = book(of: change.instrument)
    if !book.isMarked {
      book.isMarked = true
      marked.append(change.instrument)
    }
    return book.apply(change)
  }

  private func book(of instrument: InstrumentId) -> Book {
    if let book = books[instrument] { return book }
    let book = Book()
    books[instrument] = book
    return book
  }

  // MARK: Users

  /// A gateway wants the levels.
  func want(_ gateway: GatewayNumber) {
    unwantedSince = nil
    if users[gateway] == nil {
      handOut()
      users[gateway] = []
    }
  }

  /// A gateway no longer wants the levels.
  func release(_ gateway: GatewayNumber, at now: SteadyTime) {
    guard users.removeValue(forKey: gateway) != nil, users.isEmpty else { return }
    unwantedSince = now
  }

  /// The instruments that changed since the gateway's last call, in the order of their first change.
  func takeChanged(for gateway: GatewayNumber) -> [InstrumentId] {
    handOut()
    guard let changed = users[gateway], !changed.isEmpty else { return [] }
    users[gateway] = []
    if users.count == 1 { return changed }
    var seen: Set<InstrumentId> = []
    return changed.filter { seen.insert($0).inserted }
  }

  private func handOut() {
    for gateway in users.keys { users[gateway]? += marked }
    for instrument in marked { books[instrument]?.isMarked = false }
    marked.removeAll(keepingCapacity: true)
  }

  // MARK: What is kept

  /// The level with a key; `nil` if there is none.
  func level(at key: LevelKey) -> FeedLevel? {
    guard let book = books[key.instrument] else { return nil }
    return (key.side == .buy ? book.bids : book.asks).level(at: key.price)
  }

  /// At most `most` levels of an instrument behind `key`, or the first ones: bids first, best price
  /// first on each side.
  func levels(of instrument: InstrumentId, behind key: LevelKey?, most: Int) -> [FeedLevel] {
    guard let book = books[instrument] else { return [] }
    var levels: [FeedLevel] = []
    if key?.side != .sell {
      book.bids.appendNext(behind: key?.price, to: &levels, most: most)
      book.asks.appendNext(behind: nil, to: &levels, most: most)
    } else {
      book.asks.appendNext(behind: key?.price, to: &levels, most: most)
    }
    return levels
  }

  /// The top of an instrument.
  func top(of instrument: InstrumentId) -> FeedTop {
    var top = FeedTop(instrument: instrument)
    guard let book = books[instrument] else { return top }
    (top.bid, top.ask) = (book.bids.best, book.asks.best)
    (top.liveBid, top.liveAsk) = (book.bids.bestLive?.price, book.asks.bestLive?.price)
    return top
  }
}
