// The published book of every area, order by order, and the numbered changes that lead to it.
//
//     events of one command ──note──> what changed, unpublished
//                             │
//                        endCommand:  trades, state changes, then Add / Modify / Delete
//
// A command's changes are published when it is complete: an order that was accepted and wholly traded
// within one command shows as trades only. Each message takes the next sequence number of its area, so
// a snapshot and the changes after it give exactly this book, and a gap shows. Who misses something
// asks for it by its number, as long as it is kept, or for a new snapshot.
//
// Of an iceberg everything here is what is seen of it. Its next part is a Delete and an Add, and so is a
// new price: every Add, Modify and Delete changes one level, so the same numbers count a channel's changes
// level by level.

import MarketModel

/// The feed's book and channels. Owned by the I/O thread. Allocates only while its tables grow to the
/// highest order slot in use.
public struct MarketFeed: ~Copyable {
  /// An order now and as the subscribers know it: one line of the cache. Not private: whoever owns a feed in
  /// another module has to know how it ends.
  struct Entry: BitwiseCopyable {
    var order = OrderId.null
    var price = Price.zero
    var total = Energy.zero
    var live = Energy.zero
    var publishedPrice = Price.zero
    /// 0: the subscribers do not know it.
    var publishedTotal = Energy.zero
    var publishedLive = Energy.zero
    var instrument = InstrumentId.null
    var side = Side.buy
    var isTouched = false
    /// An iceberg that went to the back of its price: for the subscribers another order.
    var isRefilled = false

    /// Nothing, or an order that is published as it is.
    init(published order: FeedOrder = MarketFeed.nothing) {
      now = order
      publish()
    }

    var now: FeedOrder {
      get {
        FeedOrder(
          order: order, instrument: instrument, side: side, price: price, total: total, live: live)
      }
      set {
        (order, instrument, side) = (newValue.order, newValue.instrument, newValue.side)
        (price, total, live) = (newValue.price, newValue.total, newValue.live)
      }
    }

    var published: FeedOrder {
      FeedOrder(
        order: order, instrument: instrument, side: side, price: publishedPrice,
        total: publishedTotal, live: publishedLive)
    }

    var isPublished: Bool { publishedTotal.wattHours > 0 }

    var isPublishedAsItIs: Bool {
      total == publishedTotal && live == publishedLive
    }

    mutating func publish() {
      (publishedPrice, publishedTotal, publishedLive) = (price, total, live)
    }
  }

  /// By the order's slot: found by direct index.
  private var entries: DirectTable<Entry>
  /// Slots changed by the command in hand, each once, in order.
  private var touched: [UInt32] = []
  private var trades: [FeedTrade] = []
  private var states: [(InstrumentId, InstrumentState)] = []
  /// Published orders whose slot was reused within the command.
  private var displaced: [FeedOrder] = []
  private var areas: [AreaId] = []
  private var channels: [Channel] = []
  private var tops: MarketTops?
  private var levels: MarketLevels?
  private var time = Timestamp.never

  /// A message, and of a Modify what stood there before it.
  struct Kept: BitwiseCopyable {
    var update: FeedUpdate
    var time: Timestamp
    var total = Energy.zero
    var live = Energy.zero

    /// What it did to a level; `nil`: nothing.
    var change: LevelChange? {
      switch update {
      case .add(let order): LevelChange(order, .zero, .zero, orders: 1)
      case .modify(let order): LevelChange(order, total, live, orders: 0)
      case .delete(let order): LevelChange(order, .zero, .zero, orders: 1).reversed
      case .trade, .state: nil
      }
    }
  }

  /// An area's numbers and its last messages, the oldest overwritten first.
  struct Channel {
    var last: UInt64 = 0
    var kept: [Kept] = []
    /// Number of the last message before the first that was ever kept: a snapshot brings numbers, not
    /// messages.
    var base: UInt64 = 0

    /// Lowest number that is kept.
    var first: UInt64 { last - UInt64(kept.count) + 1 }

    mutating func keep(_ message: Kept) {
      last += 1
      if kept.count < MarketFeed.keptUpdates {
        kept.append(message)
      } else {
        kept[place(of: last)] = message
      }
    }

    /// Where the message with that number is kept.
    func place(of number: UInt64) -> Int {
      Int((number - 1 - base) % UInt64(MarketFeed.keptUpdates))
    }
  }

  /// Messages of an area that are kept for those who missed them.
  public static let keptUpdates = 1 << 14

