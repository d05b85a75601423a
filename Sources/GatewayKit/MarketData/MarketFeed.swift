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
  var entries: DirectTable<Entry>
  /// Slots changed by the current command, each once, in order.
  private var touched: [UInt32] = []
  private var trades: [FeedTrade] = []
  private var states: [(InstrumentId, InstrumentState)] = []
  /// Published orders whose slot was reused within the current command.
  private var displaced: [FeedOrder] = []
  /// The area of each instrument.
  var areas: [AreaId] = []
  /// The instruments of each area, by number.
  private var instruments: [AreaId: [InstrumentId]] = [:]
  var channels = DirectTable(MarketChannel())
  /// The levels that gateways want, or wanted lately.
  var depths: [AreaId: AreaDepth] = [:]
  /// Whether there are any.
  var keepsLevels = false
  /// Areas whose levels are being built.
  var unfinished: [AreaId] = []
  /// The next order slot from which they are built.
  var cursor = 0
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

  func endChannels() {
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

  /// The stored message of `area` with a number from `firstKept` to `lastSequence`.
  public func message(
    _ number: UInt64, of area: AreaId
  ) -> (update: FeedUpdate, time: Timestamp) {
    let kept = kept(number, of: area)
    return (kept.update, kept.time)
  }

  func kept(_ number: UInt64, of area: AreaId) -> KeptMessage {
    channels[Int(area.rawValue)][number]
  }

  /// Number of published resting orders of `area`.
  public func orderCount(of area: AreaId) -> Int {
    let index = Int(area.rawValue)
    return index < channels.count ? channels[index].orders : 0
  }

  /// The instrument of `area` with the lowest number above `instrument`; `nil` if there is none.
  /// Logarithmic in the number of instruments of the area.
  public func nextInstrument(of area: AreaId, after instrument: InstrumentId) -> InstrumentId? {
    guard let listed = instruments[area] else { return nil }
    let place = Self.place(behind: instrument, in: listed)
    return place < listed.count ? listed[place] : nil
  }

  /// The index of the first instrument with a higher number.
  private static func place(behind instrument: InstrumentId, in listed: [InstrumentId]) -> Int {
    var (low, high) = (0, listed.count)
    while low < high {
      let middle = (low + high) / 2
      if listed[middle].rawValue <= instrument.rawValue { low = middle + 1 } else { high = middle }
    }
    return low
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
    if publishedCapacity > MarketFeed.keptMessages { shrinkPublished() }
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
      publish(.delete(order), order.instrument)
    }
    trades.removeAll(keepingCapacity: true)
    if !states.isEmpty { states.removeAll(keepingCapacity: true) }
    displaced.removeAll(keepingCapacity: true)
  }

  /// Whether every event was published. Only then the resting orders may be read: a command's events
  /// may come in several turns.
  public var isBetweenCommands: Bool { touched.isEmpty && states.isEmpty }

  /// Number of order slots; an order's slot is lower.
  public var slotCount: Int { entries.count }

  /// The first resting order of `area` from a slot on. Called when `isBetweenCommands`.
  /// - Parameters:
  ///   - slot: The slot to begin with; afterwards the one to continue with.
  ///   - steps: Maximum number of slots to visit; afterwards what is left of it.
  /// - Returns: `nil` if the steps are used up or there is no further order.
  public func nextOrder(in area: AreaId, from slot: inout Int, steps: inout Int) -> FeedOrder? {
    while steps > 0, slot < entries.count {
      let order = entries[slot].published
      slot += 1
      steps -= 1
      if order.total.wattHours > 0, self.area(of: order.instrument) == area { return order }
    }
    return nil
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
    // The account of a reading has no order.
    if trade.buyer.order != .null { reduce(trade.buyer) }
    if trade.seller.order != .null { reduce(trade.seller) }
    trades.append(
      FeedTrade(
        trade: trade.trade,
        resting: trade.aggressor == .buy ? trade.seller.order : trade.buyer.order,
        instrument: trade.instrument, aggressor: trade.aggressor, price: trade.price,
        quantity: trade.quantity, isLocal: trade.isLocal))
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
      publish(.delete(published), published.instrument)
    } else if !entry.pointee.isPublished {
      entry.pointee.publish()
      publish(.add(now), now.instrument)
    } else if isRefilled || now.price != published.price {
      entry.pointee.publish()
      publish(.delete(published), published.instrument)
      publish(.add(now), now.instrument)
    } else if !entry.pointee.isPublishedAsItIs {
      entry.pointee.publish()
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
    if keepsLevels, let slot = update.slot, let change = kept.change,
      let level = keepLevel(change, of: area, slot: slot)
    {
      place.pointee.level = FeedLevelChange(instrument: instrument, level: level)
    }
  }

  /// The most messages whose memory is kept; what a very large command needs beyond is given back.
  private static let keptMessages = 1 << 15

  @inline(never) private mutating func shrinkPublished() {
    published.deallocate()
    publishedCapacity = MarketFeed.keptMessages
    published = .allocate(capacity: publishedCapacity)
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
    enlist(made.instrument, in: made.area)
    if channels.count <= Int(made.area.rawValue) {
      channels[Int(made.area.rawValue)] = MarketChannel()
    }
  }

  /// Adds an instrument to those of its area.
  mutating func enlist(_ instrument: InstrumentId, in area: AreaId) {
    let place = Self.place(behind: instrument, in: instruments[area] ?? [])
    instruments[area, default: []].insert(instrument, at: place)
  }
}
