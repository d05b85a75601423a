import Crypto
import JoulebookClient
import MarketModel
import Testing

// Well-formed messages that must be rejected.

extension BadInput {
  /// A message of a session, and the Rejected that must name it.
  fileprivate static func message(
    _ name: String, _ expected: Verdict, from session: UInt32 = 3,
    _ send: @escaping @Sendable (Client, FrozenMarket) throws -> UInt64
  ) -> BadInput {
    BadInput(name, expected) { market in
      var options = Client.Options()
      options.orders = .kept
      let client = try Client(
        host: "127.0.0.1", port: market.server.port, credentials: market.credentials(session),
        options: options)
      defer { client.close() }
      let reference = try send(client, market)
      return try client.wait { event in
        guard case .rejected(let rejection) = event, rejection.reference == reference else {
          return nil
        }
        return Verdict(rejection.code, limit: rejection.limit)
      }
    }
  }

  /// Ben's bid for 1 kWh at 0.1, made invalid.
  private static func order(
    _ name: String, _ expected: Verdict, _ spoil: @escaping @Sendable (inout NewOrder) -> Void
  ) -> BadInput {
    message(name, expected) { client, _ in
      var order = NewOrder.limit(Village.ben, .buy, kilowattHours: 1, at: 100, id: 1_000)
      spoil(&order)
      return try client.enter(order)
    }
  }

  static let orders: [BadInput] = [
    order("an account that does not exist", Verdict(.unknownAccount, limit: FrozenMarket.accounts))
    {
      $0.account = AccountId(63)
    },
    order("no account", Verdict(.unknownAccount, limit: FrozenMarket.accounts)) {
      $0.account = .null
    },
    order("an account beyond all", Verdict(.unknownAccount, limit: FrozenMarket.accounts)) {
      $0.account = AccountId(.max)
    },
    order("a house account", Verdict(.unknownAccount, limit: FrozenMarket.accounts)) {
      $0.account = .house(AreaId(1), .fees)
    },
    order("a foreign account", Verdict(.foreignAccount)) { $0.account = Village.ana },
    order("an instrument that does not exist", Verdict(.unknownInstrument, limit: 64)) {
      $0.instrument = InstrumentId(9)
    },
    order("a halted instrument", Verdict(.instrumentHalted)) {
      $0.instrument = FrozenMarket.halted
    },
    order("a closed instrument", Verdict(.instrumentClosed)) {
      $0.instrument = FrozenMarket.closed
    },
    order("a price off the tick", Verdict(.offTick, limit: 100)) {
      $0.price = Price(ticks: 10_001)
    },
    order("the highest price there is, off the tick", Verdict(.offTick, limit: 100)) {
      $0.price = Price(ticks: .max)
    },
    order("a price above the band", Verdict(.priceOutOfBand, limit: 100_000)) {
      $0.price = Price(ticks: 100_100)
    },
    order("the highest price on the tick", Verdict(.priceOutOfBand, limit: 100_000)) {
      $0.price = Price(ticks: .max / 100 * 100)
    },
    order("the lowest price on the tick", Verdict(.priceOutOfBand, limit: 0)) {
      $0.price = Price(ticks: .min / 100 * 100)
    },
    order("a quantity off the lot", Verdict(.offLot, limit: 1_000)) {
      $0.quantity = Energy(wattHours: 1_001)
    },
    order("the highest quantity there is, off the lot", Verdict(.offLot, limit: 1_000)) {
      $0.quantity = Energy(wattHours: .max)
    },
    order("the highest quantity in whole lots", Verdict(.quantityTooLarge, limit: 1 << 36)) {
      $0.quantity = Energy(wattHours: .max / 1_000 * 1_000)
    },
    order("a lot above the highest quantity", Verdict(.quantityTooLarge, limit: 1 << 36)) {
      ($0.instrument, $0.price) = (FrozenMarket.wide, Price(ticks: 1 << 16))
      $0.quantity = Energy(wattHours: 1 << 36 + 1)
    },
    order("no quantity", Verdict(.quantityNotPositive)) { $0.quantity = .zero },
    order("the lowest quantity there is", Verdict(.quantityNotPositive)) {
      $0.quantity = Energy(wattHours: .min)
    },
    order("price times quantity beyond money", Verdict(.notionalOverflow, limit: .max)) {
      ($0.instrument, $0.price) = (FrozenMarket.wide, Price(ticks: 1 << 36))
      $0.quantity = Energy(wattHours: 1 << 36)
    },
    order(
      "a bid at the highest quantity without the cash", Verdict(.insufficientCash, limit: benFree)
    ) {
      ($0.instrument, $0.price) = (FrozenMarket.wide, Price(ticks: 1 << 16))
      $0.quantity = Energy(wattHours: 1 << 36)
    },
    order("a bid a lot above its cash", Verdict(.insufficientCash, limit: benFree)) {
      ($0.price, $0.quantity) = (Price(ticks: 100_000), Energy(wattHours: 10_000_000))
    },
    order("a client order id that was used", Verdict(.duplicateClientOrderId, limit: 7)) {
      $0.clientOrderId = ClientOrderId(7)
    },
    order("no client order id", Verdict(.duplicateClientOrderId, limit: 7)) {
      $0.clientOrderId = .engine
    },
    order("a market order that would rest", Verdict(.marketNotImmediate)) { $0.type = .market },
    order("a minimum above the quantity", Verdict(.minimumQuantityInvalid, limit: 1_000)) {
      $0.minimumQuantity = Energy(wattHours: 2_000)
    },
    message("an order of a session for readings", Verdict(.notPermitted, limit: 1), from: 4) {
      client, _ in
      try client.enter(.limit(Village.ana, .buy, kilowattHours: 1, at: 100, id: 1_000))
    },
    message("a cancel of no order", Verdict(.unknownOrder)) { client, _ in
      try client.cancel(CancelOrder(account: Village.ben, order: OrderId(slot: 9, generation: 9)))
    },
    message("a cancel of a foreign order", Verdict(.unknownOrder)) { client, _ in
      try client.cancel(CancelOrder(account: Village.ben, order: OrderId(slot: 1, generation: 1)))
    },
    message("a replace that changes nothing", Verdict(.nothingToChange)) { client, _ in
      try client.replace(
        ReplaceOrder(
          account: Village.ben, order: OrderId(slot: 2, generation: 1),
          clientOrderId: ClientOrderId(1_000), price: Price(ticks: 5_000),
          quantity: Energy(wattHours: 1_000)))
    },
  ]

