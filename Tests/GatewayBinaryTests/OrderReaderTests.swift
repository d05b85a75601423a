import Crypto
import MarketModel
import Testing
import Wire

@testable import GatewayBinary
@testable import JoulebookClient

@Suite("From a client's message to the exchange's command")
struct OrderReaderTests {
  typealias Send = @Sendable (Client) throws -> UInt64

  /// Every message that is a command, with the expected command.
  static var messages: [(SessionId, Send, Command.Body)] {
    let (bot, desk) = (GatewayWorld.bot, GatewayWorld.operatorDesk)
    let cancel = CancelOrder(
      account: GatewayWorld.account, order: OrderId(5), clientOrderId: ClientOrderId(6))
    let mass = MassCancel(
      account: GatewayWorld.account, instrument: GatewayWorld.instrument, sides: .sell)
    let participant = CreateParticipant(
      participant: ParticipantId(8), name: Label(low: 65, high: 0))
    let session = RegisterSession(
      session: SessionId(9), participant: ParticipantId(8), roles: [.trading, .metering],
      publicKey: PublicKey(1, 2, 3, 4))
    let account = CreateAccount(account: AccountId(20), participant: ParticipantId(8))
    let cap = SetCap(
      account: AccountId(20), area: GatewayWorld.area, cap: Energy(wattHours: -1))
    let tariff = SetTariff(
      area: GatewayWorld.area, feedInPrice: Price(ticks: 1), retailPrice: Price(ticks: 2))
    let halt = SetInstrumentState(instrument: GatewayWorld.instrument, state: .halted)
    let meter = RegisterMeter(
      meter: MeterId(3), account: AccountId(20), area: GatewayWorld.area,
      publicKey: PublicKey(5, 6, 7, 8))
    return [
      (bot, { try $0.enter(Sample.limitOrder) }, .enter(Sample.limitOrder)),
      (bot, { try $0.enter(Sample.marketOrder) }, .enter(Sample.marketOrder)),
      (bot, { try $0.enter(Sample.timedOrder) }, .enter(Sample.timedOrder)),
      (bot, { try $0.enter(Sample.iceberg) }, .enter(Sample.iceberg)),
      (bot, { try $0.replace(Sample.replace) }, .replace(Sample.replace)),
      (bot, { try $0.cancel(cancel) }, .cancel(cancel)),
      (bot, { try $0.massCancel(mass) }, .order(.massCancel(mass))),
      (bot, { try $0.setAgent(Sample.agent) }, .order(.setAgent(Sample.agent))),
      (bot, { try $0.transfer(Sample.transfer) }, .cash(.transfer(Sample.transfer))),
      asked(desk, .reference(.createParticipant(participant))),
      asked(desk, .reference(.registerSession(session))),
      asked(desk, .reference(.createAccount(account))),
      asked(desk, .reference(.setCap(cap))),
      asked(desk, .reference(.createArea(Sample.createArea))),
      asked(desk, .reference(.setTariff(tariff))),
      asked(desk, .control(.setRules(SetRules(version: 2)))),
      asked(desk, .reference(.createInstrument(Sample.createInstrument))),
      asked(desk, .reference(.setInstrumentState(halt))),
      asked(desk, .reference(.registerMeter(meter))),
      asked(desk, .cash(.deposit(Sample.movement))),
      asked(desk, .cash(.withdraw(Sample.movement))),
      (desk, { try $0.tick(to: Timestamp(nanoseconds: 99)) }, .control(.tick)),
    ]
  }

  private static func asked(
    _ session: SessionId, _ body: Command.Body
  ) -> (SessionId, Send, Command.Body) {
    (session, { try $0.submit(body) }, body)
  }

