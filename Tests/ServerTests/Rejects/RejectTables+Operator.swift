import MarketModel

// The tables of commands of operators and of participants' administrators: sessions 1, and 7 and 8.

extension RejectTables {
  static let cash: [RejectRow] = [
    RejectRow("deposit: unknown account", .unknownAccount, 64) { _ in
      .cash(.deposit(Allowed.cash { $0.account = AccountId(63) }))
    },
    RejectRow("deposit: nothing", .badAmount, 1 << 61) { _ in
      .cash(.deposit(Allowed.cash { $0.amount = .zero }))
    },
    RejectRow("deposit: beyond the total", .balanceLimit, 1 << 61) { _ in
      .cash(.deposit(Allowed.cash { $0.amount = Money(units: 1 << 61) }))
    },
    RejectRow("deposit: made before", .referenceReplayed, 1) { _ in
      .cash(.deposit(Allowed.cash { $0.reference = 1 }))
    },
    RejectRow("withdraw: without the cash", .insufficientCash, nil) { _ in
      .cash(.withdraw(Allowed.cash { $0.amount = Money(units: 1 << 60) }))
    },
    RejectRow("withdraw: unknown account", .unknownAccount, 64) { _ in
      .cash(.withdraw(Allowed.cash { $0.account = AccountId(63) }))
    },
    RejectRow("withdraw: reference used", .referenceReplayed, 1) { _ in
      .cash(.withdraw(Allowed.cash { $0.reference = 1 }))
    },
  ]

