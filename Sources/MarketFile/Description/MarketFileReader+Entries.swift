import MarketModel

extension MarketFileReader {
  private static func id(_ text: String) throws(ValueError) -> UInt32 {
    try Typed.number(text, in: 1...(UInt32.max - 1))
  }

  private static func areaId(_ text: String) throws(ValueError) -> AreaId {
    AreaId(try Typed.number(text, in: 1...UInt16.max))
  }

  private static func yesOrNo(_ text: String) throws(ValueError) -> Bool {
    switch text {
    case "yes", "true": true
    case "no", "false": false
    default: throw ValueError("write yes or no")
    }
  }

  private static func isOn(_ text: String) throws(ValueError) -> Bool {
    switch text {
    case "on": true
    case "off": false
    default: throw ValueError("write on or off")
    }
  }

  /// Seconds, without a unit.
  private static func ownUse(_ text: String) throws(ValueError) -> UInt16 {
    try Typed.number(text, in: 0...3_600)
  }

  private static func isClosed(_ text: String) throws(ValueError) -> Bool {
    switch text {
    case "open": false
    case "closed": true
    default: throw ValueError("write open or closed")
    }
  }

  /// A label; unlike on the command line it may be empty, as programs make some.
  private static func label(_ text: String) throws(ValueError) -> Label {
    text.isEmpty ? .empty : try Typed.label(text)
  }

  /// Reads one of the names of a list.
  private static func choice<Value: CaseIterable>(_ text: String) throws(ValueError) -> Value {
    if let value = Value.allCases.first(where: { "\($0)" == text }) { return value }
    let names = Value.allCases.map { "\($0)" }.joined(separator: ", ")
    throw ValueError("write one of \(names)")
  }

  private func key(_ text: String) throws(ValueError) -> PublicKey {
    let digits = text.compactMap(\.hexDigitValue)
    guard text.utf8.count == 64, digits.count == 64 else { return try keyFile(text) }
    let bytes = stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    guard let key = PublicKey(bytes: bytes), !key.isOfSmallOrder else {
      throw ValueError(
        "it is no public key: `joulebook admin keygen FILE` makes one; with one of zeros, for example, "
          + "anybody could sign")
    }
    return key
  }

  mutating func readArea(_ id: AreaId, _ entry: inout FileFields) {
    let code = entry.required("code", &self, Self.label)
    let currency = entry.optional("currency", &self, Typed.currency)
    let storageCost = entry.required("storage-cost", &self, Typed.money)
    let storagePrice = entry.required("storage-price", &self, Typed.money)
    let feedIn = entry.required("feed-in", &self, Typed.price)
    let retail = entry.required("retail", &self, Typed.price)
    let loss = entry.optional("loss", &self, Typed.rate)
    var terms = AreaTerms()
    terms.ownUse = entry.optional("own-use", &self, Self.ownUse)
    terms.isLocalFirst = entry.optional("local-first", &self, Self.isOn)
    terms.readingWindow = entry.optional("reading-window", &self) { (text) throws(ValueError) in
      UInt32(clamping: try Typed.number(text, in: AreaReadings.windows))
    }
    terms.mintedQuality = entry.optional("minted-quality", &self, Typed.quality)
    entry.finish(&self)
    guard entry.isWhole, let code, let storageCost, let storagePrice, let feedIn, let retail
    else { return }
    let area = CreateArea(
      area: id, currency: currency ?? .eur, code: code, storageCost: storageCost,
      storagePrice: storagePrice, feedInPrice: feedIn, retailPrice: retail,
      lossFactor: loss ?? .zero)
    market.add(.area(area, terms), line: entry.line)
  }

  mutating func readInstrument(_ id: InstrumentId, _ entry: inout FileFields) {
    let area = entry.required("area", &self, Self.areaId)
    let symbol = entry.required("symbol", &self, Self.label)
    let tick = entry.required("tick", &self, Typed.price)
    let lot = entry.required("lot", &self, Typed.energy)
    let lowest = entry.required("lowest", &self, Typed.price)
    let highest = entry.required("highest", &self, Typed.price)
    let makerFee = entry.optional("maker-fee", &self, Typed.rate)
    let takerFee = entry.optional("taker-fee", &self, Typed.rate)
    let state: InstrumentState? = entry.optional("state", &self, Self.choice)
    entry.finish(&self)
    guard entry.isWhole, let area, let symbol, let tick, let lot, let lowest, let highest
    else { return }
    let instrument = CreateInstrument(
      instrument: id, area: area, kind: .spot, symbol: symbol, tick: tick, lot: lot,
      lowestPrice: lowest, highestPrice: highest, makerFee: makerFee ?? .zero,
      takerFee: takerFee ?? .zero)
    market.add(.instrument(instrument, state ?? .open), line: entry.line)
  }

