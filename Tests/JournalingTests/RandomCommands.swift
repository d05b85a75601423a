import Journaling
import MarketModel

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15  // wraps by definition, like the two products
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

/// Commands with arbitrary contents: what the codec and the files must carry, not what a market does.
struct RandomCommands {
  var random: SeededRandom
  var sequence: UInt64
  var time: UInt64

  init(seed: UInt64, after sequence: UInt64 = 0, time: UInt64 = 1_800_000_000_000_000_000) {
    (random, self.sequence, self.time) = (SeededRandom(seed: seed), sequence, time)
  }

  mutating func batch(_ count: Int) -> [Command] {
    (0..<count).map { _ in next(CommandCodec.Kind.allCases.randomElement(using: &random) ?? .tick) }
  }

  mutating func next(_ kind: CommandCodec.Kind) -> Command {
    sequence += 1
    time += UInt64.random(in: 0...5_000, using: &random)
    return Command(
      session: SessionId(bits()), clientSequence: bits(), body: body(kind),
      sequence: SequenceNumber(sequence), time: Timestamp(nanoseconds: time))
  }

  /// Any value of an integer type, its edges more often than chance.
  private mutating func bits<Value: FixedWidthInteger>() -> Value {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: Value.min
    case 1: Value.max
    case 2: Value.zero
    default: Value.random(in: .min ... .max, using: &random)
    }
  }

  private mutating func any<Value: CaseIterable>(_: Value.Type) -> Value {
    let cases = Array(Value.allCases)
    return cases[Int.random(in: 0..<cases.count, using: &random)]
  }

  private mutating func version() -> UInt32 {
    UInt32.random(in: 0...RulesVersion.newest, using: &random)
  }

  private mutating func flag() -> Bool { Bool.random(using: &random) }
  private mutating func price() -> Price { Price(ticks: bits()) }
  private mutating func energy() -> Energy { Energy(wattHours: bits()) }
  private mutating func money() -> Money { Money(units: bits()) }
  private mutating func moment() -> Timestamp { Timestamp(nanoseconds: bits()) }
  private mutating func rate() -> Rate { Rate(partsPerMillion: bits()) }
  private mutating func account() -> AccountId { AccountId(bits()) }
  private mutating func instrument() -> InstrumentId { InstrumentId(bits()) }
  private mutating func area() -> AreaId { AreaId(bits()) }
  private mutating func client() -> ClientOrderId { ClientOrderId(bits()) }
  private mutating func label() -> Label { Label(low: bits(), high: bits()) }
  private mutating func key() -> PublicKey { PublicKey(bits(), bits(), bits(), bits()) }
  private mutating func participant() -> ParticipantId { ParticipantId(bits()) }

  private mutating func cash() -> CashMovement {
    CashMovement(account: account(), currency: Currency(bits()), amount: money(), reference: bits())
  }

  private mutating func body(_ kind: CommandCodec.Kind) -> Command.Body {
    switch kind {
    case .enter: .enter(newOrder())
    case .enterIceberg: .enter(iceberg())
    case .enterOnBehalf: .enter(onBehalf())
    case .replace:
      .replace(
        ReplaceOrder(
          account: account(), order: OrderId(bits()), clientOrderId: client(), price: price(),
          quantity: energy()))
    case .cancel:
      .cancel(CancelOrder(account: account(), order: OrderId(bits()), clientOrderId: client()))
    case .massCancel:
      .order(
        .massCancel(
          MassCancel(
            account: account(), instrument: instrument(), sides: any(MassCancel.Sides.self))))
    case .setAgent: .order(.setAgent(agent()))
    case .transfer: .cash(.transfer(transfer()))
    case .meterReading:
      .meterReading(
        MeterReading(
          meter: MeterId(bits()), registerSequence: bits(), intervalStart: moment(),
          intervalEnd: moment(), produced: energy(), consumed: energy()))
    case .deposit: .cash(.deposit(cash()))
    case .withdraw: .cash(.withdraw(cash()))
    case .tick: .control(.tick)
    case .settlementConfirmed:
      .control(
        .settlementConfirmed(
          SettlementConfirmed(batch: bits(), lastSequence: SequenceNumber(bits()))))
    case .beginSession:
      .session(
        .beginSession(
          BeginSession(session: SessionId(bits()), version: bits(), cancelAfter: bits())))
    case .endSession: .session(.endSession(EndSession(session: SessionId(bits()), version: bits())))
    case .checkpoint: .control(.checkpoint(Checkpoint(eventHash: bits(), stateHash: bits())))
    case .setRules: .control(.setRules(SetRules(version: version())))
    default: referenceData(kind)
    }
  }

  private mutating func referenceData(_ kind: CommandCodec.Kind) -> Command.Body {
    switch kind {
    case .createParticipant:
      .reference(.createParticipant(CreateParticipant(participant: participant(), name: label())))
    case .registerSession:
      .reference(
        .registerSession(
          RegisterSession(
            session: SessionId(bits()), participant: participant(), roles: Roles(rawValue: bits()),
            publicKey: key())))
    case .createAccount:
      .reference(.createAccount(CreateAccount(account: account(), participant: participant())))
    case .setCap: .reference(.setCap(SetCap(account: account(), area: area(), cap: energy())))
    case .createArea: .reference(.createArea(newArea()))
    case .setTariff:
      .reference(.setTariff(SetTariff(area: area(), feedInPrice: price(), retailPrice: price())))
    case .createInstrument: .reference(.createInstrument(newInstrument()))
    case .setInstrumentState:
      .reference(
        .setInstrumentState(
          SetInstrumentState(instrument: instrument(), state: any(InstrumentState.self))))
    case .registerMeter:
      .reference(
        .registerMeter(
          RegisterMeter(meter: MeterId(bits()), account: account(), area: area(), publicKey: key()))
      )
    default: .control(.tick)
    }
  }

  private mutating func newOrder() -> NewOrder {
    NewOrder(
      account: account(), instrument: instrument(), side: any(Side.self), type: any(OrderType.self),
      timeInForce: any(TimeInForce.self), selfTradePrevention: any(SelfTradePrevention.self),
      postOnly: flag(), clientOrderId: client(), price: price(), quantity: energy(),
      minimumQuantity: energy(), expireTime: moment())
  }

  private mutating func iceberg() -> NewOrder {
    var order = newOrder()
    order.displayQuantity = Energy(wattHours: bits() | 1)
    return order
  }

  private mutating func onBehalf() -> NewOrder {
    var order = flag() ? iceberg() : newOrder()
    order.onBehalfOf = SessionId(bits() | 1)
    return order
  }

  private mutating func agent() -> SetAgent {
    SetAgent(
      account: account(), instrument: instrument(), sells: flag(), buys: flag(),
      sellPrice: price(), sellAbove: energy(), buyPrice: price(), buyBelow: energy(),
      target: energy())
  }

  private mutating func transfer() -> Transfer {
    Transfer(
      from: account(), to: account(), asset: any(AssetKind.self), currency: Currency(bits()),
      area: area(), amount: bits(), clientOrderId: client())
  }

  private mutating func newArea() -> CreateArea {
    CreateArea(
      area: area(), currency: Currency(bits()), code: label(), storageCost: money(),
      storagePrice: money(), feedInPrice: price(), retailPrice: price(), lossFactor: rate())
  }

  private mutating func newInstrument() -> CreateInstrument {
    CreateInstrument(
      instrument: instrument(), area: area(), kind: any(InstrumentKind.self), symbol: label(),
      tick: price(), lot: energy(), lowestPrice: price(), highestPrice: price(), makerFee: rate(),
      takerFee: rate())
  }
}

/// A command as one comparable text: every field of it, by reflection.
func fields(_ command: Command) -> String { String(describing: command) }

/// A command as one comparable value: its sequence number and its bytes. Quick, for long journals.
func record(_ command: Command) -> [UInt64] {
  var words = [UInt64](repeating: 0, count: 1 + CommandCodec.longestRecord / 8)
  words[0] = command.sequence.rawValue
  words.withUnsafeMutableBytes { buffer in
    if let base = buffer.baseAddress { _ = CommandCodec.encode(command, into: base + 8) }
  }
  return words
}
