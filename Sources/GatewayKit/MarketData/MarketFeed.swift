// The published book of every area, order by order, and the numbered changes that lead to it.
//
//     events of one command ──note──> what changed, unpublished
//                             │
//                        endCommand:  trades, state changes, then Add / Modify / Delete
//
// Changes are published when a command is complete: an order that was accepted and fully traded
// within one command appears as trades only. Each message takes the next sequence number of its
// area, so a snapshot and the changes after it give exactly this book, and gaps are detected. A
// subscriber that missed messages requests them by number while they are stored, or a new snapshot.
//
// Of an iceberg only the displayed quantity is published. A refill of the display is a Delete and
// an Add, and so is a new price: every Add, Modify and Delete changes exactly one level, so the
// messages have equal numbers in the view by order and in the view by level.

import CPrefetch
import MarketModel

/// The published books and channels. Owned by the I/O thread. Allocates only while its tables grow
/// to the highest order slot in use.
public struct MarketFeed: ~Copyable {
  /// The present and the published state of an order, in one cache line. Internal rather than
  /// private, because another module's deinit of `MarketFeed` needs the layout.
  struct Entry: BitwiseCopyable {
    var order = OrderId.null
    var price = Price.zero
    var total = Energy.zero
    var live = Energy.zero
    var publishedPrice = Price.zero
    /// Published open quantity; 0 if the order is not published.
    var publishedTotal = Energy.zero
    var publishedLive = Energy.zero
    var instrument = InstrumentId.null
    var side = Side.buy
    var isTouched = false
    /// The display of an iceberg was refilled: for subscribers it is a new order at the back of its
    /// level.
    var isRefilled = false

    /// An empty entry, or one whose present state is the published one.
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

  /// Indexed by the order's slot.
  private var entries: DirectTable<Entry>
  /// Slots changed by the current command, each once, in order.
  private var touched: [UInt32] = []
  private var trades: [FeedTrade] = []
  private var states: [(InstrumentId, InstrumentState)] = []
  /// Published orders whose slot was reused within the current command.
  private var displaced: [FeedOrder] = []
  private var areas: [AreaId] = []
  private var channels = DirectTable(MarketChannel())
  private var tops: MarketTops?
  private var levels: MarketLevels?
  /// The gateways that want either kept.
  private var topUsers: Set<GatewayNumber> = []
  private var levelUsers: Set<GatewayNumber> = []
  private var time = Timestamp.never
  /// The messages of the current command.
  private var published = UnsafeMutablePointer<FeedMessage>.allocate(capacity: 64)
  private var publishedCapacity = 64
  private var publishedCount = 0

  /// Maximum number of messages stored per area for retransmission.
  public static let keptUpdates = MarketChannel.most

  /// An empty feed; its table has space for `orders` orders before it grows.
  public init(orders: Int = 1024) {
    entries = DirectTable(Entry(), capacity: orders)
    touched.reserveCapacity(256)
    trades.reserveCapacity(256)
    displaced.reserveCapacity(16)
  }

  deinit {
    endChannels()
    published.deallocate()
  }

  private func endChannels() {
    for number in 0..<channels.count { channels[number].end() }
  }

  /// The area whose energy `instrument` delivers; `.null` if the instrument is unknown.
  public func area(of instrument: InstrumentId) -> AreaId {
    let index = Int(instrument.rawValue)
    return index < areas.count ? areas[index] : .null
  }

  /// Last sequence number of the channel of `area`; 0 if none was used.
  public func lastSequence(of area: AreaId) -> UInt64 {
    let index = Int(area.rawValue)
    return index < channels.count ? channels[index].last : 0
  }

  /// Lowest sequence number of `area` still stored; the last plus 1 if none is.
  public func firstKept(of area: AreaId) -> UInt64 {
    let index = Int(area.rawValue)
    return index < channels.count ? channels[index].first : 1
  }

  /// Calls `body` with the messages of `area` from number `from` on, which must be stored.
  public func forEachUpdate(
    in area: AreaId, from: UInt64, _ body: (FeedUpdate, UInt64, Timestamp) -> Void
  ) {
    let index = Int(area.rawValue)
    guard index < channels.count else { return }
    let channel = channels[index]
    for number in stride(from: from, through: channel.last, by: 1) {
      let kept = channel[number]
      body(kept.update, number, kept.time)
    }
  }