  /// An empty feed, with room for so many orders before it grows.
  public init(orders: Int = 1024) {
    entries = DirectTable(Entry(), capacity: orders)
    touched.reserveCapacity(256)
    trades.reserveCapacity(256)
    displaced.reserveCapacity(16)
  }

  /// The area whose energy `instrument` is; null when it is unknown.
  public func area(of instrument: InstrumentId) -> AreaId {
    let index = Int(instrument.rawValue)
    return index < areas.count ? areas[index] : .null
  }

  /// Last sequence number used on the channel of `area`; 0: none.
  public func lastSequence(of area: AreaId) -> UInt64 {
    let index = Int(area.rawValue)
    return index < channels.count ? channels[index].last : 0
  }

  /// Lowest sequence number of `area` that is kept; one above the last when none is.
  public func firstKept(of area: AreaId) -> UInt64 {
    let index = Int(area.rawValue)
    return index < channels.count ? channels[index].first : 1
  }

  /// Shows the messages of `area` from number `from` on, which is kept.
  public func forEachUpdate(
    in area: AreaId, from: UInt64, _ body: (FeedUpdate, UInt64, Timestamp) -> Void
  ) {
    let index = Int(area.rawValue)
    guard index < channels.count else { return }
    let channel = channels[index]
    precondition(from >= channel.first, "the caller looks at firstKept")
    for number in stride(from: from, through: channel.last, by: 1) {
      let kept = channel.kept[channel.place(of: number)]
      body(kept.update, number, kept.time)
    }
  }

  // MARK: Levels

  /// Whether levels are kept and published: only while somebody follows them.
  public var keepsLevels: Bool {
    get { levels != nil }
    set {
      if newValue != (levels != nil) { levels = newValue ? addedUp() : nil }
    }
  }

  /// The published depth of every instrument of `area` with orders: bids first, best first on each side.
  /// Between commands only. A walk over all orders unless levels are kept.
  public func depth(of area: AreaId) -> [InstrumentId: [FeedLevel]] {
    assert(touched.isEmpty)
    return (levels ?? addedUp()).depth { self.area(of: $0) == area }
  }

  /// Shows what the messages of `area` from number `from` on, which is kept, did to its levels; of those
  /// that are no change of an order, the message itself. Between commands only.
  func forEachLevel(
    in area: AreaId, from: UInt64,
    _ body: (LevelMessage, UInt64, Timestamp) -> Void
  ) {
    let index = Int(area.rawValue)
    guard index < channels.count else { return }
    precondition(from >= channels[index].first, "the caller looks at firstKept")
    var past = levels ?? addedUp()
    for number in stride(from: channels[index].last, through: from, by: -1) {
      if let change = channels[index].kept[channels[index].place(of: number)].change {
        past.apply(change.reversed)
      }
    }
    for number in stride(from: from, through: channels[index].last, by: 1) {
      let kept = channels[index].kept[channels[index].place(of: number)]
      if let change = kept.change {
        body(.level(past.apply(change), change.instrument), number, kept.time)
      } else {
        body(.other(kept.update), number, kept.time)
      }
    }
  }

  /// A message of a channel as those see it who follow levels.
  enum LevelMessage {
    case level(FeedLevel, InstrumentId)
    case other(FeedUpdate)
  }

  private func addedUp() -> MarketLevels {
    var levels = MarketLevels()
    for number in 0..<entries.count {
      let order = entries[number].published
      if order.total.wattHours > 0 { levels.apply(LevelChange(order, .zero, .zero, orders: 1)) }
    }
    return levels
  }

  // MARK: Tops

  /// Whether the tops of the books are kept: only while somebody wants them.
  public var keepsTops: Bool {
    get { tops != nil }
    set {
      guard newValue != (tops != nil) else { return }
      guard newValue else { return tops = nil }
      var fresh = MarketTops()
      for number in 0..<entries.count where entries[number].isPublished {
        fresh.change(from: Self.nothing, to: entries[number].published)
      }
      _ = fresh.takeChanged()
      tops = fresh
    }
  }

  /// The tops that changed since the last call, in the order of their first change.
  public mutating func takeChangedTops() -> [FeedTop] { tops?.takeChanged() ?? [] }

  /// The top of `instrument`, while tops are kept.
  public func top(of instrument: InstrumentId) -> FeedTop {
    tops?.top(of: instrument) ?? FeedTop(instrument: instrument)
  }

  private static let nothing = FeedOrder(
    order: .null, instrument: .null, side: .buy, price: .zero, total: .zero, live: .zero)

