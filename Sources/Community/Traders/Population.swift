import MarketModel

/// How a customer of the community takes part in the market.
public enum Behaviour: String, Sendable, CaseIterable {
  /// Left a standing instruction with the engine (market rules 8).
  case standing
  /// Has a zero-intelligence bot.
  case zeroIntelligence
  /// Has its day planned by the cooperative.
  case planned
  /// Customer of the patient broker.
  case patientBroker
  /// Customer of the eager broker.
  case eagerBroker
  /// The charging station.
  case station
}

/// Who does what in a community: everything follows from the model and the seed.
public struct Population: Sendable {
  /// Behaviour of each customer.
  public let behaviours: [Behaviour]
  /// What a kWh is worth to each customer, between feed-in and retail price.
  public let values: [Price]
  /// Instructions of the customers who leave one.
  public let instructions: [SetAgent]
  /// Everyone with a connection.
  public let traders: [any Trader]

  /// The only instrument of the demonstration.
  public static let instrument = InstrumentId(1)
  /// The account of customer `index`.
  public static func account(_ index: Int) -> AccountId { AccountId(UInt32(index) + 1) }

  /// The population of `model` for `seed`.
  public init(of model: CommunityModel, seed: UInt64) {
    var random = SeededRandom(seed: seed, stream: 1)
    behaviours = Self.assign(model, &random)
    values = model.customers.map { Self.value($0, model.terms, &random) }
    let parts = Parts(model: model, behaviours: behaviours, values: values)
    instructions = parts.instructions()
    traders = parts.traders(seed: seed)
  }

  /// Shuffles roofs and others apart, so that every group has some of both.
  private static func assign(
    _ model: CommunityModel, _ random: inout SeededRandom
  ) -> [Behaviour] {
    var behaviours = Array(repeating: Behaviour.standing, count: model.customers.count)
    let indices = model.customers.indices.filter { model.customers[$0].kind != .chargingStation }
    var roofs = indices.filter { model.customers[$0].hasRoof }
    var others = indices.filter { !model.customers[$0].hasRoof }
    roofs.shuffle(using: &random)
    others.shuffle(using: &random)
    // Businesses plan: they are taken first from the end.
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

  /// Roof owners value a kWh nearer to the feed-in price, others nearer to the retail price.
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

/// Builds instructions and traders from who does what.
private struct Parts {
  let model: CommunityModel
  let behaviours: [Behaviour]
  let values: [Price]

  func members(_ behaviour: Behaviour) -> [Int] {
    behaviours.indices.filter { behaviours[$0] == behaviour }
  }

  func desk(_ index: Int) -> OrderDesk {
    OrderDesk(
      account: Population.account(index), instrument: Population.instrument,
      cap: model.cap(of: index), terms: model.terms)
  }

  /// Roofs sell above three fifths of their cap, down to half; others fill up below nine tenths.
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
          name: "zi-\(number + 1)", desk: desk(index), customer: model.customers[index],
          value: values[index], random: SeededRandom(seed: seed, stream: UInt64(index) + 100)))
    }
    for index in members(.station) {
      traders.append(ChargingStation(desk: desk(index), customer: model.customers[index]))
    }
    let planned = members(.planned).map {
      DayPlanner.Member(desk: desk($0), customer: model.customers[$0], value: values[$0])
    }
    if !planned.isEmpty { traders.append(DayPlanner(members: planned)) }
    let (patient, eager) = (members(.patientBroker), members(.eagerBroker))
    if !patient.isEmpty { traders.append(PatientBroker(desks: patient.map { desk($0) })) }
    if !eager.isEmpty { traders.append(AggressiveBroker(desks: eager.map { desk($0) })) }
    return traders
  }
}
