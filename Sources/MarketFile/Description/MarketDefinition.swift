import MarketModel

/// A definition in a market file, in the form of the command that makes it.
public enum MarketDefinition: Sendable, Equatable {
  /// An area with the present prices of the grid, and what its readings follow (market rules 7).
  case area(CreateArea, AreaTerms)
  /// An instrument and its trading state.
  case instrument(CreateInstrument, InstrumentState)
  /// A participant.
  case participant(CreateParticipant)
  /// A session identity. The roles are not empty.
  case session(RegisterSession)
  /// An account with its label, `nil`: whatever it is, and whether it is closed.
  case account(CreateAccount, label: Label?, isClosed: Bool)
  /// A meter, and where it stands; `nil`: wherever.
  case meter(RegisterMeter, place: Label?)
  /// An account's own cap.
  case cap(SetCap)
  /// A deposit; the place is in the reference.
  case deposit(CashMovement)
  /// A standing instruction.
  case instruction(SetAgent)
  /// The operator's limit of a participant, a session or an account. Its value is not 0.
  case limit(SetLimit)

  /// The source of the references of deposits in market files. Operators and banks use others.
  public static let depositSource = UInt16.max

  /// The deposit with the place `place`, from 1, in an account's list. Account and place determine
  /// the reference, so that it takes effect once, however often the file is read.
  public static func deposit(
    _ account: AccountId, place: UInt16, _ amount: Money, _ currency: Currency
  ) -> MarketDefinition {
    .deposit(
      CashMovement(
        account: account, currency: currency, amount: amount,
        reference: UInt64(account.rawValue) << 16 | UInt64(place), source: depositSource))
  }

  /// The name of what is defined.
  public var item: MarketItem {
    switch self {
    case .area(let area, _): .area(area.area)
    case .instrument(let instrument, _): .instrument(instrument.instrument)
    case .participant(let participant): .participant(participant.participant)
    case .session(let session): .session(session.session)
    case .account(let account, _, _): .account(account.account)
    case .meter(let meter, _): .meter(meter.meter)
    case .cap(let cap): .cap(cap.account, cap.area)
    case .deposit(let cash):
      .deposit(cash.account, UInt16(truncatingIfNeeded: cash.reference))
    case .instruction(let agent): .instruction(agent.account, agent.instrument)
    case .limit(let limit): .limit(limit.kind, limit.number)
    }
  }

  /// What must exist before it.
  var references: [MarketItem] {
    switch self {
    case .area, .participant: []
    case .instrument(let instrument, _): [.area(instrument.area)]
    case .session(let session): [.participant(session.participant)]
    case .account(let account, _, _): [.participant(account.participant)]
    case .meter(let meter, _): [.account(meter.account), .area(meter.area)]
    case .cap(let cap): [.account(cap.account), .area(cap.area)]
    case .deposit(let cash): [.account(cash.account)]
    case .instruction(let agent): [.account(agent.account), .instrument(agent.instrument)]
    case .limit(let limit): [limit.ownerItem]
    }
  }

  /// A field as a market file writes it.
  struct Field: Equatable {
    let name: String
    let text: String
    /// Whether the text is written in quotation marks.
    let isQuoted: Bool
    /// Whether an exported file has it; otherwise it has its default.
    let isWritten: Bool

    init(_ name: String, _ text: String, isQuoted: Bool = false, isWritten: Bool = true) {
      (self.name, self.text) = (name, text)
      (self.isQuoted, self.isWritten) = (isQuoted, isWritten)
    }
  }

  /// All fields with their values, as a file writes them; equal definitions have equal texts.
  var fields: [Field] {
    switch self {
    case .area(let area, let terms): Self.fields(of: area) + terms.fields
    case .instrument(let instrument, let state): Self.fields(of: instrument, state)
    case .participant(let made): [Field("name", made.name.text, isQuoted: true)]
    case .session(let session): Self.fields(of: session)
    case .account(let account, let label, let isClosed):
      [Field("participant", "\(account.participant.rawValue)")]
        + (label.map { [Field("label", $0.text, isQuoted: true)] } ?? [])
        + [Field("state", isClosed ? "closed" : "open", isWritten: isClosed)]
    case .meter(let meter, let place):
      Self.fields(of: meter) + (place.map { [Field("place", $0.text, isQuoted: true)] } ?? [])
    case .cap(let cap): [Field("cap", Text.energy(cap.cap))]
    case .deposit(let cash):
      [Field("amount", "\(Text.money(cash.amount)) \(cash.currency.letters)")]
    case .instruction(let agent): Self.fields(of: agent)
    case .limit(let limit): [Field(limit.kind.fileName, limit.kind.text(limit.value))]
    }
  }

