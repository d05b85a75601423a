import JoulebookClient
import MarketModel
import Wire

/// One session of the load: sends messages and evaluates their answers. Owned by the load's thread.
final class LoadSession {
  let client: Client
  /// The session buys for one account and sells for the other, so its own orders never trade with
  /// each other within one account.
  let accounts: (buyer: AccountId, seller: AccountId)
  var unanswered: Unanswered
  var orders = LiveOrders()
  /// Whether the session is in the list of sessions to flush.
  var isDirty = false
  private let outstanding: Int
  private let prices: PriceBand
  private var count: UInt64
  /// The sending time that messages contain.
  private var now = Timestamp(nanoseconds: 0)

  init(
    _ client: Client, accounts: (buyer: AccountId, seller: AccountId), outstanding: Int,
    prices: PriceBand
  ) {
    (self.client, self.accounts, self.outstanding) = (client, accounts, outstanding)
    self.prices = prices
    unanswered = Unanswered(capacity: outstanding, next: client.nextSequence)
    // Client order ids also increase from run to run: the clock advances the count by one per 512
    // ns, which is faster than a session sends. With the slot they stay below 2^62 until 2043.
    count = Client.wallClock().nanoseconds >> 9
  }

  /// Whether another message can be sent now.
  var canSend: Bool {
    unanswered.count < outstanding && unanswered.hasFreeEntry
      && client.freeSendBytes >= NewOrderExtendedEncoder.frameLength
  }

  /// Reads the clock; messages contain this time until the next call.
  func readClock() { now = Client.wallClock() }

  // MARK: Sending

  /// Sends a message of the mix that was due at `due`, in monotonic ns.
  /// - Returns: `false` when neither an order nor a cancel can be sent now.
  func send(
    _ mix: OrderMix, _ random: inout SeededRandom, due: UInt64, at time: Timestamp
  ) throws(ClientError) -> Bool {
    now = time
    var dice = random.below(mix.total)
    if dice < mix.cancel {
      return try sendCancel(&random, due) ? true : sendOrder(&random, due, .resting)
    }
    dice -= mix.cancel
    if dice < mix.replace {
      return try sendReplace(&random, due) ? true : sendOrder(&random, due, .resting)
    }
    dice -= mix.replace
    let kind: OrderKind =
      dice < mix.immediate
      ? .immediate : dice < mix.immediate + mix.iceberg ? .iceberg : .resting
    // When all slots of `orders` are taken, a cancel frees one.
    return try sendOrder(&random, due, kind) ? true : sendCancel(&random, due)
  }

  /// Sends messages of the mix until the window is full.
  /// - Returns: The number of messages sent.
  func fillWindow(
    _ mix: OrderMix, _ random: inout SeededRandom, due: UInt64, at time: Timestamp
  ) throws(ClientError) -> UInt64 {
    var sent: UInt64 = 0
    while canSend, try send(mix, &random, due: due, at: time) { sent += 1 }
    return sent
  }

  /// Kinds of new orders in the mix.
  enum OrderKind {
    case resting
    case immediate
    case iceberg
  }

  /// Displayed quantity of an iceberg order, in Wh. Its quantity is at least four times as much, so
  /// it stays an iceberg after every replace.
  private static let shown: Int64 = 16

