// A participant with a key that does what it must not: it floods, asks for what takes long, names
// what is not its own, sends garbage, and does not read what it asked for. The others' requests are
// answered nevertheless, and what it was told is as true as what they were told.

import MarketModel
import Wire

/// The abuser of every run: session 6, participant 4, account 3. Owned by the thread of the run.
final class Abuser {
  static let session = SessionId(6)
  static let participant = ParticipantId(4)
  static let account = AccountId(3)

  /// Its connection and the answers it got.
  let client: SimulatedClient
  /// Number of bursts that it sent.
  private(set) var bursts = 0
  private var nextClientId: UInt64 = 1
  /// Turns in which it does not read.
  private var deafTurns = 0

  init(_ client: SimulatedClient) { self.client = client }

  /// Reads, or does not; then perhaps sends one kind of abuse.
  func takeTurn(_ network: SimulatedNetwork, _ random: inout SeededRandom) {
    if deafTurns > 0 {
      deafTurns -= 1
    } else {
      client.takeTurn(network, limit: random.pick(1..<4_000), &random)
    }
    guard client.isEstablished, random.happens(3_000) else { return }
    bursts += 1
    switch random.pick(0..<9) {
    case 0:
      repeatedly(random.pick(1..<40)) { client.sendUntracked(.enter(order(&random)), network) }
    case 1: takeAndGiveBackCover(network, &random)
    case 2: askMuch(network, &random)
    case 3: repeatedly(12) { client.subscribeAndLeave(Village.area, network) }
    case 4: nameWhatIsNotItsOwn(network, &random)
    case 5:
      client.sendBytes((0..<random.pick(1..<200)).map { _ in UInt8(random.pick(0..<256)) }, network)
    case 6:
      client.sendUntracked(.enter(order(&random)), network, sequence: UInt64(random.pick(1..<50)))
    case 7:
      repeatedly(20) {
        client.sendUntracked(.order(.massCancel(MassCancel(account: Self.account))), network)
      }
    default: deafTurns = random.pick(1..<60)
    }
  }

  private func repeatedly(_ count: Int, _ body: () -> Void) {
    for _ in 0..<count { body() }
  }

  /// One order takes the cover of all the others, and its cancel gives it back.
  private func takeAndGiveBackCover(_ network: SimulatedNetwork, _ random: inout SeededRandom) {
    for _ in 0..<random.pick(1..<10) {
      var large = order(&random)
      (large.price, large.quantity) = (Price(ticks: 40_000), Energy(wattHours: 1_000_000))
      client.sendUntracked(.enter(large), network)
      let cancel = CancelOrder(
        account: Self.account, order: .null, clientOrderId: large.clientOrderId)
      client.sendUntracked(.cancel(cancel), network)
    }
  }

  private func askMuch(_ network: SimulatedNetwork, _ random: inout SeededRandom) {
    for _ in 0..<random.pick(1..<40) {
      client.question(random.pick(0..<3), of: OrderId(UInt64(random.pick(0..<300))), network)
    }
  }

  private func nameWhatIsNotItsOwn(_ network: SimulatedNetwork, _ random: inout SeededRandom) {
    var foreign = order(&random)
    foreign.account = AccountId(UInt32(random.pick(0..<9)))
    if foreign.account == Self.account { foreign.instrument = InstrumentId(7) }
    client.sendUntracked(.enter(foreign), network)
    client.sendUntracked(.order(.massCancel(MassCancel(account: AccountId(1)))), network)
    let movement = CashMovement(
      account: Self.account, currency: .eur, amount: Money(units: 1 << 40), reference: 1 << 50)
    client.sendUntracked(.cash(.deposit(movement)), network)
    let operatorKey = RegisterSession(
      session: SessionId(1), participant: Self.participant, roles: .all,
      publicKey: PublicKey(0, 0, 0, 0))
    client.sendUntracked(.reference(.registerSession(operatorKey)), network)
  }

  private func order(_ random: inout SeededRandom) -> NewOrder {
    nextClientId += 1
    return NewOrder(
      account: Self.account, instrument: Village.instrument,
      side: random.happens(5_000) ? .buy : .sell, clientOrderId: ClientOrderId(nextClientId),
      price: Price(ticks: 100 * random.pick(100...300)),
      quantity: Energy(wattHours: 100 * random.pick(1...400)))
  }
}
