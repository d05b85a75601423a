import MarketModel

/// Generates the requests of the clients from the run's random numbers.
struct Behaviour {
  private var nextClientId: [UInt64] = [0, 0, 0]
  private var nextReference: [UInt64] = [0, 1, 1]
  /// Messages that each meter has not sent yet; meter 0 does not exist.
  private var unsent: [[MeterReading]] = [[]] + Village.messages.map(\.readings)
  /// The number of readings among which any may come first.
  private static let disorder = 4
  /// Numbers that the operator may decide about: readings in quarantine are counted from 1.
  private static let highestQuarantined: Int64 = 3

  /// The next request of trader 1 or 2; `nil` when the drawn kind is impossible now.
  /// - Parameter readable: Acknowledged commands, whose readings may be replayed.
  mutating func nextRequest(
    of trader: Int, _ client: SimulatedClient, readable: Set<Claim>, now: Timestamp,
    _ random: inout SeededRandom
  ) -> Request? {
    let account = AccountId(UInt32(trader))
    switch random.pick(0..<100) {
    case ..<45: return Request(.enter(order(account, now, &random)))
    case ..<57:
      guard let order = client.orders.randomElement(using: &random) else { return nil }
      return Request(.cancel(CancelOrder(account: account, order: order)))
    case ..<65:
      guard let order = client.orders.randomElement(using: &random) else { return nil }
      return Request(
        .replace(
          ReplaceOrder(
            account: account, order: order, clientOrderId: clientId(account),
            price: price(&random), quantity: quantity(&random))))
    case ..<67: return Request(.order(.massCancel(MassCancel(account: account))))
    case ..<72: return Request(.cash(.transfer(transfer(account, &random))))
    case ..<75: return Request(.order(.setAgent(agent(account, &random))))
    case ..<96: return reading(Int(trader), &random)
    default: return replay(readable, &random)
    }
  }

  /// The next request of the operator.
  mutating func nextRequest(ofOperator random: inout SeededRandom) -> Request {
    let account = Int(random.pick(1..<3))
    let id = AccountId(UInt32(account))
    switch random.pick(0..<14) {
    case ..<4: return Request(.cash(.deposit(movement(account, &random))))
    case ..<6: return Request(.cash(.withdraw(movement(account, &random))))
    case 6:
      return Request(
        .reference(
          .setCap(
            SetCap(account: id, area: Village.area, cap: Energy(wattHours: random.pick(0...40_000)))
          )))
    case 7:
      return Request(
        .reference(
          .setTariff(
            SetTariff(
              area: Village.area, feedInPrice: Price(ticks: random.pick(0...9_000)),
              retailPrice: Price(ticks: random.pick(20_000...40_000))))))
    case 8...11: return decision(&random)
    default:
      return Request(
        .reference(
          .setInstrumentState(
            SetInstrumentState(
              instrument: Village.instrument, state: random.happens(3_000) ? .halted : .open))))
    }
  }

  private mutating func clientId(_ account: AccountId) -> ClientOrderId {
    nextClientId[Int(account.rawValue)] += 1
    return ClientOrderId(nextClientId[Int(account.rawValue)])
  }

  private func price(_ random: inout SeededRandom) -> Price {
    Price(ticks: 20_000 + 100 * random.pick(-6...6))
  }

  private func quantity(_ random: inout SeededRandom) -> Energy {
    Energy(wattHours: 100 * random.pick(1...40))
  }

  private mutating func order(
    _ account: AccountId, _ now: Timestamp, _ random: inout SeededRandom
  ) -> NewOrder {
    var order = NewOrder(
      account: account, instrument: Village.instrument,
      side: random.happens(5_000) ? .buy : .sell, clientOrderId: clientId(account),
      price: price(&random), quantity: quantity(&random))
    order.selfTradePrevention =
      SelfTradePrevention.allCases.randomElement(using: &random) ?? .cancelNewer
    switch random.pick(0..<12) {
    case 0: order.timeInForce = .immediateOrCancel
    case 1: order.timeInForce = .fillOrKill
    case 2:
      order.timeInForce = .goodTillTime
      order.expireTime = Timestamp(
        nanoseconds: now.nanoseconds + UInt64(random.pick(1...20)) * 1_000_000_000)
    case 3: order.postOnly = true
    case 4:
      order.type = .market
      order.timeInForce = .immediateOrCancel
    case 5: order.minimumQuantity = Energy(wattHours: 100)
    case 6:
      order.displayQuantity = Energy(
        wattHours: min(100 * random.pick(1...3), order.quantity.wattHours))
    default: break
    }
    return order
  }

  private mutating func transfer(_ account: AccountId, _ random: inout SeededRandom) -> Transfer {
    let other = AccountId(3 - account.rawValue)
    if random.happens(5_000) {
      return Transfer(
        from: account, to: other, asset: .cash, currency: .eur,
        amount: random.pick(1...900_000_000), clientOrderId: clientId(account))
    }
    return Transfer(
      from: account, to: other, asset: .energy, area: Village.area,
      amount: random.pick(1...3_000), clientOrderId: clientId(account))
  }

  private func agent(_ account: AccountId, _ random: inout SeededRandom) -> SetAgent {
    SetAgent(
      account: account, instrument: Village.instrument, sells: random.happens(6_000),
      buys: random.happens(6_000), sellPrice: Price(ticks: 20_300),
      sellAbove: Energy(wattHours: 4_000), buyPrice: Price(ticks: 19_700),
      buyBelow: Energy(wattHours: 1_500), target: Energy(wattHours: 2_500))
  }

  /// A reading of the trader's meter: late, early, a lie or a version of one before.
  private mutating func reading(_ trader: Int, _ random: inout SeededRandom) -> Request? {
    let choices = min(Self.disorder, unsent[trader].count)
    guard choices > 0 else { return nil }
    let reading = unsent[trader].remove(at: random.pick(0..<choices))
    var request = request(trader, reading.registerSequence)
    request.mayBeContradicted = Village.messages[trader - 1].contradicting.contains(
      reading.registerSequence)
    return request
  }

  /// The operator decides about a reading in quarantine, or about one that is not there.
  private func decision(_ random: inout SeededRandom) -> Request {
    var request = Request(
      .metering(
        .decideReading(
          DecideReading(
            number: UInt64(random.pick(1...Self.highestQuarantined)),
            releases: random.happens(7_000)))))
    request.mayBeContradicted = true
    return request
  }

  /// A replay of an acknowledged reading of any meter; the exchange must reject it.
  private func replay(_ claims: Set<Claim>, _ random: inout SeededRandom) -> Request? {
    let readings = claims.filter { if case .reading = $0 { true } else { false } }.sorted()
    guard case .reading(let meter, let sequence)? = readings.randomElement(using: &random) else {
      return nil
    }
    var again = request(Int(meter.rawValue), sequence)
    again.isReplay = true
    return again
  }

  private func request(_ meter: Int, _ sequence: UInt64) -> Request {
    // `Run` replaces the reading by the signed one of the village.
    Request(
      .meterReading(
        MeterReading(
          meter: MeterId(UInt32(meter)), registerSequence: sequence,
          intervalStart: Timestamp(nanoseconds: 0), intervalEnd: Timestamp(nanoseconds: 0),
          produced: .zero, consumed: .zero)))
  }

  private mutating func movement(_ account: Int, _ random: inout SeededRandom) -> CashMovement {
    nextReference[account] += 1
    return CashMovement(
      account: AccountId(UInt32(account)), currency: .eur,
      amount: Money(units: random.pick(1...2_000_000_000)), reference: nextReference[account])
  }
}