  /// Sends a new order.
  /// - Returns: `false` when all slots are taken by open orders.
  func sendOrder(
    _ random: inout SeededRandom, _ due: UInt64, _ kind: OrderKind
  ) throws(ClientError) -> Bool {
    let dice = random.next()
    let sells = dice & 1 == 1
    let isImmediate = kind == .immediate
    guard let slot = orders.take(sells: sells, isImmediate: isImmediate) else { return false }
    let id = nextId(slot)
    let quantity = 1 + Int64(dice >> 57) + (kind == .iceberg ? 4 * Self.shown : 0)
    orders.name(slot, id)
    orders.size(slot, quantity)
    let price =
      isImmediate
      ? prices.through(sells: sells) : prices.near(sells: sells, random.below(prices.depth))
    let account = sells ? accounts.seller : accounts.buyer
    let instrument = prices.instrument(Int(dice >> 8 & 0xFFFF))
    let sequence: UInt64
    if kind == .iceberg {
      sequence = try client.writeFrame(NewOrderExtendedEncoder.frameLength) { frame, sequence in
        NewOrderExtendedEncoder(
          into: frame, seqNo: sequence, sendingTime: now, clientOrderId: ClientOrderId(id),
          price: price, quantity: Energy(wattHours: quantity), account: account,
          instrument: instrument, side: sells ? .sell : .buy, timeInForce: .goodTillCancel,
          selfTradePrevention: .cancelNewer, flags: [], minimumQuantity: .zero, expireTime: .never,
          displayQuantity: Energy(wattHours: Self.shown), onBehalfOf: .exchange)
      }
    } else {
      sequence = try client.writeFrame(NewOrderEncoder.frameLength) { frame, sequence in
        NewOrderEncoder(
          into: frame, seqNo: sequence, sendingTime: now, clientOrderId: ClientOrderId(id),
          price: price, quantity: Energy(wattHours: quantity), account: account,
          instrument: instrument, side: sells ? .sell : .buy,
          timeInForce: isImmediate ? .immediateOrCancel : .goodTillCancel,
          selfTradePrevention: .cancelNewer, flags: [])
      }
    }
    unanswered.add(sequence, .enter, id: id, due: due)
    return true
  }

  /// Cancels a random resting order.
  /// - Returns: `false` when none rests.
  func sendCancel(_ random: inout SeededRandom, _ due: UInt64) throws(ClientError) -> Bool {
    guard let slot = orders.choose(&random) else { return false }
    let order = orders[slot]
    let sequence = try client.writeFrame(CancelEncoder.frameLength) { frame, sequence in
      CancelEncoder(
        into: frame, seqNo: sequence, sendingTime: now, orderId: order.order,
        clientOrderId: ClientOrderId(order.id),
        account: order.sells ? accounts.seller : accounts.buyer)
    }
    unanswered.add(sequence, .cancel, id: order.id, due: due)
    return true
  }

  private func sendReplace(
    _ random: inout SeededRandom, _ due: UInt64
  ) throws(ClientError) -> Bool {
    guard let slot = orders.choose(&random) else { return false }
    let order = orders[slot]
    let id = nextId(slot)
    let price = prices.near(sells: order.sells, random.below(prices.depth))
    // A new total above every earlier one exceeds what has executed, even if a trade is not
    // reported yet.
    let quantity = order.quantity + 1 + Int64(random.below(16))
    orders.size(slot, quantity)
    let sequence = try client.writeFrame(ReplaceEncoder.frameLength) { frame, sequence in
      ReplaceEncoder(
        into: frame, seqNo: sequence, sendingTime: now, orderId: order.order,
        clientOrderId: ClientOrderId(id), price: price, quantity: Energy(wattHours: quantity),
        account: order.sells ? accounts.seller : accounts.buyer)
    }
    unanswered.add(sequence, .replace, id: id, due: due)
    return true
  }

  private func nextId(_ slot: Int) -> UInt64 {
    count += 1
    return count << LiveOrders.slotBits | UInt64(slot)
  }

  // MARK: Answers

  /// Reads the messages that have arrived.
  /// - Returns: The number of messages.
  func receive(_ tally: inout Tally) throws(ClientError) -> Int {
    try client.pollFrames { (frame, template) throws(ClientError) in
      tally.reports += 1
      switch template {
      case .accepted: accepted(frame, &tally)
      case .canceled: canceled(frame, &tally)
      case .replaced: replaced(frame, &tally)
      case .trade: traded(frame, &tally)
      case .rejected: rejected(frame, &tally)
      case .meterReadingAck: metered(frame, &tally)
      default: break
      }
    }
  }

