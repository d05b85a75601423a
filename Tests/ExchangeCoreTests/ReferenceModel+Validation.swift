// Section 11: validation, in order. The first check that fails determines the reject; nothing
// changes.

import ExchangeCore
import MarketModel

extension ReferenceModel {
  /// All commands: the session is registered with a role, and its role permits it.
  func permit(_ command: Command) throws(Refusal) {
    if command.session == .exchange { return }
    let roles = sessions[command.session]?.roles ?? []
    try require(!roles.isEmpty, .unknownSession)
    var needed = CommandKind(command.body).roles
    switch command.body {
    case .cancel, .order(.massCancel): if rules < 5 { needed = .trading }
    default: break
    }
    try require(!needed.isEmpty, .notPermitted)
    // The meter determines the account of a reading.
    if case .meterReading = command.body { return }
    try require(
      !roles.isDisjoint(with: needed), .notPermitted,
      Int64(needed.rawValue) & (rules < 4 ? 0b1111 : 0b1101111))
  }

  func requireAccount(
    _ account: AccountId, as field: RejectField = RejectField.none
  ) throws(Refusal) {
    try require(accounts[account] != nil, .unknownAccount, Int64(capacity.accounts), field)
  }

  /// The account exists and belongs to the session's participant.
  func requireAccount(_ account: AccountId, _ session: SessionId) throws(Refusal) {
    try requireAccount(account)
    try require(
      session == .exchange || accounts[account]?.participant == sessions[session]?.participant,
      .foreignAccount)
  }

  /// The session may cancel orders of the account.
  func requireCancels(_ account: AccountId, _ command: Command) throws(Refusal) {
    try requireAccount(account)
    if rules >= 5, isOperator(command) { return }
    try requireAccount(account, command.session)
  }

  /// The position exists or can be created.
  func requirePosition(_ key: PositionKey) throws(Refusal) {
    guard position(key) == nil, let area = areas[key.area] else { return }
    let limit = Int(capacity.positions)
    try require(positions.count < limit, .capacityExhausted, Int64(limit))
    try requireHolding(CashKey(key.account, area.definition.currency))
  }

  /// The holding of this currency exists or can be created.
  func requireHolding(_ key: CashKey) throws(Refusal) {
    let limit = Int(capacity.positions)
    try require(cash[key] != nil || cash.count < limit, .capacityExhausted, Int64(limit))
  }

  /// A price level can be created.
  func requireLevel() throws(Refusal) {
    let levels = Set(orders.values.map { PriceLevel($0.instrument, $0.side, $0.price) })
    let limit = Int(capacity.priceLevels)
    try require(levels.count < limit, .capacityExhausted, Int64(limit))
  }

  func requireClientOrderId(_ id: ClientOrderId, _ account: AccountId) throws(Refusal) {
    let last = accounts[account]?.lastClientOrderId ?? .engine
    try require(id > last, .duplicateClientOrderId, Int64(bitPattern: last.rawValue))
    if rules >= 4 {
      try require(id.rawValue <= 1 << 62, .clientOrderIdTooHigh, 1 << 62)
    }
  }

  func requireInstrument(_ id: InstrumentId) throws(Refusal) -> ModelInstrument {
    guard let instrument = instruments[id] else {
      throw Refusal(.unknownInstrument, limit: Int64(capacity.instruments))
    }
    return instrument
  }

  func requirePrice(_ price: Price, _ definition: CreateInstrument) throws(Refusal) {
    try require(price.ticks % definition.tick.ticks == 0, .offTick, definition.tick.ticks)
    try require(price >= definition.lowestPrice, .priceOutOfBand, definition.lowestPrice.ticks)
    try require(price <= definition.highestPrice, .priceOutOfBand, definition.highestPrice.ticks)
  }

  func requireQuantity(_ quantity: Int64, _ lot: Int64) throws(Refusal) {
    try require(quantity > 0, .quantityNotPositive)
    try require(quantity % lot == 0, .offLot, lot)
    try require(quantity <= Limit.orderQuantity, .quantityTooLarge, Limit.orderQuantity)
  }

  /// Price x quantity plus the highest fee fits 64 bits.
  func requireFits(_ price: Int64, _ quantity: Int64, _ definition: CreateInstrument)
    throws(Refusal)
  {
    let (notional, overflow) = price.multipliedReportingOverflow(by: quantity)
    try require(!overflow && notional != .min, .notionalOverflow, .max)
    let lot = definition.lot.wattHours
    let rate = Rate(
      partsPerMillion: max(
        definition.makerFee.partsPerMillion, definition.takerFee.partsPerMillion))
    try require(price * lot != .min, .notionalOverflow, .max)
    let (perLot, sumOverflow) = abs(price * lot).addingReportingOverflow(
      roundedUp(rate, of: price * lot))
    try require(!sumOverflow, .notionalOverflow, .max)
    let total = perLot.multipliedReportingOverflow(by: quantity / lot)
    try require(!total.overflow, .notionalOverflow, .max)
  }