  // MARK: Levels

  /// Whether levels are maintained and published: only while a gateway has subscribers for them.
  public var keepsLevels: Bool { levels != nil }

  /// Maintains levels for `gateway`, or stops. The first gateway that asks costs a walk over all orders.
  public mutating func keepLevels(_ isWanted: Bool, for gateway: GatewayNumber) {
    if isWanted { levelUsers.insert(gateway) } else { levelUsers.remove(gateway) }
    if levelUsers.isEmpty == keepsLevels { levels = keepsLevels ? nil : addedUp() }
  }

  /// The published depth of every instrument of `area` that has orders: bids first, best price
  /// first on each side. Called between commands. Walks over all orders unless levels are
  /// maintained.
  public func depth(of area: AreaId) -> [InstrumentId: [FeedLevel]] {
    assert(touched.isEmpty)
    return (levels ?? addedUp()).depth { self.area(of: $0) == area }
  }

  /// Calls `body` with the level changes of the messages of `area` from number `from` on, which
  /// must be stored; for messages that change no level, with the message. Called between commands.
  public func forEachLevel(
    in area: AreaId, from: UInt64,
    _ body: (LevelMessage, UInt64, Timestamp) -> Void
  ) {
    let index = Int(area.rawValue)
    guard index < channels.count else { return }
    let channel = channels[index]
    var past = levels ?? addedUp()
    for number in stride(from: channel.last, through: from, by: -1) {
      if let change = channel[number].change { past.apply(change.reversed) }
    }
    for number in stride(from: from, through: channel.last, by: 1) {
      let kept = channel[number]
      if let change = kept.change {
        body(.level(past.apply(change), change.instrument), number, kept.time)
      } else {
        body(.other(kept.update), number, kept.time)
      }
    }
  }

  /// A message of a channel, as subscribers by level receive it.
  public enum LevelMessage {
    /// The changed level.
    case level(FeedLevel, InstrumentId)
    /// A message that changes no level.
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

  /// Whether tops are maintained: only while a gateway has subscribers for them.
  public var keepsTops: Bool { tops != nil }

  /// Maintains tops for `gateway`, or stops. The first gateway that asks costs a walk over all orders.
  public mutating func keepTops(_ isWanted: Bool, for gateway: GatewayNumber) {
    if isWanted { topUsers.insert(gateway) } else { topUsers.remove(gateway) }
    guard topUsers.isEmpty == keepsTops else { return }
    if keepsTops { return tops = nil }
    var fresh = MarketTops()
    for number in 0..<entries.count where entries[number].isPublished {
      fresh.change(from: Self.nothing, to: entries[number].published)
    }
    _ = fresh.takeChanged()
    tops = fresh
  }

  /// The tops that changed since the last call, in the order of their first change. For one gateway, the binary
  /// one: others see in the messages of `Gateway.endCommand` which instruments changed.
  public mutating func takeChangedTops() -> [FeedTop] { tops?.takeChanged() ?? [] }

  /// The top of `instrument`; `nil` unless tops are maintained.
  public func top(of instrument: InstrumentId) -> FeedTop {
    tops?.top(of: instrument) ?? FeedTop(instrument: instrument)
  }

  private static let nothing = FeedOrder(
    order: .null, instrument: .null, side: .buy, price: .zero, total: .zero, live: .zero)

  /// Prefetches the entries that an event will change; they are scattered over memory like the
  /// orders.
  @inline(__always) func anticipate(_ event: UnsafePointer<Event>) {
    switch event.kind {
    case .accepted, .replaced, .restated: ask(for: event.payload(OrderState.self).pointee.order)
    case .canceled: ask(for: event.payload(OrderCanceled.self).pointee.state.order)
    case .trade:
      let trade: UnsafePointer<Trade> = event.payload()
      ask(for: trade.pointee.buyer.order)
      ask(for: trade.pointee.seller.order)
    case .balance, .other: break
    }
  }

  @inline(__always) private func ask(for order: OrderId) {
    if let entry = entries.pointer(Int(order.slot)) { prefetch(entry) }
  }