  /// Ben's 1e12, minus what his bid reserves: 1 kWh at 0.05.
  private static let benFree: Int64 = 1_000_000_000_000 - 5_000 * 1_000
}

// MARK: - Cash and energy

extension BadInput {
  private static func transfer(
    _ name: String, _ expected: Verdict, _ spoil: @escaping @Sendable (inout Transfer) -> Void
  ) -> BadInput {
    message(name, expected) { client, _ in
      var transfer = Transfer(
        from: Village.ben, to: Village.ana, asset: .cash, currency: .eur, area: AreaId(1),
        amount: 1, clientOrderId: ClientOrderId(1_000))
      spoil(&transfer)
      return try client.transfer(transfer)
    }
  }

  private static func deposit(
    _ name: String, _ expected: Verdict, from session: UInt32 = 1,
    _ spoil: @escaping @Sendable (inout CashMovement) -> Void
  ) -> BadInput {
    message(name, expected, from: session) { client, _ in
      var movement = CashMovement(
        account: Village.ben, currency: .eur, amount: Money(units: 1), reference: 1_000)
      spoil(&movement)
      return try client.submit(.cash(.deposit(movement)))
    }
  }

  static let amounts: [BadInput] = [
    transfer("a transfer of the highest amount", Verdict(.badAmount, limit: 1 << 61)) {
      $0.amount = .max
    },
    transfer("a transfer of the lowest amount", Verdict(.badAmount, limit: 1 << 61)) {
      $0.amount = .min
    },
    transfer("a transfer without the cash", Verdict(.insufficientCash, limit: benFree)) {
      $0.amount = benFree + 1
    },
    transfer("a transfer from a foreign account", Verdict(.foreignAccount)) {
      ($0.from, $0.to) = ($0.to, $0.from)
    },
    transfer("a transfer to nobody", Verdict(.unknownAccount, limit: FrozenMarket.accounts)) {
      $0.to = AccountId(63)
    },
    transfer("a transfer to oneself", Verdict(.sameAccount)) { $0.to = $0.from },
    transfer("a transfer without the energy", Verdict(.insufficientEnergy, limit: 0)) {
      ($0.asset, $0.amount) = (.energy, 1)
    },
    message("a transfer above the receiver's cap", Verdict(.capExceeded, limit: 1_000), from: 2) {
      client, _ in
      try client.transfer(
        Transfer(
          from: Village.ana, to: Village.ben, asset: .energy, area: AreaId(1), amount: 1_001,
          clientOrderId: ClientOrderId(1_000)))
    },
    deposit("a deposit of the highest amount", Verdict(.badAmount, limit: 1 << 61)) {
      $0.amount = Money(units: .max)
    },
    deposit("a deposit of nothing", Verdict(.badAmount, limit: 1 << 61)) { $0.amount = .zero },
    deposit("deposits beyond what money can count", Verdict(.balanceLimit, limit: 1 << 61)) {
      $0.amount = Money(units: 1 << 61)
    },
    deposit("a deposit that was made", Verdict(.referenceReplayed, limit: 1)) { $0.reference = 1 },
    deposit("a deposit by a trader", Verdict(.notPermitted, limit: 4), from: 3) { _ in },
    message("a withdrawal without the cash", Verdict(.insufficientCash, limit: benFree), from: 1) {
      client, _ in
      try client.submit(
        .cash(
          .withdraw(
            CashMovement(
              account: Village.ben, currency: .eur, amount: Money(units: benFree + 1),
              reference: 1_000))))
    },
  ]
}

