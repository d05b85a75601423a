import MarketModel

/// The way in which a customer takes part in the market.
public enum Behaviour: String, Sendable, CaseIterable {
  /// Has a standing instruction in the engine (market rules 8).
  case standing
  /// Is traded by a zero-intelligence bot.
  case zeroIntelligence
  /// Is a member of the cooperative, which trades a day ahead.
  case planned
  /// Is a customer of the patient broker.
  case patientBroker
  /// Is a customer of the eager broker.
  case eagerBroker
  /// Is the charging station.
  case station
}

/// The assignment of customers to traders. Model and seed determine it.
public struct Population: Sendable {
  /// Behaviour of each customer.
  public let behaviours: [Behaviour]
  /// Private value of a kWh for each customer, between feed-in and retail price.
  public let values: [Price]
  /// The standing instructions.
  public let instructions: [SetAgent]
  /// The traders; each has a connection.
  public let traders: [any Trader]

  /// The only instrument of the demonstration.
  public static let instrument = InstrumentId(1)
  /// The account of customer `index`.
  public static func account(_ index: Int) -> AccountId { AccountId(UInt32(index) + 1) }

  /// Assigns the customers of `model`.
  public init(of model: CommunityModel, seed: UInt64) {
    var random = SeededRandom(seed: seed, stream: 1)
    behaviours = Self.assign(model, &random)
    values = model.customers.map { Self.value($0, model.terms, &random) }
    let parts = Parts(model: model, behaviours: behaviours, values: values)
    instructions = parts.instructions()
    traders = parts.traders(seed: seed)
  }

  /// Assigns behaviours. Customers with and without a roof are shuffled separately, so that every
  /// group gets some of both.
  private static func assign(
    _ model: CommunityModel, _ random: inout SeededRandom
  ) -> [Behaviour] {
    var behaviours = Array(repeating: Behaviour.standing, count: model.customers.count)
    let indices = model.customers.indices.filter { model.customers[$0].kind != .chargingStation }
    var roofs = indices.filter { model.customers[$0].hasRoof }
    var others = indices.filter { !model.customers[$0].hasRoof }
    roofs.shuffle(using: &random)
    others.shuffle(using: &random)
    // Businesses come last in the list, so that `take` assigns them to the cooperative first.
    others.sort { model.customers[$0].kind != .business && model.customers[$1].kind == .business }
    let count = indices.count
    func take(_ number: Int, from pool: inout [Int], as behaviour: Behaviour) {
      for index in pool.suffix(number) { behaviours[index] = behaviour }
      pool.removeLast(min(number, pool.count))
    }
    take(max(2, roofs.count * 4 / 10), from: &roofs, as: .planned)
    take(min(15, others.count / 6), from: &others, as: .planned)
    let bots = max(10, count / 10)
    let sellers = others.isEmpty ? bots : max(bots - others.count, roofs.count / 6)
    take(sellers, from: &roofs, as: .zeroIntelligence)
    take(bots - sellers, from: &others, as: .zeroIntelligence)
    for broker in [Behaviour.patientBroker, .eagerBroker] {
      take(max(1, count / 60), from: &roofs, as: broker)
      take(count / 30, from: &others, as: broker)
    }
    for index in model.customers.indices where model.customers[index].kind == .chargingStation {
      behaviours[index] = .station
    }
    return behaviours
  }

  /// A random private value: nearer to the feed-in price with a roof, nearer to the retail price
  /// without.
  private static func value(
    _ customer: Customer, _ terms: MarketTerms, _ random: inout SeededRandom
  ) -> Price {
    let (feedIn, retail) = (terms.feedIn.ticks, terms.retail.ticks)
    let range = retail - feedIn
    let within =
      customer.hasRoof
      ? (feedIn + range / 20)...(feedIn + range / 2)
      : (feedIn + range / 4)...(retail - range / 20)
    return Price(ticks: random.price(in: within, tick: terms.tick.ticks))
  }
}

/// Builds standing instructions and traders from the assignment.
private struct Parts {
  let model: CommunityModel
  let behaviours: [Behaviour]
  let values: [Price]

  func members(_ behaviour: Behaviour) -> [Int] {
    behaviours.indices.filter { behaviours[$0] == behaviour }
  }

  func orders(_ index: Int) -> AccountOrders {
    AccountOrders(
      account: Population.account(index), instrument: Population.instrument,
      cap: model.cap(of: index), terms: model.terms)
  }

  /// Instructions: a customer with a roof sells above 60 % of its cap, down to 50 %; the others buy
  /// below 90 %, up to the cap.
  func instructions() -> [SetAgent] {
    members(.standing).map { index in
      let cap = model.cap(of: index).wattHours
      let account = Population.account(index)
      let roof = model.customers[index].hasRoof
      return SetAgent(
        account: account, instrument: Population.instrument, sells: roof, buys: !roof,
        sellPrice: values[index], sellAbove: Energy(wattHours: cap * 6 / 10),
        buyPrice: values[index], buyBelow: Energy(wattHours: cap * 9 / 10),
        target: Energy(wattHours: roof ? cap / 2 : cap))
    }
  }

  func traders(seed: UInt64) -> [any Trader] {
    var traders: [any Trader] = []
    for (number, index) in members(.zeroIntelligence).enumerated() {
      traders.append(
        ZeroIntelligenceTrader(
          name: "zi-\(number + 1)", orders: orders(index), customer: model.customers[index],
          value: values[index], random: SeededRandom(seed: seed, stream: UInt64(index) + 100)))
    }
    for index in members(.station) {
      traders.append(ChargingStation(orders: orders(index), customer: model.customers[index]))
    }
    let planned = members(.planned).map {
      DayPlanner.Member(orders: orders($0), customer: model.customers[$0], value: values[$0])
    }
    if !planned.isEmpty { traders.append(DayPlanner(members: planned)) }
    let (patient, eager) = (members(.patientBroker), members(.eagerBroker))
    if !patient.isEmpty { traders.append(PatientBroker(customers: patient.map { orders($0) })) }
    if !eager.isEmpty { traders.append(AggressiveBroker(customers: eager.map { orders($0) })) }
    return traders
  }
}