  private func accepted(_ frame: Frame, _ tally: inout Tally) {
    guard let report = AcceptedDecoder(frame) else { return }
    let id = report.clientOrderId.rawValue
    guard let due = unanswered.answer(.enter, id: id) else { return }
    tally.answer(due: due, now: client.lastReceived)
    orders.entered(LiveOrders.slot(of: id), report.orderId)
  }

  private func replaced(_ frame: Frame, _ tally: inout Tally) {
    guard let report = ReplacedDecoder(frame) else { return }
    let id = report.clientOrderId.rawValue
    guard let due = unanswered.answer(.replace, id: id) else { return }
    tally.answer(due: due, now: client.lastReceived)
    orders.name(LiveOrders.slot(of: id), id)
    orders.changed(LiveOrders.slot(of: id))
  }

  private func canceled(_ frame: Frame, _ tally: inout Tally) {
    guard let report = CanceledDecoder(frame) else { return }
    let id = report.clientOrderId.rawValue
    let slot = LiveOrders.slot(of: id)
    if report.reason == .user, let due = unanswered.answer(.cancel, id: id) {
      tally.answer(due: due, now: client.lastReceived)
      orders.release(slot)
    } else if report.leaves == .zero, orders[slot].id == id {
      orders.left(slot)
    }
  }

  private func traded(_ frame: Frame, _ tally: inout Tally) {
    guard let report = TradeDecoder(frame) else { return }
    tally.trades += 1
    tally.volume += report.quantity.wattHours
    let id = report.clientOrderId.rawValue
    let slot = LiveOrders.slot(of: id)
    if report.leaves == .zero, orders[slot].id == id { orders.left(slot) }
  }

  private func metered(_ frame: Frame, _ tally: inout Tally) {
    guard let report = MeterReadingAckDecoder(frame),
      let entry = unanswered.answer(report.refSeqNo)
    else { return }
    tally.answer(due: entry.due, now: client.lastReceived)
  }

  private func rejected(_ frame: Frame, _ tally: inout Tally) {
    guard let report = RejectedDecoder(frame), let entry = unanswered.answer(report.refSeqNo) else {
      return
    }
    tally.answer(due: entry.due, now: client.lastReceived)
    let slot = LiveOrders.slot(of: entry.id)
    switch entry.kind {
    case .enter: orders.release(slot)
    case .cancel, .replace:
      // The order traded before the message arrived, which is no error.
      if report.code == .unknownOrder {
        tally.late += 1
        orders.release(slot)
        return
      }
      orders.changed(slot)
    case .reading: break
    }
    tally.rejected += 1
    tally.lastReject = report.code.rawValue
  }
}

/// Prices and instruments of the mix.
struct PriceBand: Sendable {
  /// Lowest price of the band, in ticks.
  static let lowest: Int64 = 0
  /// Highest price of the band, in ticks.
  static let highest: Int64 = 1_000
  private static let middle: Int64 = 500

  /// Number of price levels on each side at which orders rest.
  let depth = 40
  /// The instrument with the lowest number.
  let first: InstrumentId
  /// Number of instruments.
  let count: Int

  /// A price at which an order rests.
  /// - Parameter distance: Ticks behind the best price, 0 ..< `depth`.
  func near(sells: Bool, _ distance: Int) -> Price {
    Price(ticks: Self.middle + (sells ? 1 + Int64(distance) : -1 - Int64(distance)))
  }

  /// A price that trades with every resting order of the other side.
  func through(sells: Bool) -> Price {
    Price(ticks: Self.middle + (sells ? -1 - Int64(depth) : 1 + Int64(depth)))
  }

  /// An instrument, chosen by a random number below 65,536.
  func instrument(_ dice: Int) -> InstrumentId {
    InstrumentId(first.rawValue + UInt32(dice * count >> 16))
  }
}