  /// Validates a new order, which is not in the book yet.
  func validate(_ request: NewOrder, session: SessionId, byAgent: Bool)
    throws(Refusal) -> ModelOrder
  {
    if !byAgent { try requireClientOrderId(request.clientOrderId, request.account) }
    if request.onBehalfOf != .exchange {
      let other = sessions[request.onBehalfOf]
      try require(
        other?.participant == accounts[request.account]?.participant
          && other?.roles.contains(.trading) == true, .foreignSession)
      try requireUnblocked(request.onBehalfOf, request.account)
    }
    let instrument = try requireInstrument(request.instrument)
    let definition = instrument.definition
    try require(instrument.state != .halted, .instrumentHalted)
    try require(instrument.state != .closed, .instrumentClosed)
    try requireForm(request, definition)
    var order = ModelOrder(
      request, definition, session, sessions[session]?.selfTrade ?? .account,
      arrival: lastArrival + 1)
    try requireFits(order.price, order.quantity, definition)
    let cash = free(request.account, order.position.area)
    var reservation = reservationPerLot(order) * (order.quantity / order.lot)
    try require(order.side == .sell || cash >= 0, .insufficientCash, cash)
    if rules >= 6, order.timeInForce.isImmediate, reservation > max(0, cash) {
      let cost = walkCost(order)
      try require(cost <= Int128(max(0, cash)), .insufficientCash, cash)
      (reservation, order.isWalked) = (Int64(cost), true)
    }
    try require(reservation == 0 || reservation <= cash, .insufficientCash, cash)
    try requireLimits(order, instead: nil, reserve: reservation)
    try require(
      orders.count < Int(capacity.orders), .tooManyOrders, Int64(capacity.orders))
    try requireLevel()
    try requirePosition(order.position)
    try requireOrderShare(order.account)
    if !order.timeInForce.isImmediate { try requireLevelShare(order) }
    try requireSettled(order)
    try requirePassive(order)
    return order
  }

  /// The checks of a new order that need neither balances nor books.
  private func requireForm(_ request: NewOrder, _ definition: CreateInstrument) throws(Refusal) {
    let isImmediate =
      request.timeInForce == .immediateOrCancel || request.timeInForce == .fillOrKill
    let minimum = request.minimumQuantity.wattHours
    let quantity = request.quantity.wattHours
    let lot = definition.lot.wattHours
    try require(request.type == .limit || isImmediate, .marketNotImmediate)
    try require(
      !request.postOnly || (!isImmediate && minimum == 0), .postOnlyImmediate)
    let isTimed = request.timeInForce == .goodTillTime
    try require(
      isTimed
        ? request.expireTime > now && request.expireTime != .never
        : request.expireTime == .never,
      .badExpireTime, Int64(bitPattern: now.nanoseconds))
    try requireQuantity(quantity, lot)
    try require(
      (0...quantity).contains(minimum) && minimum % lot == 0, .minimumQuantityInvalid, quantity)
    try requireDisplay(request, isImmediate: isImmediate, lot)
    if request.type == .limit { try requirePrice(request.price, definition) }
  }

  /// The display quantity is in whole lots, at most the quantity and at least a hundredth of it.
  private func requireDisplay(_ request: NewOrder, isImmediate: Bool, _ lot: Int64) throws(Refusal)
  {
    let (display, quantity) = (request.displayQuantity.wattHours, request.quantity.wattHours)
    if display == 0 { return }
    try require(!isImmediate, .displayQuantityInvalid)
    try require(
      (0...quantity).contains(display) && display % lot == 0, .displayQuantityInvalid, quantity)
    var least = quantity / 100 / lot * lot
    while least * 100 < quantity { least += lot }
    try require(display >= least, .displayQuantityTooSmall, least)
  }

  /// A post-only order must not reach a live order.
  private func requirePassive(_ order: ModelOrder) throws(Refusal) {
    guard order.postOnly, cover(order) > 0, let best = bestLive(against: order) else { return }
    throw Refusal(.postOnlyWouldTrade, limit: best.price)
  }

