import ExchangeCore
import MarketModel

// Participants and sessions, for n traders:
//
//   participant   session   role             accounts
//   operator      operator  administration   -
//   11            11        metering         -               sends the readings of all meters
//   12            12        trading          all others      none: they enter no orders
//   13            13        trading          -               subscribes to market data
//   14 ... 13+n   14...13+n trading          its customers   one connection per trader

/// The operator's commands before the first interval: they create participants, sessions, the area
/// and its instrument, accounts, caps, meters and deposits.
struct CommunityPlan: Sendable {
  /// A session that connects after the set-up.
  struct Connection: Sendable, Equatable {
    /// Identity of the session.
    var session: SessionId
    /// Participant that the session acts for.
    var participant: ParticipantId
    /// Name of the participant.
    var name: String
    /// Roles of the session.
    var roles: Roles
  }

  static let area = AreaId(1)
  static let instrument = Population.instrument
  private static let first: UInt32 = 11

  let model: CommunityModel
  let population: Population

  /// Connection that sends the meters' readings.
  var metering: Connection { connection(0, "metering", .metering) }
  /// Connection of the customers without a trader.
  var community: Connection { connection(1, "community", .trading) }
  /// The connection that subscribes to market data.
  var observer: Connection { connection(2, "observer", .trading) }
  /// Connections of the traders, in the order of the population.
  var traders: [Connection] {
    population.traders.enumerated().map { connection(UInt32($0) + 3, $1.name, .trading) }
  }
  /// All connections except the operator's.
  var connections: [Connection] { [metering, community, observer] + traders }

  private func connection(_ number: UInt32, _ name: String, _ roles: Roles) -> Connection {
    Connection(
      session: SessionId(Self.first + number), participant: ParticipantId(Self.first + number),
      name: name, roles: roles)
  }

  /// Index of the battery's account: the one after the last customer; `nil` without a battery.
  var battery: Int? { population.battery > .zero ? model.customers.count : nil }

  /// Number of the trader of account `index`; `nil` without one.
  func trader(of index: Int) -> Int? {
    let account = Population.account(index)
    return population.traders.firstIndex { $0.accounts.contains(account) }
  }

  /// Participant that acts for account `index`.
  func participant(of index: Int) -> ParticipantId {
    trader(of: index).map { traders[$0].participant } ?? community.participant
  }

  /// The operator's commands, in order.
  /// - Parameters:
  ///   - sessionKey: Returns the public key of a session.
  ///   - meterKey: Returns the public key of a meter.
  func setup(
    sessionKey: (SessionId) -> PublicKey, meterKey: (MeterId) -> PublicKey
  ) -> [Command.Body] {
    var bodies = market
    for connection in connections {
      bodies.append(
        .reference(
          .createParticipant(
            CreateParticipant(
              participant: connection.participant, name: Label(connection.name) ?? .empty))))
      bodies.append(
        .reference(
          .registerSession(
            RegisterSession(
              session: connection.session, participant: connection.participant,
              roles: connection.roles, publicKey: sessionKey(connection.session)))))
    }
    for index in model.customers.indices {
      bodies += account(index, cap: population.caps[index])
      let meter = MeterId(Population.account(index).rawValue)
      bodies.append(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: meter, account: Population.account(index), area: Self.area,
              publicKey: meterKey(meter), capacity: model.power(of: index)))))
    }
    // The battery has no meter: it is charged and discharged by what its owner buys and sells.
    if let battery { bodies += account(battery, cap: population.battery) }
    return bodies
  }

  private var market: [Command.Body] {
    let terms = model.terms
    // A meter that reads by the hour does not say when in the hour energy was made and used.
    let ownUse = SetParameter(
      subject: .area, number: UInt32(Self.area.rawValue), parameter: .ownUse,
      value: Int64(model.intervalSeconds))
    return [
      .reference(
        .createArea(
          CreateArea(
            area: Self.area, currency: terms.currency, code: terms.areaCode,
            storageCost: terms.storageCost, storagePrice: terms.storagePrice,
            feedInPrice: terms.feedIn, retailPrice: terms.retail))),
      .reference(
        .createInstrument(
          CreateInstrument(
            instrument: Self.instrument, area: Self.area, symbol: terms.symbol, tick: terms.tick,
            lot: terms.lot, lowestPrice: .zero, highestPrice: terms.highestPrice,
            makerFee: terms.makerFee, takerFee: terms.takerFee))),
      .reference(.setParameter(ownUse)),
    ]
  }

  /// Commands for account `index`, its deposit and its storage.
  private func account(_ index: Int, cap: Energy) -> [Command.Body] {
    let account = Population.account(index)
    var bodies: [Command.Body] = [
      .reference(
        .createAccount(CreateAccount(account: account, participant: participant(of: index)))),
      .cash(
        .deposit(
          CashMovement(
            account: account, currency: model.terms.currency, amount: deposit(index), reference: 1))
      ),
    ]
    if cap != model.terms.defaultCap {
      bodies.append(.reference(.setCap(SetCap(account: account, area: Self.area, cap: cap))))
    }
    return bodies
  }

  /// Deposit of account `index`: twice the retail cost of its consumption, of the battery twice that
  /// of its capacity, rounded up to a multiple of 10 currency units, at least 50.
  func deposit(_ index: Int) -> Money {
    let retail = model.terms.retail.ticks
    let energy = index == battery ? population.battery : model.customers[index].consumption.total
    let twice = 2 * energy.wattHours * retail
    let ten: Int64 = 10 * 100_000_000
    return Money(units: max(5 * ten, (twice + ten - 1) / ten * ten))
  }

  /// Sum of all deposits.
  var deposits: Money {
    let accounts = Array(model.customers.indices) + (battery.map { [$0] } ?? [])
    return Money(units: accounts.reduce(0) { $0 + deposit($1).units })
  }
}

extension Capacity {
  /// Capacity for a community: `.small`, with as many participants as sessions.
  static let community: Capacity = {
    var capacity = Capacity.small
    capacity.participants = capacity.sessions
    return capacity
  }()
}