  /// Processes an event of the current command.
  public mutating func note(_ event: borrowing Event) {
    withUnsafePointer(to: event) { note($0) }
  }

  /// Like the other `note`, with an event in place.
  public mutating func note(_ event: UnsafePointer<Event>) {
    switch event.kind {
    case .accepted, .replaced, .restated: update(event.payload(OrderState.self).pointee)
    case .canceled: update(event.payload(OrderCanceled.self).pointee.state)
    case .trade: update(event.payload(Trade.self).pointee)
    case .balance: break
    case .other: noteRare(event.pointee)
    }
  }

  /// Processes the less frequent events, few of which concern market data.
  private mutating func noteRare(_ event: Event) {
    if case .order(.displayed(let seen)) = event { update(seen) }
    if case .reference(let event) = event { note(event) }
  }

  private mutating func note(_ event: ReferenceEvent) {
    switch event {
    case .instrumentCreated(let made): list(made)
    case .instrumentStateChanged(let change): states.append((change.instrument, change.state))
    default: break
    }
  }

  /// Ends the current command, of `time`, and publishes its changes.
  /// - Returns: the messages, valid until the next call.
  @discardableResult
  public mutating func endCommand(at time: Timestamp) -> UnsafeBufferPointer<FeedMessage> {
    self.time = time
    publishedCount = 0
    if !touched.isEmpty || !states.isEmpty {
      if !trades.isEmpty || !states.isEmpty || !displaced.isEmpty { publishRare() }
      for index in touched.indices { publishChange(of: Int(touched[index])) }
      touched.removeAll(keepingCapacity: true)
    }
    return UnsafeBufferPointer(start: published, count: publishedCount)
  }

  /// Publishes what most commands do not cause: trades, states, orders whose slot was reused.
  private mutating func publishRare() {
    for index in trades.indices { publish(.trade(trades[index]), trades[index].instrument) }
    for index in states.indices {
      publish(.state(states[index].0, states[index].1), states[index].0)
    }
    for index in displaced.indices {
      let order = displaced[index]
      tops?.change(from: order, to: Self.nothing)
      publish(.delete(order), order.instrument)
    }
    trades.removeAll(keepingCapacity: true)
    if !states.isEmpty { states.removeAll(keepingCapacity: true) }
    displaced.removeAll(keepingCapacity: true)
  }

  /// Calls `body` with every resting order of `area`. Called between commands.
  public func forEachOrder(in area: AreaId, _ body: (FeedOrder) -> Void) {
    assert(touched.isEmpty)
    for number in 0..<entries.count {
      let order = entries[number].published
      if order.total.wattHours > 0, self.area(of: order.instrument) == area { body(order) }
    }
  }