  private static func fields(of area: CreateArea) -> [Field] {
    [
      Field("code", area.code.text, isQuoted: true), Field("currency", area.currency.letters),
      Field("storage-cost", Text.money(area.storageCost)),
      Field("storage-price", Text.money(area.storagePrice)),
      Field("feed-in", Text.price(area.feedInPrice)),
      Field("retail", Text.price(area.retailPrice)), Field("loss", Text.rate(area.lossFactor)),
    ]
  }

  private static func fields(
    of instrument: CreateInstrument, _ state: InstrumentState
  ) -> [Field] {
    [
      Field("area", "\(instrument.area.rawValue)"),
      Field("symbol", instrument.symbol.text, isQuoted: true),
      Field("tick", Text.price(instrument.tick)), Field("lot", Text.energy(instrument.lot)),
      Field("lowest", Text.price(instrument.lowestPrice)),
      Field("highest", Text.price(instrument.highestPrice)),
      Field("maker-fee", Text.rate(instrument.makerFee)),
      Field("taker-fee", Text.rate(instrument.takerFee)), Field("state", "\(state)"),
    ]
  }

  private static func fields(of session: RegisterSession) -> [Field] {
    [
      Field("participant", "\(session.participant.rawValue)"),
      Field("roles", Text.roles(session.roles)),
      Field("public-key", Text.key(session.publicKey), isQuoted: true),
      Field("self-trade", "\(session.selfTrade)"),
    ]
  }

  private static func fields(of meter: RegisterMeter) -> [Field] {
    [
      Field("account", "\(meter.account.rawValue)"), Field("area", "\(meter.area.rawValue)"),
      Field(
        "public-key", Text.key(meter.publicKey), isQuoted: true,
        isWritten: meter.attestation == .device || meter.publicKey != PublicKey(0, 0, 0, 0)),
      Field("capacity", "\(meter.capacity)"),
      Field("own-readings", meter.ownReadings ? "yes" : "no"),
      Field(
        "attestation", Typed.name(of: meter.attestation), isWritten: meter.attestation != .device),
      Field("technology", "\(meter.technology)", isWritten: meter.technology != .unknown),
    ]
  }

  private static func fields(of agent: SetAgent) -> [Field] {
    let sells = [
      Field("sell-price", Text.price(agent.sellPrice)),
      Field("sell-above", Text.threshold(agent.sellAbove)),
    ]
    let buys = [
      Field("buy-price", Text.price(agent.buyPrice)),
      Field("buy-below", Text.threshold(agent.buyBelow)),
    ]
    let target = agent.target < .zero ? "half" : Text.energy(agent.target)
    return (agent.sells ? sells : []) + (agent.buys ? buys : []) + [Field("target", target)]
  }
}

/// Values as market files write them; `Typed` reads them.
enum Text {
  /// A threshold of an instruction.
  static func threshold(_ energy: Energy) -> String {
    energy < .zero ? "default" : self.energy(energy)
  }
  static func price(_ price: Price) -> String { DecimalText.text(price.ticks, places: 5) }
  static func money(_ money: Money) -> String { DecimalText.text(money.units, places: 8) }
  static func rate(_ rate: Rate) -> String {
    DecimalText.text(Int64(rate.partsPerMillion), places: 4) + "%"
  }

  static func energy(_ energy: Energy) -> String {
    energy.wattHours.isMultiple(of: 100)
      ? DecimalText.text(energy.wattHours, places: 3) + "kWh" : "\(energy.wattHours)Wh"
  }

  static func roles(_ roles: Roles) -> String {
    Typed.names(of: roles).joined(separator: "+")
  }

  static func key(_ key: PublicKey) -> String {
    key.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