  mutating func readParticipant(_ id: ParticipantId, _ entry: inout FileFields) {
    let name = entry.required("name", &self, Self.label)
    let limits = entry.take("limits")
    entry.finish(&self)
    if let limits { readLimits(limits, .participant, id.rawValue, entry.what) }
    guard entry.isWhole, let name else { return }
    market.add(
      .participant(CreateParticipant(participant: id, name: name)), line: entry.line)
  }

  mutating func readSession(_ id: SessionId, _ entry: inout FileFields) {
    let reader = self
    let participant = entry.required("participant", &self, Self.id)
    let roles = entry.required("roles", &self, Typed.roles)
    let key = entry.required("public-key", &self) { (text) throws(ValueError) in
      try reader.key(text)
    }
    let selfTrade: SelfTradeScope? = entry.optional("self-trade", &self, Self.choice)
    let limits = entry.take("limits")
    entry.finish(&self)
    if let limits { readLimits(limits, .session, id.rawValue, entry.what) }
    guard entry.isWhole, let participant, let roles, let key else { return }
    let session = RegisterSession(
      session: id, participant: ParticipantId(participant), roles: roles, publicKey: key,
      selfTrade: selfTrade == .participant ? .participant : .account)
    market.add(.session(session), line: entry.line)
  }

  mutating func readMeter(_ id: MeterId, _ entry: inout FileFields) {
    let reader = self
    let account = entry.required("account", &self, Self.id)
    let area = entry.required("area", &self, Self.areaId)
    let attestation = entry.optional("attestation", &self, Typed.attestation)
    let parseKey = { (text: String) throws(ValueError) in try reader.key(text) }
    // A meter for which a metering operator answers needs no key.
    let key =
      attestation == .meteringOperator
      ? entry.optional("public-key", &self, parseKey) ?? PublicKey(0, 0, 0, 0)
      : entry.required("public-key", &self, parseKey)
    let technology = entry.optional("technology", &self, Typed.technology)
    let place = entry.optional("place", &self, Typed.symbol)
    let capacity = entry.optional("capacity", &self) { (text) throws(ValueError) in
      try Typed.number(text, in: 0...Int64.max)
    }
    let ownReadings = entry.optional("own-readings", &self, Self.yesOrNo)
    entry.finish(&self)
    guard entry.isWhole, let account, let area, let key else { return }
    let meter = RegisterMeter(
      meter: id, account: AccountId(account), area: area, publicKey: key, capacity: capacity ?? 0,
      ownReadings: ownReadings ?? false, attestation: attestation ?? .device,
      technology: technology ?? .unknown)
    market.add(.meter(meter, place: place), line: entry.line)
  }

  /// Reads a mapping from kinds of limits to values.
  private mutating func readLimits(
    _ value: FileValue, _ owner: LimitOwner, _ number: UInt32, _ what: String
  ) {
    var entry = FileFields("\(what): limits", value, in: &self)
    for kind in LimitKind.kinds(of: owner) {
      let line = entry.line(of: kind.fileName)
      let limit = entry.optional(kind.fileName, &self) { (text) throws(ValueError) in
        try kind.value(text)
      }
      if let limit { market.add(.limit(SetLimit(kind, of: number, value: limit)), line: line) }
    }
    entry.finish(&self)
  }

  // MARK: Accounts

