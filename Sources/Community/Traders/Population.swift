import MarketModel

/// The way in which a customer takes part in the market.
public enum Behaviour: String, Sendable, CaseIterable {
  /// Has a standing instruction in the engine (market rules 8), which a program renews.
  case standing
  /// Is traded by a zero-intelligence bot.
  case zeroIntelligence
  /// Is a member of the cooperative.
  case planned
  /// Is a customer of the patient broker.
  case patientBroker
  /// Is a customer of the eager broker.
  case eagerBroker
  /// Enters no orders, and leaves its storage to the battery's operator. What it lacks is bought from
  /// its neighbours before it is imported (market rules 7).
  case lender
  /// Is the charging station; does as a lender does.
  case station

  /// Whether the customer's storage is a part of the battery.
  public var lends: Bool { self == .lender || self == .station }
}

/// The assignment of customers to traders. Model and seed determine it.
public struct Population: Sendable {
  /// Behaviour of each customer.
  public let behaviours: [Behaviour]
  /// Private value of a kWh for each customer, between feed-in and retail price.
  public let values: [Price]
  /// Storage cap of each customer in the market; zero where it is a part of the battery.
  public let caps: [Energy]
  /// Capacity of the battery: the storage of the customers that lend it.
  public let battery: Energy
  /// The traders; each has a connection.
  public let traders: [any Trader]

  /// The only instrument of the demonstration.
  public static let instrument = InstrumentId(1)
  /// The account of customer `index`. The battery's is that of the index after the last customer.
  public static func account(_ index: Int) -> AccountId { AccountId(UInt32(index) + 1) }

  /// Assigns the customers of `model`.
  public init(of model: CommunityModel, seed: UInt64) {
    var random = SeededRandom(seed: seed, stream: 1)
    let behaviours = Self.assign(model, &random)
    self.behaviours = behaviours
    values = model.customers.map { Self.value($0, model.terms, &random) }
    caps = model.customers.indices.map { behaviours[$0].lends ? .zero : model.cap(of: $0) }
    battery = Energy(
      wattHours: model.customers.indices.reduce(0) {
        $0 + (behaviours[$1].lends ? model.cap(of: $1).wattHours : 0)
      })
    traders = Parts(
      model: model, behaviours: behaviours, values: values, caps: caps, battery: battery
    ).traders(seed: seed)
  }

  /// Assigns behaviours. Customers with and without a roof are shuffled separately, so that every
  /// group gets the same part of both for each seed. Without a roof, businesses, homes with a battery
  /// and most others lend their storage, for which they have no use alone.
  private static func assign(
    _ model: CommunityModel, _ random: inout SeededRandom
  ) -> [Behaviour] {
    var behaviours = model.customers.map { customer in
      customer.kind == .chargingStation
        ? Behaviour.station : customer.hasRoof ? .planned : .lender
    }
    var roofs = model.customers.indices.filter { behaviours[$0] == .planned }
    var others = model.customers.indices.filter {
      let customer = model.customers[$0]
      return behaviours[$0] == .lender && customer.kind == .household
        && customer.ownStorage == .zero
    }
    roofs.shuffle(using: &random)
    others.shuffle(using: &random)
    func take(_ number: Int, from pool: inout [Int], as behaviour: Behaviour) {
      for index in pool.suffix(number) { behaviours[index] = behaviour }
      pool.removeLast(min(number, pool.count))
    }
    take(roofs.count / 5, from: &roofs, as: .standing)
    take(roofs.count / 6, from: &roofs, as: .zeroIntelligence)
    take(min(10, others.count / 8), from: &others, as: .zeroIntelligence)
    take(others.count / 30, from: &others, as: .patientBroker)
    take(others.count / 30, from: &others, as: .eagerBroker)
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

/// Builds the traders from the assignment.
private struct Parts {
  let model: CommunityModel
  let behaviours: [Behaviour]
  let values: [Price]
  let caps: [Energy]
  let battery: Energy

  func members(_ behaviour: Behaviour) -> [Int] {
    behaviours.indices.filter { behaviours[$0] == behaviour }
  }

  /// The account of customer `index`, with the readings of the day before the run and no others.
  func orders(_ index: Int) -> AccountOrders {
    let before = model.customers[index].dayBefore
    return AccountOrders(
      account: Population.account(index), instrument: Population.instrument, cap: caps[index],
      terms: model.terms,
      readings: OwnReadings(produced: before.production, consumed: before.consumption))
  }

  func traders(seed: UInt64) -> [any Trader] {
    var traders: [any Trader] = []
    if battery > .zero {
      traders.append(
        BatteryOperator(
          orders: AccountOrders(
            account: Population.account(behaviours.count), instrument: Population.instrument,
            cap: battery, terms: model.terms)))
    }
    for (number, index) in members(.zeroIntelligence).enumerated() {
      traders.append(
        ZeroIntelligenceTrader(
          name: "zi-\(number + 1)", orders: orders(index), sells: model.customers[index].hasRoof,
          value: values[index], random: SeededRandom(seed: seed, stream: UInt64(index) + 100)))
    }
    let planned = members(.planned).map {
      Cooperative.Member(orders: orders($0), value: values[$0])
    }
    if !planned.isEmpty { traders.append(Cooperative(members: planned)) }
    let homes = members(.standing).map { HomeProgram.Home(orders: orders($0), value: values[$0]) }
    if !homes.isEmpty { traders.append(HomeProgram(homes: homes)) }
    let (patient, eager) = (members(.patientBroker), members(.eagerBroker))
    if !patient.isEmpty { traders.append(PatientBroker(customers: patient.map { orders($0) })) }
    if !eager.isEmpty { traders.append(AggressiveBroker(customers: eager.map { orders($0) })) }
    return traders
  }
}
