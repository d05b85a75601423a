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
    if (agent.sells && agent.sellAbove < .zero) || (agent.buys && agent.buyBelow < .zero) {
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
    let account = AccountId(balances.positions[position].account)
    guard products.instruments[agent.instrument].state == .open,
      validateUnblocked(SessionId(agent.session), account) == nil,
      !hasOrder(position, agent.instrument),
      let (side, quantity) = desiredOrder(position)
    else { return }
    let order = NewOrder(
      account: account, instrument: InstrumentId(agent.instrument), side: side,
      clientOrderId: .engine,
      price: Price(ticks: side == .sell ? agent.sellPrice : agent.buyPrice),
      quantity: Energy(wattHours: quantity))
    invariant(
      products.instruments[agent.instrument].area == balances.positions[position].area,
      "an instruction trades in its position's area")
    let session = SessionId(agent.session)
    invariant(
      session == .exchange || validateSession(session) == nil,
      "an instruction belongs to a registered session")
    var entry = Entry(instrument: products.instruments.row(agent.instrument))
    entry.selfTrade = selfTrade(of: session)
    let refusal = withUnsafePointer(to: order) { order in
      let order = NewOrderRow(order)
      let isRestricted = accounts[account.rawValue].isRestricted
      let refusal = validate(order, &entry, isRestricted: isRestricted)
      if refusal == nil {
        if isRestricted { noteEntered(exposure(order, entry)) }
        touch(position)
        admit(order, entry, session: session)
      }
      return refusal
    }
    if let refusal {
      let request = Request(session: session, clientSequence: 0)
      return reject(refusal, request, account: order.account)
    }
    // Queued positions trade before this one is processed again. Orders that lost their cover to
    // the new order must have left the live book by then.
    recalculateCover(position, .sell)
    recalculateCover(position, .buy)
  }

  /// The side and the quantity (Wh, whole lots) that the instruction asks for; `nil`: none.
  private func desiredOrder(_ position: UInt32) -> (Side, Int64)? {
    let agent = balances.agents[position]
    let energy = balances.positions[position].level
    let target = agent.target < 0 ? balances.positions[position].ceiling / 2 : agent.target
    let side: Side
    if agent.sells, energy >= agent.sellAbove, energy > target {
      side = .sell
    } else if agent.buys, energy <= agent.buyBelow, energy < target {
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

  private func hasOrder(_ position: UInt32, _ instrument: UInt32) -> Bool {
    for side in [Side.sell, .buy] {
      var slot = owned(position, side).head
      while slot != 0 {
        invariant(orders[slot].position == position, "an owner's list holds its own orders")
        if orders[slot].instrument == instrument { return true }
        slot = orders.links[slot].ownerNext
      }
    }
    return false
  }
}
