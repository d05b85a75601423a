import Crypto
import JoulebookClient
import MarketModel
import Wire

/// The participants of every run: an operator (session 1), and Ana and Ben (sessions 2 and 3) with
/// an account and a meter each. They trade one instrument in one area. The keys are fixed, so that
/// a seed gives the same bytes in every run.
struct Village: Sendable {
  static let area = AreaId(1)
  static let instrument = InstrumentId(1)
  /// Sessions of the traders. The accounts and meters of Ana and Ben have the numbers 1 and 2.
  static let traders: [SessionId] = [SessionId(2), SessionId(3)]
  /// What the meters send, by number from 1.
  static let messages = [MeterMessages(MeterId(1)), MeterMessages(MeterId(2))]

  let keys: [Curve25519.Signing.PrivateKey]
  private let publicKeys: [PublicKey]
  /// Makes the keys from the bytes 1, 2, 3 ... Keys 4 and 5 are those of the meters,
  /// the sixth is the abuser's.
  init() throws {
    var keys: [Curve25519.Signing.PrivateKey] = []
    for number in UInt8(1)...6 {
      keys.append(
        try Curve25519.Signing.PrivateKey(
          rawRepresentation: [UInt8](repeating: number, count: 32)))
    }
    self.keys = keys
    publicKeys = keys.map { PublicKey($0.publicKey) }
  }

  /// Private key of a session.
  func key(of session: SessionId) -> Curve25519.Signing.PrivateKey {
    keys[Int(session.rawValue) - 1]
  }

  /// Public key of a session, computed once.
  func publicKey(of session: SessionId) -> PublicKey { publicKeys[Int(session.rawValue) - 1] }

  /// A reading of a meter and its signature for a market.
  /// - Parameter sequence: The register sequence of one of its messages.
  /// - Throws: `.badCredentials` if signing fails.
  func reading(
    _ meter: Int, _ sequence: UInt64, for market: MarketId
  ) throws(ClientError) -> (MeterReading, Signature) {
    guard
      let reading = Self.messages[meter - 1].readings.first(where: {
        $0.registerSequence == sequence
      })
    else { preconditionFailure("meter \(meter) sends no message \(sequence)") }
    return (reading, try reading.signature(keys[meter + 2], for: market))
  }

  /// The commands with which the operator sets up the market.
  func setUp() -> [Command.Body] {
    var bodies: [Command.Body] = [
      .reference(
        .createArea(
          CreateArea(
            area: Self.area, currency: .eur, code: Label("11XEXAMPLE") ?? .empty,
            storageCost: Money(units: 300), storagePrice: Money(units: 20),
            feedInPrice: Price(ticks: 8_000), retailPrice: Price(ticks: 32_000),
            lossFactor: Rate(partsPerMillion: 20_000)))),
      .reference(
        .createInstrument(
          CreateInstrument(
            instrument: Self.instrument, area: Self.area, symbol: Label("SPOT") ?? .empty,
            tick: Price(ticks: 100), lot: Energy(wattHours: 100), lowestPrice: .zero,
            highestPrice: Price(ticks: 40_000), makerFee: Rate(partsPerMillion: 1_000),
            takerFee: Rate(partsPerMillion: 2_000)))),
    ]
    for (index, session) in Self.traders.enumerated() {
      let number = UInt32(index + 1)
      let participant = ParticipantId(number + 1)
      bodies += [
        .reference(
          .createParticipant(
            CreateParticipant(participant: participant, name: Label("trader") ?? .empty))),
        .reference(
          .registerSession(
            RegisterSession(
              session: session, participant: participant, roles: [.trading, .metering],
              publicKey: PublicKey(key(of: session).publicKey)))),
        .reference(
          .createAccount(CreateAccount(account: AccountId(number), participant: participant))),
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(number), account: AccountId(number), area: Self.area,
              publicKey: PublicKey(keys[index + 3].publicKey)))),
        .cash(
          .deposit(
            CashMovement(
              account: AccountId(number), currency: .eur, amount: Money(units: 40_000_000_000),
              reference: 1))),
      ]
    }
    return bodies + abuser()
  }

  private func abuser() -> [Command.Body] {
    [
      .reference(
        .createParticipant(
          CreateParticipant(participant: Abuser.participant, name: Label("abuser") ?? .empty))),
      .reference(
        .registerSession(
          RegisterSession(
            session: Abuser.session, participant: Abuser.participant, roles: [.trading],
            publicKey: publicKey(of: Abuser.session)))),
      .reference(
        .createAccount(CreateAccount(account: Abuser.account, participant: Abuser.participant))),
      .cash(
        .deposit(
          CashMovement(
            account: Abuser.account, currency: .eur, amount: Money(units: 40_000_000_000),
            reference: 1))),
    ]
  }
}