  @inline(__always) private mutating func update(_ state: OrderState) {
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

  /// The entry of a slot, created if necessary.
  @inline(__always) private mutating func place(of slot: Int) -> UnsafeMutablePointer<Entry> {
    if let known = entries.pointer(slot) { return known }
    entries[slot] = Entry()
    guard let made = entries.pointer(slot) else { preconditionFailure("it was made just now") }
    return made
  }

  @inline(__always) private mutating func update(_ trade: Trade) {
    reduce(trade.buyer)
    reduce(trade.seller)
    trades.append(
      FeedTrade(
        trade: trade.trade,
        resting: trade.aggressor == .buy ? trade.seller.order : trade.buyer.order,
        instrument: trade.instrument, aggressor: trade.aggressor, price: trade.price,
        quantity: trade.quantity))
  }

  /// The displayed quantity of an iceberg replaces the quantity in its reports.
  private mutating func update(_ seen: OrderDisplayed) {
    let slot = Int(seen.order.slot)
    guard let entry = entries.pointer(slot), entry.pointee.order == seen.order else {
      return assertionFailure("seen of an order that was never accepted")
    }
    (entry.pointee.total, entry.pointee.live) = (seen.total, seen.live)
    if seen.isRefilled { entry.pointee.isRefilled = true }
    touch(entry, slot)
  }

  @inline(__always) private mutating func reduce(_ party: TradeParty) {
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

  private mutating func publishChange(of slot: Int) {
    guard let entry = entries.pointer(slot) else { return }
    let (now, published) = (entry.pointee.now, entry.pointee.published)
    let isRefilled = entry.pointee.isRefilled
    (entry.pointee.isTouched, entry.pointee.isRefilled) = (false, false)
    if now.total.wattHours == 0 {
      guard entry.pointee.isPublished else { return }
      entry.pointee.publishedTotal = .zero
      tops?.change(from: published, to: Self.nothing)
      publish(.delete(published), published.instrument)
    } else if !entry.pointee.isPublished {
      entry.pointee.publish()
      tops?.change(from: Self.nothing, to: now)
      publish(.add(now), now.instrument)
    } else if isRefilled || now.price != published.price {
      entry.pointee.publish()
      tops?.change(from: published, to: now)
      publish(.delete(published), published.instrument)
      publish(.add(now), now.instrument)
    } else if !entry.pointee.isPublishedAsItIs {
      entry.pointee.publish()
      tops?.change(from: published, to: now)
      publish(.modify(now), now.instrument, before: (published.total, published.live))
    }
  }

  /// - Parameter before: The published state before a Modify.
  private mutating func publish(
    _ update: FeedUpdate, _ instrument: InstrumentId,
    before: (total: Energy, live: Energy) = (.zero, .zero)
  ) {
    let area = area(of: instrument)
    guard let channel = channels.pointer(Int(area.rawValue)) else {
      return assertionFailure("an instrument's area has a channel")
    }
    let kept = KeptMessage(update: update, time: time, total: before.total, live: before.live)
    channel.pointee.keep(kept)
    let number = channel.pointee.last
    if publishedCount == publishedCapacity { growPublished() }
    let place = published + publishedCount
    place.initialize(
      to: FeedMessage(update: update, area: area, sequence: number, level: nil))
    publishedCount += 1
    if levels != nil, let change = kept.change, let level = levels?.apply(change) {
      place.pointee.level = FeedLevelChange(instrument: instrument, level: level)
    }
  }

  private mutating func growPublished() {
    let larger = UnsafeMutablePointer<FeedMessage>.allocate(capacity: publishedCapacity * 2)
    larger.moveInitialize(from: published, count: publishedCount)
    published.deallocate()
    (published, publishedCapacity) = (larger, publishedCapacity * 2)
  }

  private mutating func list(_ made: CreateInstrument) {
    while areas.count <= Int(made.instrument.rawValue) { areas.append(.null) }
    areas[Int(made.instrument.rawValue)] = made.area
    if channels.count <= Int(made.area.rawValue) {
      channels[Int(made.area.rawValue)] = MarketChannel()
    }
  }
}

// MARK: - State image (DurableView.swift)

extension MarketFeed {
  /// Upper bound of instrument and area numbers, to reject malformed images.
  private static let most = 1 << 26

  /// Adds the row types of its image.
  static func add(to layout: inout StateLayout) {
    layout.add(FeedOrder.self)
    layout.add(AreaId.self)
  }

  /// The last number of each channel.
  private var lastNumbers: [UInt64] { channels.all.map(\.last) }

  /// Resting orders as published, in the order of their slots.
  private var resting: [FeedOrder] {
    entries.all.lazy.map(\.published).filter { $0.total.wattHours > 0 }
  }

  /// Writes the published books and the channels' last numbers. Called between commands.
  func write(to sink: any StateSink) {
    assert(touched.isEmpty && states.isEmpty)
    sink.put(areas)
    sink.put(lastNumbers)
    sink.put(resting)
  }

  /// Reads what `write` wrote. Messages published before are no longer stored.
  mutating func read(from source: any StateSource) {
    areas = source.get(AreaId.self, most: Self.most)
    endChannels()
    channels = DirectTable(
      MarketChannel(),
      source.get(UInt64.self, most: Self.most).map { MarketChannel(last: $0) })
    for order in source.get(FeedOrder.self, most: Self.most) {
      entries[Int(order.order.slot)] = Entry(published: order)
    }
  }

  /// Whether both will publish equal messages from now on.
  func isSame(as other: borrowing MarketFeed) -> Bool {
    areas == other.areas && lastNumbers == other.lastNumbers
      && resting == other.resting
  }
}