// MARK: - Readings

extension BadInput {
  /// The second reading of Ana's meter, made invalid and signed, sent by her metering session.
  private static func reading(
    _ name: String, _ expected: Verdict, _ spoil: @escaping @Sendable (inout MeterReading) -> Void
  ) -> BadInput {
    message(name, expected, from: 4) { client, market in
      var reading = FrozenMarket.reading(2)
      spoil(&reading)
      return try client.send(reading, key: market.village.meterKey)
    }
  }

  static let readings: [BadInput] = [
    message("a reading signed by another key", Verdict(.badMeterSignature), from: 4) { client, _ in
      try client.send(FrozenMarket.reading(2), key: Curve25519.Signing.PrivateKey())
    },
    message("a reading changed after it was signed", Verdict(.badMeterSignature), from: 4) {
      client, market in
      var reading = FrozenMarket.reading(2)
      let signature = try reading.signature(
        market.village.meterKey, for: client.market)
      reading.produced.wattHours += 1
      return try client.send(reading, signature: signature)
    },
    reading("a replayed reading", Verdict(.readingReplayed, limit: 1)) {
      $0 = FrozenMarket.reading(1)
    },
    reading("a version that is older than the one before", Verdict(.readingReplayed, limit: 1)) {
      $0 = FrozenMarket.reading(1)
      $0.registerSequence = 0
    },
    reading("a reading of no meter", Verdict(.unknownMeter, limit: 1)) { $0.meter = MeterId(9) },
    reading("a negative reading", Verdict(.negativeReading)) {
      $0.produced = Energy(wattHours: -1)
    },
    reading("production beyond measure", Verdict(.readingTooLarge, limit: 1 << 40)) {
      $0.produced = Energy(wattHours: .max)
    },
    reading("consumption beyond measure", Verdict(.readingTooLarge, limit: 1 << 40)) {
      $0.consumed = Energy(wattHours: 1 << 40 + 1)
    },
    reading("an interval that ends before it starts", Verdict(.badInterval)) {
      $0.intervalEnd = Timestamp(nanoseconds: 0)
    },
    reading(
      "an interval that was metered",
      Verdict(.overlappingInterval, limit: Int64(MeterTime.start + 900_000_000_000))
    ) {
      $0.intervalStart = Timestamp(nanoseconds: MeterTime.start + 899_999_999_999)
    },
    message("a reading passed on by a stranger", Verdict(.notPermitted, limit: 2), from: 5) {
      client, market in
      try client.send(FrozenMarket.reading(2), key: market.village.meterKey)
    },
  ]
}

extension FrozenMarket {
  /// Credentials of session `number`; 1 is the operator.
  func credentials(_ number: UInt32) throws -> Credentials {
    number == 1
      ? try Credentials(session: SessionId(1), keyFile: server.data + "/operator.key")
      : Credentials(session: SessionId(number), privateKey: village.key)
  }
}