  static let people: [RejectRow] = [
    RejectRow("participant: exists", .alreadyExists) { _ in
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId(2), name: .empty)))
    },
    RejectRow("participant: out of range", .outOfRange, 64, .participant) { _ in
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId(65), name: .empty)))
    },
    RejectRow("session: out of range", .outOfRange, 64, .sessionId) { _ in
      Allowed.session { $0.session = SessionId(65) }
    },
    RejectRow("session: unknown participant", .unknownParticipant, 64) { _ in
      Allowed.session { $0.participant = ParticipantId(60) }
    },
    RejectRow("session: unknown role", .badDefinition, 128, .roles) { _ in
      Allowed.session { $0.roles = Roles(rawValue: 128) }
    },
    RejectRow("session: a key that anybody has", .badDefinition, 0, .publicKey) { _ in
      Allowed.session { $0.publicKey = PublicKey(0, 0, 0, 0) }
    },
    RejectRow("session: of another participant", .sessionOfAnother, 3) { _ in
      Allowed.session { $0.session = SessionId(3) }
    },
    RejectRow("session: the last administrator", .lastAdministrator) { _ in
      Allowed.session { ($0.session, $0.participant) = (SessionId(1), ParticipantId(1)) }
    },
    RejectRow("session: a foreign participant", .foreignParticipant, from: 8) { _ in
      Allowed.session()
    },
    RejectRow("session: a foreign one", .foreignSession, from: 8) { _ in
      Allowed.session { ($0.session, $0.participant) = (SessionId(2), ParticipantId(3)) }
    },
    RejectRow("session: a role that is not granted", .roleNotGrantable, nil, from: 7) { _ in
      Allowed.session { $0.roles = .administration }
    },
    RejectRow("account: exists", .alreadyExists) { _ in Allowed.account(10, of: 2) },
    RejectRow("account: out of range", .outOfRange, 64, .account) { _ in
      Allowed.account(65, of: 2)
    },
    RejectRow("account: unknown participant", .unknownParticipant, 64) { _ in
      Allowed.account(20, of: 60)
    },
    RejectRow("account: a foreign participant", .foreignParticipant, from: 8) { _ in
      Allowed.account(20, of: 2)
    },
    RejectRow("account: all that the operator allows", .participantPart, 1, from: 8) { _ in
      Allowed.account(20, of: 3)
    },
    RejectRow("numbers: nothing named", .badDefinition, 0, .sessionId) { _ in
      .reference(.resetNumbers(ResetNumbers()))
    },
    RejectRow("numbers: two named", .badDefinition, 2, .sessionId) { _ in
      .reference(.resetNumbers(ResetNumbers(session: SessionId(2), account: Village.ana)))
    },
    RejectRow("numbers: unknown session", .unknownSession) { _ in
      .reference(.resetNumbers(ResetNumbers(session: SessionId(60))))
    },
    RejectRow("numbers: open orders", .accountHasOrders, 1) { _ in
      .reference(.resetNumbers(ResetNumbers(account: Village.ana)))
    },
    RejectRow("cut: unknown session", .unknownSession) { _ in
      .session(.cutSession(CutSession(session: SessionId(60))))
    },
    RejectRow("cut: foreign session", .foreignSession, from: 8) { _ in
      .session(.cutSession(CutSession(session: SessionId(2))))
    },
  ]

  static let accounts: [RejectRow] = [
    RejectRow("close: unknown account", .unknownAccount, 64) { _ in Allowed.setAccount(63) },
    RejectRow("close: foreign account", .foreignAccount, from: 8) { _ in Allowed.setAccount(10) },
    RejectRow("close: open orders", .accountOrdersLeft, 1, from: 7) { _ in Allowed.setAccount(14) },
    RejectRow("label: a control character", .badDefinition, 0, .label, from: 7) { _ in
      .reference(.setAccount(SetAccount(account: AccountId(12), label: Label(low: 0x1B, high: 0))))
    },
    RejectRow("account: label with a control character", .badDefinition, 0, .label) { _ in
      .reference(
        .createAccount(
          CreateAccount(
            account: AccountId(20), participant: ParticipantId(2), label: Label(low: 0x1B, high: 0))
        ))
    },
    RejectRow("close: cash", .accountBalancesLeft, 1, from: 7) { _ in Allowed.setAccount(12) },
    RejectRow("close: a meter", .accountMetersLeft, 1, from: 7) { _ in Allowed.setAccount(19) },
    RejectRow("closed: an order", .accountClosed, from: 2) { _ in
      Allowed.order { $0.account = AccountId(18) }
    },
    RejectRow("closed: an instruction", .accountClosed, from: 2) { _ in
      Allowed.agent { $0.account = AccountId(18) }
    },
    RejectRow("deposit: the market file's source", .badDefinition, 65_535, .source) { _ in
      .cash(.deposit(Allowed.cash { $0.source = 65_535 }))
    },
    RejectRow("closed: a deposit", .accountClosed) { _ in
      .cash(.deposit(Allowed.cash { $0.account = AccountId(18) }))
    },
    RejectRow("closed: a transfer to it", .accountClosed, from: 3) { _ in
      Allowed.transfer { $0.to = AccountId(18) }
    },
    RejectRow("closed: a new meter", .accountClosed) {
      Allowed.meter($0) { ($0.meter, $0.account) = (MeterId(9), AccountId(18)) }
    },
    RejectRow("closed: a meter that moves", .accountClosed) {
      Allowed.meter($0) { $0.account = AccountId(18) }
    },
  ]

  static let products: [RejectRow] = [
    RejectRow("cap: unknown account", .unknownAccount, 64) { _ in
      .reference(.setCap(SetCap(account: AccountId(63), area: AreaId(1), cap: .zero)))
    },
    RejectRow("cap: unknown area", .unknownArea, 8) { _ in
      .reference(.setCap(SetCap(account: Village.ben, area: AreaId(7), cap: .zero)))
    },
    RejectRow("cap: too high", .badDefinition, 1 << 50 + 1, .energyCap) { _ in
      .reference(
        .setCap(
          SetCap(account: Village.ben, area: AreaId(1), cap: Energy(wattHours: 1 << 50 + 1))))
    },
    RejectRow("area: exists", .alreadyExists) { _ in Allowed.area { $0.area = AreaId(1) } },
    RejectRow("area: a code of two lines", .badDefinition, 0, .label) { _ in
      Allowed.area { $0.code = Label(low: 0x0A41, high: 0) }
    },
    RejectRow("area: out of range", .outOfRange, 8, .area) { _ in
      Allowed.area { $0.area = AreaId(9) }
    },
    RejectRow("area: storage cost", .badDefinition, -1, .storageCost) { _ in
      Allowed.area { $0.storageCost = Money(units: -1) }
    },
    RejectRow("area: storage price", .badDefinition, 0, .storagePrice) { _ in
      Allowed.area { $0.storagePrice = .zero }
    },
    RejectRow("area: feed-in above retail", .badDefinition, 32_001, .feedInPrice) { _ in
      Allowed.area { $0.feedInPrice = Price(ticks: 32_001) }
    },
    RejectRow("area: retail", .badDefinition, .max, .retailPrice) { _ in
      Allowed.area { $0.retailPrice = Price(ticks: .max) }
    },
    RejectRow("area: loss", .badDefinition, 500_001, .lossFactor) { _ in
      Allowed.area { $0.lossFactor = Rate(partsPerMillion: 500_001) }
    },
    RejectRow("area: default cap", .badDefinition, .max, .storageCost) { _ in
      Allowed.area { $0.storageCost = Money(units: .max) }
    },
    RejectRow("tariff: unknown area", .unknownArea, 8) { _ in Allowed.tariff(area: 7, 1, 2) },
    RejectRow("tariff: feed-in above retail", .badDefinition, 3, .feedInPrice) { _ in
      Allowed.tariff(3, 2)
    },
    RejectRow("tariff: retail", .badDefinition, 1 << 40 + 1, .retailPrice) { _ in
      Allowed.tariff(3, 1 << 40 + 1)
    },
    RejectRow("instrument: exists", .alreadyExists) { _ in
      Allowed.instrument { $0.instrument = InstrumentId(1) }
    },
    RejectRow("instrument: out of range", .outOfRange, 64, .instrument) { _ in
      Allowed.instrument { $0.instrument = InstrumentId(65) }
    },
    RejectRow("instrument: unknown area", .unknownArea, 8) { _ in
      Allowed.instrument { $0.area = AreaId(7) }
    },
    RejectRow("instrument: tick", .badDefinition, 0, .tickSize) { _ in
      Allowed.instrument { $0.tick = .zero }
    },
    RejectRow("instrument: lot", .badDefinition, -1, .lot) { _ in
      Allowed.instrument { $0.lot = Energy(wattHours: -1) }
    },
    RejectRow("instrument: lowest", .badDefinition, 1, .lowestPrice) { _ in
      Allowed.instrument { $0.lowestPrice = Price(ticks: 1) }
    },
    RejectRow("instrument: highest", .badDefinition, -100, .highestPrice) { _ in
      Allowed.instrument { $0.highestPrice = Price(ticks: -100) }
    },
    RejectRow("instrument: band", .badDefinition, 1 << 24, .highestPrice) { _ in
      Allowed.instrument { $0.highestPrice = Price(ticks: 100 << 24) }
    },
    RejectRow("instrument: maker fee", .badDefinition, 500_001, .makerFee) { _ in
      Allowed.instrument { $0.makerFee = Rate(partsPerMillion: 500_001) }
    },
    RejectRow("instrument: taker fee", .badDefinition, 500_001, .takerFee) { _ in
      Allowed.instrument { $0.takerFee = Rate(partsPerMillion: 500_001) }
    },
    RejectRow("state: unknown instrument", .unknownInstrument, 64) { _ in Allowed.state(9) },
    RejectRow("state: closed", .instrumentClosed) { _ in Allowed.state(4) },
    RejectRow("meter: out of range", .outOfRange, 64, .meter) {
      Allowed.meter($0) { $0.meter = MeterId(65) }
    },
    RejectRow("meter: unknown account", .unknownAccount, 64) {
      Allowed.meter($0) { ($0.meter, $0.account) = (MeterId(9), AccountId(63)) }
    },
    RejectRow("meter: unknown area", .unknownArea, 8) {
      Allowed.meter($0) { ($0.meter, $0.area) = (MeterId(9), AreaId(7)) }
    },
    RejectRow("meter: a key that anybody has", .badDefinition, 0, .publicKey) {
      Allowed.meter($0) { $0.publicKey = PublicKey(1, 0, 0, 0) }
    },
    RejectRow("meter: rated power", .badDefinition, -1, .capacity) {
      Allowed.meter($0) { ($0.meter, $0.capacity) = (MeterId(9), -1) }
    },
    RejectRow("meter: unchanged", .alreadyExists) { Allowed.meter($0) },
    RejectRow(
      "meter: change before its last reading", .overlappingInterval,
      Int64(MeterTime.start + 900_000_000_000)
    ) {
      Allowed.meter($0) { ($0.account, $0.from) = (Village.ben, Timestamp(nanoseconds: 1)) }
    },
  ]

  static let changesOfMarkets: [RejectRow] = [
    RejectRow("parameter: unknown area", .unknownArea, 8) { _ in
      Allowed.parameter(.lossFactor, 1, number: 7)
    },
    RejectRow("parameter: unknown instrument", .unknownInstrument, 64) { _ in
      Allowed.parameter(.tick, 1, number: 9)
    },
    RejectRow("parameter: closed instrument", .instrumentClosed) { _ in
      Allowed.parameter(.tick, 1, number: 4)
    },
    RejectRow("parameter: subject", .badDefinition, 2, .subject) { _ in
      Allowed.parameter(.tick, 1, of: .link)
    },
    RejectRow("parameter: of another subject", .badDefinition, 2, .parameter) { _ in
      Allowed.parameter(.tick, 1, of: .area)
    },
    RejectRow("parameter: tick", .badDefinition, 0, .tickSize) { _ in
      Allowed.parameter(.tick, 0)
    },
    RejectRow("parameter: lot", .badDefinition, 0, .lot) { _ in Allowed.parameter(.lot, 0) },
    RejectRow(
      "parameter: a tick that the band does not fit", .badDefinition, 100_000, .highestPrice
    ) { _ in Allowed.parameter(.tick, 300) },
    RejectRow("parameter: lowest above highest", .badDefinition, 100_000, .highestPrice) { _ in
      Allowed.parameter(.lowestPrice, 100_100)
    },
    RejectRow("parameter: highest off tick", .badDefinition, 1, .highestPrice) { _ in
      Allowed.parameter(.highestPrice, 1)
    },
    RejectRow("parameter: maker fee", .badDefinition, -1, .makerFee) { _ in
      Allowed.parameter(.makerFee, -1)
    },
    RejectRow("parameter: taker fee", .badDefinition, 500_001, .takerFee) { _ in
      Allowed.parameter(.takerFee, 500_001)
    },
    RejectRow("parameter: loss", .badDefinition, 500_001, .lossFactor) { _ in
      Allowed.parameter(.lossFactor, 500_001)
    },
    RejectRow("parameter: feed-in above retail", .badDefinition, 1 << 39, .feedInPrice) { _ in
      Allowed.parameter(.feedInPrice, 1 << 39)
    },
    RejectRow("parameter: retail", .badDefinition, 1 << 40 + 1, .retailPrice) { _ in
      Allowed.parameter(.retailPrice, 1 << 40 + 1)
    },
    RejectRow("parameter: storage cost", .badDefinition, .max, .storageCost) { _ in
      Allowed.parameter(.storageCost, .max)
    },
    RejectRow("parameter: storage price", .badDefinition, 0, .storagePrice) { _ in
      Allowed.parameter(.storagePrice, 0)
    },
    RejectRow("parameter: own use", .badDefinition, 3_601, .ownUse) { _ in
      Allowed.parameter(.ownUse, 3_601)
    },
    RejectRow("parameter: local first", .badDefinition, 2, .localFirst) { _ in
      Allowed.parameter(.localFirst, 2)
    },
    RejectRow("parameter: unsettled", .badDefinition, -1, .unsettledLimit) { _ in
      Allowed.parameter(.unsettledLimit, -1)
    },
    RejectRow("withdrawal: unknown area", .unknownArea, 8) { _ in
      Allowed.withdrawal(.lossFactor, number: 7)
    },
    RejectRow("withdrawal: unknown instrument", .unknownInstrument, 64) { _ in
      Allowed.withdrawal(.tick, number: 9)
    },
    RejectRow("withdrawal: subject", .badDefinition, 2, .subject) { _ in
      Allowed.withdrawal(.tick, of: .link)
    },
    RejectRow("withdrawal: of another subject", .badDefinition, 2, .parameter) { _ in
      Allowed.withdrawal(.tick, of: .area)
    },
    RejectRow("withdrawal: nothing is announced", .noSuchChange, 1_024) { _ in
      Allowed.withdrawal(.takerFee)
    },
    RejectRow("parameter: a moment that has passed", .fromNotLater, nil) { _ in
      Allowed.parameter(.lossFactor, 1, from: 1)
    },
    RejectRow("parameter: more than may wait", .capacityExhausted, 1_024) { _ in
      Allowed.parameter(.lossFactor, 1, from: Allowed.now)
    },
    RejectRow("rules: those in force", .alreadyExists) { _ in
      .control(.setRules(SetRules(version: RulesVersion.newest)))
    },
    RejectRow("rules: older ones", .badDefinition, Int64(RulesVersion.newest), .version) { _ in
      .control(.setRules(SetRules(version: 1)))
    },
    RejectRow("rules: unknown ones", .outOfRange, Int64(RulesVersion.newest), .version) { _ in
      .control(.setRules(SetRules(version: RulesVersion.newest + 1)))
    },
  ]

  static let rights: [RejectRow] = [
    RejectRow("block: nothing named", .badDefinition, 0, .account) { _ in
      .reference(.setBlock(SetBlock()))
    },
    RejectRow("block: two named", .badDefinition, 2, .participant) { _ in
      .reference(.setBlock(SetBlock(participant: ParticipantId(2), account: Village.ana)))
    },
    RejectRow("block: unknown participant", .unknownParticipant, 64) { _ in
      .reference(.setBlock(SetBlock(participant: ParticipantId(60))))
    },
    RejectRow("block: unknown account", .unknownAccount, 64) { _ in
      .reference(.setBlock(SetBlock(account: AccountId(63))))
    },
    RejectRow("block: unknown session", .unknownSession) { _ in
      .reference(.setBlock(SetBlock(session: SessionId(60))))
    },
    RejectRow("block: foreign account", .foreignAccount, from: 8) { _ in
      .reference(.setBlock(SetBlock(account: Village.ana)))
    },
    RejectRow("block: released by the administrator", .setByOperator, from: 7) { _ in
      .reference(.setBlock(SetBlock(account: AccountId(12), releases: true)))
    },
    RejectRow("limit: of another kind of subject", .badDefinition, 0, .kind) { _ in
      Allowed.limit { $0.kind = .messagesPerSecond }
    },
    RejectRow("limit: negative", .badDefinition, -1, .value) { _ in Allowed.limit { $0.value = -1 }
    },
    RejectRow("limit: unknown account", .unknownAccount, 64) { _ in
      Allowed.limit { $0.account = AccountId(63) }
    },
    RejectRow("limit: foreign account", .foreignAccount, from: 7) { _ in Allowed.limit() },
    RejectRow("limit: above the operator's", .setByOperator, 2_000, from: 7) { _ in
      Allowed.limit { ($0.account, $0.kind, $0.value) = (AccountId(13), .orderQuantity, 2_001) }
    },
    RejectRow("limit: of the own participant", .notPermitted, 4, from: 7) { _ in
      Allowed.limit {
        ($0.account, $0.participant, $0.kind) = (.null, ParticipantId(2), .accounts)
      }
    },
    RejectRow("cancel orders: unknown participant", .unknownParticipant, 64) { _ in
      .order(.cancelOrders(CancelOrders(participant: ParticipantId(60))))
    },
    RejectRow("cancel orders: unknown order", .unknownOrder) { _ in
      .order(.cancelOrders(CancelOrders(order: OrderId(slot: 60, generation: 9))))
    },
    RejectRow("cancel orders: foreign order", .unknownOrder, from: 8) {
      .order(.cancelOrders(CancelOrders(order: $0.asked)))
    },
    RejectRow("cancel orders: foreign account", .foreignAccount) { _ in
      .order(
        .cancelOrders(CancelOrders(participant: ParticipantId(3), account: Village.ana)))
    },
    RejectRow("cancel orders: foreign session", .foreignSession) { _ in
      .order(
        .cancelOrders(CancelOrders(participant: ParticipantId(3), session: SessionId(2))))
    },
    RejectRow("cancel instructions: a foreign participant", .foreignParticipant, from: 8) { _ in
      .order(.cancelInstructions(CancelInstructions(participant: ParticipantId(2))))
    },
    RejectRow("cancel instructions: unknown instrument", .unknownInstrument, 64) { _ in
      .order(
        .cancelInstructions(
          CancelInstructions(participant: ParticipantId(2), instrument: InstrumentId(9))))
    },
  ]

  static let all =
    orders + changes + movements + readings + cash + people + accounts + products
    + changesOfMarkets + rights + community
}