  /// What an order that never rests would cost at most: a walk over the orders that it would meet,
  /// with fees per lot as in a reservation.
  private func walkCost(_ order: ModelOrder) -> Int128 {
    let rate = max(order.makerFee.partsPerMillion, order.takerFee.partsPerMillion)
    func perLot(_ price: Int64) -> Int128 {
      let payable = Int128(order.side == .buy ? price : -price)
      if order.side == .sell, payable <= 0 { return 0 }
      let fee = Int128(price.magnitude) * Int128(order.lot) * Int128(rate)
      return max(payable, 0) * Int128(order.lot) + (fee + 999_999) / 1_000_000
    }
    var (left, cost) = (cover(order), Int128(0))
    let orders = liveWithin(order)
    for price in Set(orders.map(\.price)).sorted(by: { order.side == .buy ? $0 < $1 : $0 > $1 }) {
      // Of a price first what is displayed, in turn; then what is hidden, other accounts' first.
      var (hidden, ownHidden) = (Int64(0), Int64(0))
      for resting in orders where resting.price == price && left > 0 {
        let shown = min(left, resting.inPlace)
        if !isOwn(resting, of: order) {
          cost += perLot(price) * Int128(shown / order.lot)
          left -= shown
          hidden += resting.covered - resting.inPlace
        } else if order.prevention == .decrementBoth {
          left -= shown
          ownHidden += resting.covered - resting.inPlace
        } else if order.prevention != .cancelOlder {
          return cost
        }
      }
      let taken = min(left, hidden)
      cost += perLot(price) * Int128(taken / order.lot)
      left -= taken
      left -= min(left, ownHidden)
    }
    return cost
  }

  /// Validates a replace; returns the order before and after it.
  func validate(_ request: ReplaceOrder, _ session: SessionId, byAgent: Bool = false)
    throws(Refusal) -> (old: ModelOrder, new: ModelOrder)
  {
    if !byAgent { try requireClientOrderId(request.clientOrderId, request.account) }
    guard let old = orders[request.order], old.account == request.account else {
      throw Refusal(.unknownOrder)
    }
    let instrument = try requireInstrument(old.instrument)
    let quantity = request.quantity.wattHours
    if request.price.ticks != old.price || quantity >= old.quantity {
      try requireUnblocked(session, request.account)
    }
    try require(instrument.state != .halted, .instrumentHalted)
    try require(
      request.price.ticks != old.price || quantity != old.quantity, .nothingToChange)
    try requireQuantity(quantity, old.lot)
    if old.display > 0 {
      try require(quantity <= 100 * old.display, .quantityTooLarge, 100 * old.display)
    }
    try require(quantity > old.executed, .quantityBelowExecuted, old.executed)
    try requirePrice(request.price, instrument.definition)
    try requireFits(request.price.ticks, quantity, instrument.definition)
    var new = old
    new.clientOrderId = request.clientOrderId
    new.price = request.price.ticks
    new.quantity = quantity
    new.leaves = quantity - old.executed
    if !new.keepsPlace(of: old) {
      new.makerFee = instrument.definition.makerFee
      new.takerFee = instrument.definition.takerFee
      let cash = free(old.account, old.position.area)
      let difference =
        reservationPerLot(new) * (new.leaves / new.lot)
        - reservationPerLot(old) * (old.leaves / old.lot)
      try require(old.side == .sell || cash >= 0, .insufficientCash, cash)
      try require(difference <= 0 || difference <= cash, .insufficientCash, cash)
      try requireLimits(new, instead: old, reserve: difference)
      try requireLevel()
      try requireLevelShare(new)
      new.arrival = lastArrival + 1
      try requireSettled(new)
      try requirePassive(new)
    }
    return (old, new)
  }

  private func free(_ account: AccountId, _ area: AreaId) -> Int64 {
    free(PositionKey(account: account, area: area))
  }
}

extension ModelOrder {
  /// The order that a request describes.
  init(
    _ request: NewOrder, _ definition: CreateInstrument, _ session: SessionId,
    _ scope: SelfTradeScope, arrival: Int
  ) {
    let edge = request.side == .buy ? definition.highestPrice : definition.lowestPrice
    self.init(
      id: .null, account: request.account, instrument: request.instrument,
      position: PositionKey(account: request.account, area: definition.area), session: session,
      clientOrderId: request.clientOrderId, side: request.side, type: request.type,
      timeInForce: request.timeInForce, prevention: request.selfTradePrevention,
      scope: scope,
      postOnly: request.postOnly, lot: definition.lot.wattHours,
      price: request.type == .market ? edge.ticks : request.price.ticks,
      quantity: request.quantity.wattHours, leaves: request.quantity.wattHours, covered: 0,
      expireTime: request.expireTime, arrival: arrival, place: 0, isResting: false,
      display: request.displayQuantity.wattHours, request: request,
      makerFee: definition.makerFee, takerFee: definition.takerFee)
  }
}
