// Standing instructions (section 8): the engine enters an order for an account whose balance
// changed.

import MarketModel

extension Exchange {
  mutating func setAgent(_ agent: SetAgent, _ request: Request) {
    if let refusal = validate(agent, request) {
      return reject(refusal, request, account: agent.account)
    }
    let asset = Asset(number: products.instruments[agent.instrument.rawValue].asset)
    let position = findOrMake(agent.account, asset)
    let isSet = agent.sells || agent.buys
    invariant(
      balances.positions[position].asset == asset.number,
      "an instruction trades the asset of its position")
    balances.positions[position].hasAgent = isSet
    balances.agents[position] = Agent(
      instrument: isSet ? agent.instrument.rawValue : 0, session: request.session.rawValue,
      sells: agent.sells, buys: agent.buys, sellPrice: agent.sellPrice.ticks,
      sellAbove: agent.sellAbove.wattHours, buyPrice: agent.buyPrice.ticks,
      buyBelow: agent.buyBelow.wattHours, target: agent.target.wattHours)
    invariant(
      balances.positions[position].account == agent.account.rawValue,
      "an instruction belongs to the account of its position")
    emit(
      .order(
        .agentSet(
          SetAgentDone(
            agent: agent, session: request.session, clientSequence: request.clientSequence))))
  }

  private func validate(_ agent: SetAgent, _ request: Request) -> Refusal? {
    if let refusal = permission(request, tradeFor: agent.account) { return refusal }
    if agent.sells || agent.buys,
      let refusal = validateUnblocked(request.session, agent.account)
    {
      return refusal
    }
    guard exists(agent.instrument) else {
      return Refusal(.unknownInstrument, capacity.instruments)
    }
    let instrument = agent.instrument.rawValue
    let row = products.instruments.row(instrument)
    if row.isClosed { return Refusal(.instrumentClosed) }
    if agent.sells, let refusal = validatePrice(agent.sellPrice.ticks, row) {
      return refusal
    }
    if agent.buys, let refusal = validatePrice(agent.buyPrice.ticks, row) { return refusal }
    // Since version 6 -1 is the default.
    let least: Int64 = rules >= 6 ? -1 : 0
    if (agent.sells && agent.sellAbove.wattHours < least)
      || (agent.buys && agent.buyBelow.wattHours < least)
    {
      return Refusal(.badAmount, Limit.total)
    }
    let asset = Asset(number: products.instruments[instrument].asset)
    return find(agent.account, asset) == 0 ? validatePositionCapacity() : nil
  }

  /// Enters the order that a position's instruction asks for at its present level, if there is one.
  mutating func runAgent(_ position: UInt32) {
    let agent = balances.agents[position]
    invariant(
      balances.positions[position].hasAgent && agent.instrument != 0,
      "the position has an instruction")
    invariant(
      products.instruments[agent.instrument].area == balances.positions[position].area,
      "an instruction trades in its position's area")
    let account = AccountId(balances.positions[position].account)
    guard products.instruments[agent.instrument].state == .open,
      validateUnblocked(SessionId(agent.session), account) == nil,
      let (side, quantity) = desiredOrder(position),
      let own = ownOrders(position, agent.instrument, side), own.leaves < quantity
    else { return }
    let session = SessionId(agent.session)
    invariant(
      session == .exchange || validateSession(session) == nil,
      "an instruction belongs to a registered session")
    let price = Price(ticks: side == .sell ? agent.sellPrice : agent.buyPrice)
    let missing = Energy(wattHours: quantity - own.leaves)
    let refusal =
      own.count < Exchange.mostOwnOrders
      ? enterOwn(
        NewOrder(
          account: account, instrument: InstrumentId(agent.instrument), side: side,
          clientOrderId: .engine, price: price, quantity: missing), position, session)
      : raiseOwn(own.newest, by: missing, price)
    if let refusal {
      return reject(refusal, Request(session: session, clientSequence: 0), account: account)
    }
    // Queued positions trade before this one is processed again. Orders that lost their cover to
    // the new order must have left the live book by then.
    recalculateCover(position, .sell)
    recalculateCover(position, .buy)
  }