  @Test(
    "Every command is read from its message with all its fields unchanged.",
    arguments: CommandKind.allCases.filter { !$0.roles.isEmpty && $0 != .meterReading })
  func anyFields(_ kind: CommandKind) throws {
    var fields = AnyFields(seed: 20_261_129)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: CommandFrame.longest, alignment: 8)
    defer { memory.deallocate() }
    for _ in 0..<200 {
      let body = randomBody(kind, &fields)
      let length = try #require(CommandFrame.length(of: body))
      CommandFrame.write(body, into: memory, seqNo: 7, sendingTime: .never)
      let frame = Frame(start: memory, length: length)
      let template = try #require(Template(rawValue: frame.templateId))
      #expect(OrderReader.roles(for: template) == kind.roles)
      let stranger = OrderReader().readOrder(frame, template, from: SessionId(3), roles: [])
      guard case .rejected(let rejected) = stranger else {
        Issue.record("permitted without a role: \(CommandText.text(body))")
        continue
      }
      #expect(rejected.code == .notPermitted && rejected.limit == Int64(kind.roles.rawValue))
      let result = OrderReader().readOrder(frame, template, from: SessionId(3), roles: kind.roles)
      guard case .command(let command) = result else {
        Issue.record("rejected: \(CommandText.text(body))")
        continue
      }
      #expect(String(describing: command.body) == String(describing: body))
      #expect(command.session == SessionId(3) && command.clientSequence == 7)
    }
  }

  @Test("A label of blanks only is refused, since nobody could see it.")
  func blankLabel() throws {
    let name = try #require(Label("  "))
    let body = Command.Body.reference(
      .createParticipant(CreateParticipant(participant: ParticipantId(8), name: name)))
    let length = try #require(CommandFrame.length(of: body))
    let memory = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: 8)
    defer { memory.deallocate() }
    CommandFrame.write(body, into: memory, seqNo: 7, sendingTime: .never)
    let frame = Frame(start: memory, length: length)
    let template = try #require(Template(rawValue: frame.templateId))
    let result = OrderReader().readOrder(
      frame, template, from: SessionId(3), roles: .administration)
    guard case .rejected(let rejected) = result else {
      Issue.record("a label that nobody can see was taken")
      return
    }
    #expect(rejected.code == .badDefinition && rejected.field == .label)
  }

  @Test("Every message becomes its command, field by field.")
  func everyCommand() throws {
    let world = try GatewayWorld()
    let clients = [
      GatewayWorld.bot: try world.client(),
      GatewayWorld.operatorDesk: try world.client(GatewayWorld.operatorDesk),
    ]
    for (index, (session, send, body)) in Self.messages.enumerated() {
      let client = try #require(clients[session])
      let reference = try send(client)
      try client.flush()
      let command = try #require(world.commands(index + 1).last)
      #expect(String(describing: command.body) == String(describing: body))
      #expect(command.session == session)
      #expect(command.clientSequence == reference)
      #expect(command.sequence == .none)
      var time: UInt64 = 0
      if case .control(.tick) = body { time = 99 }
      #expect(command.time == Timestamp(nanoseconds: time))
    }
  }

  @Test("Commands that a session's roles do not permit are rejected with the required role.")
  func roles() throws {
    let world = try GatewayWorld()
    let (bot, desk) = (try world.client(), try world.client(GatewayWorld.operatorDesk))
    let meterBox = try world.client(GatewayWorld.meterBox)
    func expectRefusal(_ client: Client, _ roles: Roles, _ send: Send) throws {
      let reference = try send(client)
      guard case .rejected(let rejection) = try client.expect().event else {
        Issue.record("not rejected")
        return
      }
      #expect(rejection.code == .notPermitted)
      #expect(rejection.limit == Int64(roles.rawValue))
      #expect(rejection.reference == reference)
    }
    for (session, send, body) in Self.messages {
      let isOrder = session == GatewayWorld.bot
      let isCancel = isOrder && CommandKind(body).roles.contains(.administration)
      if !isCancel { try expectRefusal(isOrder ? desk : bot, CommandKind(body).roles, send) }
      try expectRefusal(meterBox, CommandKind(body).roles, send)
    }
    let key = world.meterKey
    try expectRefusal(desk, .metering) { try $0.send(Sample.reading, key: key) }
    #expect(world.commands(0).isEmpty)
  }

  @Test("A reading passes when its meter signed it; a forged or foreign one is rejected here.")
  func readings() throws {
    let world = try GatewayWorld()
    let client = try world.client(GatewayWorld.meterBox)
    let reference = try client.send(Sample.reading, key: world.meterKey)
    try client.flush()
    let command = try #require(world.commands(1).first)
    #expect(
      String(describing: command.body)
        == String(describing: Command.Body.meterReading(Sample.reading)))
    #expect(command.clientSequence == reference)

    var unknown = Sample.reading
    unknown.meter = MeterId(10)
    try client.send(unknown, key: world.meterKey)
    try expectRejection(client, .unknownMeter, 9)
    try client.send(Sample.reading, key: Curve25519.Signing.PrivateKey())
    try expectRejection(client, .badMeterSignature, 0)
    let signature = try Sample.reading.signature(world.meterKey, for: GatewayWorld.market)
    let changes: [(inout MeterReading) -> Void] = [
      { $0.registerSequence += 1 }, { $0.produced.wattHours += 1 },
      { $0.consumed.wattHours += 1 }, { $0.intervalStart.nanoseconds += 1 },
      { $0.intervalEnd.nanoseconds += 1 },
    ]
    for change in changes {
      var forged = Sample.reading
      change(&forged)
      try client.send(forged, signature: signature)
      try expectRejection(client, .badMeterSignature, 0)
    }
    #expect(world.commands(0).count == 1)
  }

  @Test("Rules of an unknown version are rejected and never journaled.")
  func unknownRules() throws {
    let world = try GatewayWorld()
    let desk = try world.client(GatewayWorld.operatorDesk)
    try desk.submit(.control(.setRules(SetRules(version: RulesVersion.newest + 1))))
    try expectRejection(desk, .outOfRange, Int64(RulesVersion.newest))
    #expect(world.commands(0).isEmpty)
  }

  @Test("A value outside its list is rejected with that value; the session continues.")
  func badEnums() throws {
    let world = try GatewayWorld()
    let bot = try world.client()
    let desk = try world.client(GatewayWorld.operatorDesk)
    // Offsets of the enumerations: see the drawn tables of the encoders.
    typealias Encode = (UnsafeMutableRawPointer, UInt64, Timestamp) -> Void
    let cases: [(Client, Int, [Int], Encode)] = [
      (
        bot, NewOrderEncoder.frameLength, [60, 61, 62, 63],
        {
          NewOrderEncoder(
            into: $0, seqNo: $1, sendingTime: $2, clientOrderId: ClientOrderId(1), price: .zero,
            quantity: .zero, account: GatewayWorld.account, instrument: .null, side: .buy,
            timeInForce: .goodTillCancel, selfTradePrevention: .cancelBoth, flags: [])
        }
      ),
      (
        bot, NewOrderExtendedEncoder.frameLength, [60, 61, 62, 63],
        {
          NewOrderExtendedEncoder(
            into: $0, seqNo: $1, sendingTime: $2, clientOrderId: ClientOrderId(1), price: .zero,
            quantity: .zero, account: GatewayWorld.account, instrument: .null, side: .buy,
            timeInForce: .goodTillCancel, selfTradePrevention: .cancelBoth, flags: [],
            minimumQuantity: .zero, expireTime: .never, displayQuantity: .zero,
            onBehalfOf: .exchange)
        }
      ),
      (
        bot, MassCancelEncoder.frameLength, [36],
        {
          MassCancelEncoder(
            into: $0, seqNo: $1, sendingTime: $2, account: .null, instrument: .null, sides: .buy)
        }
      ),
      (
        bot, SetAgentEncoder.frameLength, [76],
        {
          SetAgentEncoder(
            into: $0, seqNo: $1, sendingTime: $2, sellPrice: .zero, sellAbove: .zero,
            buyPrice: .zero, buyBelow: .zero, target: .zero, account: .null, instrument: .null,
            flags: [])
        }
      ),
      (
        bot, TransferEncoder.frameLength, [52],
        {
          TransferEncoder(
            into: $0, seqNo: $1, sendingTime: $2, clientOrderId: .engine, amount: 0,
            fromAccount: .null, toAccount: .null, asset: .cash, currency: .eur, area: .null)
        }
      ),
      (
        desk, CreateInstrumentEncoder.frameLength, [90],
        {
          CreateInstrumentEncoder(
            into: $0, seqNo: $1, sendingTime: $2, tickSize: .zero, lot: .zero, lowestPrice: .zero,
            highestPrice: .zero, symbol: .empty, makerFee: .zero, takerFee: .zero,
            instrument: .null, area: .null, kind: .spot)
        }
      ),
      (
        desk, SetInstrumentStateEncoder.frameLength, [32],
        {
          SetInstrumentStateEncoder(
            into: $0, seqNo: $1, sendingTime: $2, instrument: .null, state: .open)
        }
      ),
      (
        bot, MarketDataSubscribeEncoder.frameLength, [30],
        {
          MarketDataSubscribeEncoder(
            into: $0, seqNo: $1, sendingTime: $2, area: GatewayWorld.area, snapshot: .none)
        }
      ),
    ]
    for (client, length, offsets, encode) in cases {
      for offset in offsets {
        _ = try client.write(length) { frame, sequence, now in
          encode(frame, sequence, now)
          frame.storeBytes(of: 200, toByteOffset: offset, as: UInt8.self)
        }
        try expectRejection(client, .badEnumValue, 200)
      }
    }
    #expect(world.commands(0).isEmpty)
  }

  private func expectRejection(_ client: Client, _ code: RejectCode, _ limit: Int64) throws {
    guard case .rejected(let rejection) = try client.expect().event else {
      Issue.record("not rejected")
      return
    }
    #expect(rejection.code == code)
    #expect(rejection.limit == limit)
    #expect(rejection.reference == client.nextSequence - 1)
  }
}
