import JoulebookClient
import MarketModel

/// A market maker. It outlives connections: `trade` is called with each new one.
struct Bot {
  /// One side of what it quotes.
  private struct Quote {
    /// What the exchange said of the open order last.
    var order: OrderReport?
    /// Number of the message about it that is not answered yet.
    var pending: UInt64?
  }

  private let plan: MarketBot
  private var quotes: [Side: Quote] = [:]
  private var market: CreateInstrument?
  private var book = LevelBook(area: .null)
  /// Stored energy of the account, Wh.
  private var position: Int64?
  /// Reports that came before one with a lower number: missed ones come again behind newer ones.
  private var early: [UInt64: ClientEvent] = [:]
  private var nextReport: UInt64 = 1
  private var version: UInt64 = 0
  private var lastId: UInt64 = 0
  /// Number of the message that cancels everything at the end, and whether that is done.
  private var ending: UInt64?
  private var isDone = false

  init(plan: MarketBot) { self.plan = plan }

  private var account: AccountId { AccountId(plan.account) }

  /// Quotes until SIGTERM; then cancels its orders. Throws when the connection is lost.
  mutating func trade(_ client: Client) throws(ClientError) {
    try begin(client)
    while !isDone {
      // Quotes change ten times a second at most.
      let next = Client.monotonicNow() + 100_000_000
      while Client.monotonicNow() < next {
        if let message = try client.poll(timeoutMilliseconds: 20) { try take(message, client) }
      }
      // Before it knows everything that it missed it decides nothing.
      guard client.missing.isEmpty else { continue }
      if !MarketBot.isStopping.load(ordering: .relaxed) {
        try quote(client)
      } else if ending == nil {
        ending = try client.massCancel(MassCancel(account: account))
      }
    }
    MarketBot.say("stopped with \(position ?? 0) Wh and no open order")
  }

  /// Goes on with the session after a lost connection, or starts afresh.
  private mutating func begin(_ client: Client) throws(ClientError) {
    ending = nil
    if client.version == version {
      MarketBot.say("back; \(client.missing.count) reports were missed")
      // Messages with a lower number took effect, and their reports come. The others were lost with
      // the server: what is still wanted of them is decided anew. So nothing happens twice.
      for side in Array(quotes.keys) where quotes[side]?.pending ?? 0 >= client.nextSequence {
        quotes[side]?.pending = nil
      }
    } else {
      (version, nextReport, early) = (client.version, client.nextReport, [:])
      quotes = [.buy: Quote(), .sell: Quote()]
      // An earlier run may have left orders.
      try client.massCancel(MassCancel(account: account))
    }
    if let market { try follow(market.area, client) } else { try client.requestReferenceData() }
  }

  private mutating func follow(_ area: AreaId, _ client: Client) throws(ClientError) {
    book = LevelBook(area: area)
    try client.requestBalance(of: account, in: area)
    try client.subscribe(to: area, snapshot: .levels)
  }

  private mutating func take(_ message: ClientMessage, _ client: Client) throws(ClientError) {
    if message.isReport {
      early[message.sequence] = message.event
      while let event = early.removeValue(forKey: nextReport) {
        nextReport += 1
        note(event)
      }
    } else if case .instrument(let definition, _, _) = message.event {
      guard definition.instrument.rawValue == plan.instrument else { return }
      defer { market = definition }  // It comes again when it has changed.
      if market == nil { try follow(definition.area, client) }
    } else if case .gap = book.take(message), let market {
      try follow(market.area, client)
    } else {
      note(message.event)
    }
  }

  private mutating func note(_ event: ClientEvent) {
    switch event {
    case .accepted(let order), .replaced(let order):
      quotes[order.side] = Quote(order: order)
      MarketBot.say("\(order.side)s \(order.leaves.wattHours) Wh at \(order.price.ticks)")
    case .trade(let trade):
      MarketBot.say("TRADE: \(trade.side) \(trade.quantity.wattHours) Wh at \(trade.price.ticks)")
      quotes[trade.side]?.order?.leaves = trade.leaves
      if trade.leaves == .zero { quotes[trade.side]?.order = nil }
    case .canceled(let cancel):
      quotes[cancel.side]?.order?.leaves = cancel.leaves
      if cancel.leaves == .zero { quotes[cancel.side] = Quote() }
    case .rejected(let no):
      MarketBot.say("rejected: code \(no.code.rawValue), limit \(no.limit)")
      for side in Array(quotes.keys) where quotes[side]?.pending == no.reference {
        quotes[side]?.pending = nil
      }
    case .balance(let balance, _) where balance.account == account && balance.area == market?.area:
      position = balance.energy.wattHours
    case .massCanceled(let report): isDone = report.reference == ending
    default: break
    }
  }

  /// Brings both quotes to what is wanted now.
  private mutating func quote(_ client: Client) throws(ClientError) {
    guard let market, let position, book.isComplete else { return }
    let middle = reference(market)
    for (side, price, room) in [
      (Side.buy, middle - plan.spread / 2, plan.most - position),
      (Side.sell, middle + plan.spread / 2, position - plan.least),
    ] where quotes[side]?.pending == nil {
      let (lot, tick) = (market.lot.wattHours, market.tick.ticks)
      let wanted = Energy(wattHours: max(0, min(plan.quantity, room)) / lot * lot)
      let limit = Price(ticks: price / tick * tick)
      let message = try bring(side, to: wanted, at: limit, client)
      quotes[side]?.pending = message
    }
  }

  /// Enters, replaces or cancels the order of a side, if need be.
  /// - Returns: the number of the message.
  private mutating func bring(
    _ side: Side, to wanted: Energy, at price: Price, _ client: Client
  ) throws(ClientError) -> UInt64? {
    // Client order ids rise, also over restarts of the bot.
    lastId = max(lastId + 1, Client.wallClock().nanoseconds)
    guard let order = quotes[side]?.order else {
      if wanted == .zero { return nil }
      return try client.enter(
        NewOrder(
          account: account, instrument: InstrumentId(plan.instrument), side: side, postOnly: true,
          clientOrderId: ClientOrderId(lastId), price: price, quantity: wanted))
    }
    if wanted == .zero {
      return try client.cancel(CancelOrder(account: account, order: order.order))
    }
    if order.price == price, order.leaves == wanted { return nil }
    // The quantity of an order counts what has traded of it.
    let traded = order.quantity.wattHours - order.leaves.wattHours
    return try client.replace(
      ReplaceOrder(
        account: account, order: order.order, clientOrderId: ClientOrderId(lastId), price: price,
        quantity: Energy(wattHours: traded + wanted.wattHours)))
  }

  /// Half way between the best live prices of others; the plan's price where there are none.
  private func reference(_ market: CreateInstrument) -> Int64 {
    let others = book.depth(of: market.instrument).filter { level in
      let own: UInt32 = quotes[level.side]?.order?.price == level.price ? 1 : 0
      return level.live > .zero && level.orders > own
    }
    guard let bid = others.first(where: { $0.side == .buy }),
      let ask = others.first(where: { $0.side == .sell })
    else { return plan.price }
    return (bid.price.ticks + ask.price.ticks) / 2
  }
}