  mutating func readAccount(_ id: AccountId, _ entry: inout FileFields) {
    let participant = entry.required("participant", &self, Self.id)
    let label = entry.optional("label", &self, Typed.label)
    let isClosed = entry.optional("state", &self, Self.isClosed)
    let caps = entry.take("caps")
    let deposits = entry.take("deposits")
    let instructions = entry.take("instructions")
    let limits = entry.take("limits")
    entry.finish(&self)
    if let limits { readLimits(limits, .account, id.rawValue, entry.what) }
    if let caps { readCaps(caps, id, entry.what) }
    if let deposits { readDeposits(deposits, id, entry.what) }
    if let instructions { readInstructions(instructions, id, entry.what) }
    guard entry.isWhole, let participant else { return }
    let account = CreateAccount(account: id, participant: ParticipantId(participant))
    market.add(
      .account(account, label: label, isClosed: isClosed ?? false), line: entry.line)
  }

  /// Reads a mapping from areas to caps.
  private mutating func readCaps(_ value: FileValue, _ account: AccountId, _ what: String) {
    for (number, cap) in pairs(value.node, "\(what): caps") {
      do throws(ValueError) {
        let area = try Self.areaId(number)
        let energy = try Typed.energy(cap.node.scalar?.string ?? "")
        market.add(.cap(SetCap(account: account, area: area, cap: energy)), line: cap.line)
      } catch {
        fault(cap.line, "\(what): caps: \(number) cannot be used: \(error)")
      }
    }
  }

  /// Reads a list of amounts, each with its currency.
  private mutating func readDeposits(_ value: FileValue, _ account: AccountId, _ what: String) {
    guard let list = value.node.sequence, list.count < Int(UInt16.max) else {
      return fault(value.line, "\(what): deposits must be a list such as [100 EUR, 20 CHF]")
    }
    for (index, node) in list.enumerated() {
      let line = node.mark?.line ?? value.line
      let text = node.scalar?.string ?? ""
      let words = text.split(separator: " ")
      do throws(ValueError) {
        guard words.count == 2 else {
          throw ValueError("write an amount and its currency, such as 100 EUR")
        }
        let amount = try Typed.money(String(words[0]))
        guard amount > .zero else { throw ValueError("a deposit is above 0") }
        let currency = try Typed.currency(String(words[1]))
        market.add(
          .deposit(account, place: UInt16(index + 1), amount, currency), line: line)
      } catch {
        fault(line, "\(what): deposits: '\(text)' cannot be used: \(error)")
      }
    }
  }

  /// Reads a mapping from instruments to standing instructions.
  private mutating func readInstructions(
    _ value: FileValue, _ account: AccountId, _ what: String
  ) {
    for (number, node) in pairs(value.node, "\(what): instructions") {
      var entry = FileFields("\(what): instruction \(number)", node, in: &self)
      let instrument: UInt32
      do throws(ValueError) {
        instrument = try Self.id(number)
      } catch {
        fault(node.line, "\(what): instructions: '\(number)' cannot be used: \(error)")
        continue
      }
      readInstruction(&entry, account, InstrumentId(instrument))
    }
  }

  private mutating func readInstruction(
    _ entry: inout FileFields, _ account: AccountId, _ instrument: InstrumentId
  ) {
    let sellPrice = entry.optional("sell-price", &self, Typed.price)
    func threshold(_ text: String) throws(ValueError) -> Energy {
      text == "default" ? Energy(wattHours: -1) : try Typed.energy(text)
    }
    let sellAbove = entry.optional("sell-above", &self, threshold)
    let buyPrice = entry.optional("buy-price", &self, Typed.price)
    let buyBelow = entry.optional("buy-below", &self, threshold)
    let target = entry.optional("target", &self) { (text) throws(ValueError) in
      text == "half" ? Energy(wattHours: -1) : try Typed.energy(text)
    }
    entry.finish(&self)
    guard entry.isWhole else { return }
    if (sellPrice == nil) != (sellAbove == nil) || (buyPrice == nil) != (buyBelow == nil)
      || sellPrice == nil && buyPrice == nil
    {
      return fault(
        entry.line,
        "\(entry.what): give sell-price and sell-above, or buy-price and buy-below, or all four")
    }
    let agent = SetAgent(
      account: account, instrument: instrument, sells: sellPrice != nil, buys: buyPrice != nil,
      sellPrice: sellPrice ?? .zero, sellAbove: sellAbove ?? .zero, buyPrice: buyPrice ?? .zero,
      buyBelow: buyBelow ?? .zero, target: target ?? Energy(wattHours: -1))
    market.add(.instruction(agent), line: entry.line)
  }
}