  /// Looks at the entries that an event will change, so that they are near when it comes: entries are
  /// as scattered as orders are. Shown several events, the waits for memory overlap.
  /// - Returns: A number without meaning, which keeps the looks from being left out.
  @inline(__always) func anticipate(_ event: borrowing Event) -> Int64 {
    switch event {
    case .accepted(let state), .replaced(let state), .restated(let state): look(state.order)
    case .canceled(let canceled): look(canceled.state.order)
    case .trade(let trade): look(trade.buyer.order) &+ look(trade.seller.order)
    default: 0
    }
  }

  @inline(__always) private func look(_ order: OrderId) -> Int64 {
    entries.pointer(Int(order.slot))?.pointee.total.wattHours ?? 0
  }

  /// Takes in an event of the command in hand.
  public mutating func note(_ event: borrowing Event) {
    switch event {
    case .accepted(let state), .replaced(let state), .restated(let state): update(state)
    case .canceled(let canceled): update(canceled.state)
    case .trade(let trade): update(trade)
    case .displayed(let seen): update(seen)
    case .instrumentCreated(let made): list(made)
    case .instrumentStateChanged(let change): states.append((change.instrument, change.state))
    case .rejected, .massCanceled, .balance, .metered, .transferred, .deposited, .withdrawn,
      .agentSet, .acknowledged, .participantCreated, .sessionRegistered, .accountCreated, .capSet,
      .areaCreated, .tariffSet, .meterRegistered, .settlementConfirmed,
      .sessionBegan, .sessionEnded, .alarm:
      break
    }
  }

  /// The command in hand, of `time`, is complete: publishes what it changed.
  public mutating func endCommand<Sink: FeedSink & ~Copyable>(
    at time: Timestamp, into sink: inout Sink
  ) {
    self.time = time
    if touched.isEmpty && states.isEmpty { return }
    if !trades.isEmpty || !states.isEmpty || !displaced.isEmpty { publishRare(&sink) }
    for index in touched.indices { publishChange(of: Int(touched[index]), &sink) }
    touched.removeAll(keepingCapacity: true)
  }

  /// What most commands do not bring: trades, states, orders whose slot was reused.
  private mutating func publishRare<Sink: FeedSink & ~Copyable>(_ sink: inout Sink) {
    for index in trades.indices { publish(.trade(trades[index]), trades[index].instrument, &sink) }
    for (instrument, state) in states { publish(.state(instrument, state), instrument, &sink) }
    for order in displaced {
      tops?.change(from: order, to: Self.nothing)
      publish(.delete(order), order.instrument, &sink)
    }
    trades.removeAll(keepingCapacity: true)
    states.removeAll(keepingCapacity: true)
    displaced.removeAll(keepingCapacity: true)
  }

  /// Shows every resting order of `area`, between commands only.
  public func forEachOrder(in area: AreaId, _ body: (FeedOrder) -> Void) {
    assert(touched.isEmpty)
    for number in 0..<entries.count {
      let order = entries[number].published
      if order.total.wattHours > 0, self.area(of: order.instrument) == area { body(order) }
    }
  }

  private mutating func update(_ state: OrderState) {
    let slot = Int(state.order.slot)
    let entry = place(of: slot)
    if entry.pointee.isPublished, entry.pointee.order != state.order {
      displaced.append(entry.pointee.published)
      entry.pointee.publishedTotal = .zero
    }
    entry.pointee.now = FeedOrder(
      order: state.order, instrument: state.instrument, side: state.side, price: state.price,
      total: state.leaves, live: state.covered)
    touch(entry, slot)
  }

  /// Where the entry of a slot stands, made if it is new.
  @inline(__always) private mutating func place(of slot: Int) -> UnsafeMutablePointer<Entry> {
    if let known = entries.pointer(slot) { return known }
    entries[slot] = Entry()
    guard let made = entries.pointer(slot) else { preconditionFailure("it was made just now") }
    return made
  }

  private mutating func update(_ trade: Trade) {
    reduce(trade.buyer)
    reduce(trade.seller)
    trades.append(
      FeedTrade(
        trade: trade.trade,
        resting: trade.aggressor == .buy ? trade.seller.order : trade.buyer.order,
        instrument: trade.instrument, aggressor: trade.aggressor, price: trade.price,
        quantity: trade.quantity))
  }