  /// Enters an order of an instruction.
  private mutating func enterOwn(
    _ order: NewOrder, _ position: UInt32, _ session: SessionId
  ) -> Refusal? {
    var entry = Entry(instrument: products.instruments.row(order.instrument.rawValue))
    entry.selfTrade = selfTrade(of: session)
    return withUnsafePointer(to: order) { order in
      let order = NewOrderRow(order)
      let isRestricted = accounts[order.account.rawValue].isRestricted
      let refusal = validate(order, &entry, isRestricted: isRestricted)
      if refusal == nil {
        if isRestricted { noteEntered(exposure(order, entry)) }
        touch(position)
        admit(order, entry, session: session)
      }
      return refusal
    }
  }

  /// Replaces the newest order of an instruction by one for `missing` Wh more.
  private mutating func raiseOwn(_ slot: UInt32, by missing: Energy, _ price: Price) -> Refusal? {
    let order = open(slot)
    let change = ReplaceOrder(
      account: AccountId(order.account), order: order.id, clientOrderId: .engine, price: price,
      quantity: Energy(wattHours: order.quantity + missing.wattHours))
    return withUnsafePointer(to: change) { raise(order, ReplaceOrderRow($0)) }
  }

  /// How many orders an instruction has in its instrument at most.
  private static var mostOwnOrders: UInt32 { 4 }

  /// The instruction's own orders in an instrument.
  private struct OwnOrders {
    var count: UInt32 = 0
    var leaves: Int64 = 0
    /// The one that came last; 0: there is none.
    var newest: UInt32 = 0
    var arrival: UInt64 = 0
  }

  /// The orders of a position's instruction on `side` of an instrument; `nil` when the account has any
  /// other there, or, before version 6 of the rules, any order. Linear in the position's orders.
  private func ownOrders(_ position: UInt32, _ instrument: UInt32, _ side: Side) -> OwnOrders? {
    var own = OwnOrders()
    for other in [Side.sell, .buy] {
      var slot = owned(position, other).head
      while slot != 0 {
        invariant(orders[slot].position == position, "an owner's list holds its own orders")
        if orders[slot].instrument == instrument {
          if rules < 6 || other != side
            || orders[slot].clientOrderId != ClientOrderId.engine.rawValue
          {
            return nil
          }
          own.count += 1
          own.leaves += orders[slot].leaves
          if orders.links[slot].arrival > own.arrival {
            (own.newest, own.arrival) = (slot, orders.links[slot].arrival)
          }
        }
        slot = orders.links[slot].ownerNext
      }
    }
    return own
  }

  /// The side and the quantity (Wh, whole lots) that the instruction asks for; `nil`: none.
  private func desiredOrder(_ position: UInt32) -> (Side, Int64)? {
    let agent = balances.agents[position]
    let energy = balances.positions[position].level
    let ceiling = balances.positions[position].ceiling
    let target = agent.target < 0 ? ceiling / 2 : agent.target
    let sellAbove = agent.sellAbove < 0 ? 3 * ceiling / 4 : agent.sellAbove
    let buyBelow = agent.buyBelow < 0 ? ceiling / 4 : agent.buyBelow
    let side: Side
    if agent.sells, energy >= sellAbove, energy > target {
      side = .sell
    } else if agent.buys, energy <= buyBelow, energy < target {
      side = .buy
    } else {
      return nil
    }
    let lot = products.instruments[agent.instrument].lot
    let wanted = min(abs(energy - target), Limit.orderQuantity)
    invariant(lot > 0 && wanted > 0, "the desired quantity is positive")
    invariant(energy >= 0 && target >= 0, "energy and target are at least 0")
    invariant(side == .sell ? agent.sells : agent.buys, "the instruction allows the side")
    return wanted < lot ? nil : (side, wanted - wanted % lot)
  }
}