  /// What is seen of an iceberg takes the place of what its reports said.
  private mutating func update(_ seen: OrderDisplayed) {
    let slot = Int(seen.order.slot)
    guard let entry = entries.pointer(slot), entry.pointee.order == seen.order else {
      return assertionFailure("seen of an order that was never accepted")
    }
    (entry.pointee.total, entry.pointee.live) = (seen.total, seen.live)
    if seen.isRefilled { entry.pointee.isRefilled = true }
    touch(entry, slot)
  }

  private mutating func reduce(_ party: TradeParty) {
    let slot = Int(party.order.slot)
    guard let entry = entries.pointer(slot), entry.pointee.order == party.order else {
      return assertionFailure("a trade of an order that was never accepted")
    }
    (entry.pointee.total, entry.pointee.live) = (party.leaves, party.covered)
    touch(entry, slot)
  }

  private mutating func touch(_ entry: UnsafeMutablePointer<Entry>, _ slot: Int) {
    if entry.pointee.isTouched { return }
    entry.pointee.isTouched = true
    touched.append(UInt32(slot))
  }

  private mutating func publishChange<Sink: FeedSink & ~Copyable>(of slot: Int, _ sink: inout Sink)
  {
    guard let entry = entries.pointer(slot) else { return }
    let (now, published) = (entry.pointee.now, entry.pointee.published)
    let isRefilled = entry.pointee.isRefilled
    (entry.pointee.isTouched, entry.pointee.isRefilled) = (false, false)
    if now.total.wattHours == 0 {
      guard entry.pointee.isPublished else { return }
      entry.pointee.publishedTotal = .zero
      tops?.change(from: published, to: Self.nothing)
      publish(.delete(published), published.instrument, &sink)
    } else if !entry.pointee.isPublished {
      entry.pointee.publish()
      tops?.change(from: Self.nothing, to: now)
      publish(.add(now), now.instrument, &sink)
    } else if isRefilled || now.price != published.price {
      entry.pointee.publish()
      tops?.change(from: published, to: now)
      publish(.delete(published), published.instrument, &sink)
      publish(.add(now), now.instrument, &sink)
    } else if !entry.pointee.isPublishedAsItIs {
      entry.pointee.publish()
      tops?.change(from: published, to: now)
      publish(.modify(now), now.instrument, &sink, before: (published.total, published.live))
    }
  }

  /// - Parameter before: What stood there before a Modify.
  private mutating func publish<Sink: FeedSink & ~Copyable>(
    _ update: FeedUpdate, _ instrument: InstrumentId, _ sink: inout Sink,
    before: (total: Energy, live: Energy) = (.zero, .zero)
  ) {
    let area = area(of: instrument)
    let index = Int(area.rawValue)
    let kept = Kept(update: update, time: time, total: before.total, live: before.live)
    channels[index].keep(kept)
    sink.publish(update, area: area, sequence: channels[index].last)
    if levels != nil, let change = kept.change, let level = levels?.apply(change) {
      sink.publish(level, of: instrument, area: area, sequence: channels[index].last)
    }
  }

  private mutating func list(_ made: CreateInstrument) {
    while areas.count <= Int(made.instrument.rawValue) { areas.append(.null) }
    areas[Int(made.instrument.rawValue)] = made.area
    while channels.count <= Int(made.area.rawValue) { channels.append(Channel()) }
  }
}

// MARK: - Its image (GatewayHistory.swift)

extension MarketFeed {
  /// No instrument or area has a higher number: a bound for what is read.
  private static let most = 1 << 26

  /// What rows its image holds.
  static func add(to layout: inout StateLayout) {
    layout.add(FeedOrder.self)
    layout.add(AreaId.self)
  }

  /// Resting orders as published, by slot.
  private var resting: [FeedOrder] {
    entries.all.lazy.map(\.published).filter { $0.total.wattHours > 0 }
  }

  /// Writes the book and how far every channel is, between two commands.
  func write(to sink: any StateSink) {
    assert(touched.isEmpty && states.isEmpty)
    sink.put(areas)
    sink.put(channels.map(\.last))
    sink.put(resting)
  }

  /// Reads what `write` wrote. Messages published before are not kept any more.
  mutating func read(from source: any StateSource) {
    areas = source.get(AreaId.self, most: Self.most)
    channels = source.get(UInt64.self, most: Self.most).map { Channel(last: $0, base: $0) }
    for order in source.get(FeedOrder.self, most: Self.most) {
      entries[Int(order.order.slot)] = Entry(published: order)
    }
  }

  /// Whether both publish the same from now on.
  func isSame(as other: borrowing MarketFeed) -> Bool {
    areas == other.areas && channels.map(\.last) == other.channels.map(\.last)
      && resting == other.resting
  }
}
