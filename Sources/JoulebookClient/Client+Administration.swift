import MarketModel
import Wire

// An operator's messages (role administration). Each is answered with `acknowledged`, or `rejected`,
// naming the returned sequence number as its reference; each throws `.sendBufferFull`,
// `.connectionLost` or `.closed`.

extension Client {
  /// Admits a participant.
  @discardableResult public func create(
    _ participant: CreateParticipant
  ) throws(ClientError) -> UInt64 {
    try write(CreateParticipantEncoder.frameLength) { frame, sequence, now in
      CreateParticipantEncoder(
        into: frame, seqNo: sequence, sendingTime: now, participant: participant.participant,
        shortName: participant.name)
    }
  }

  /// Registers a session identity and its key, or replaces its key and roles.
  @discardableResult public func register(
    _ session: RegisterSession
  ) throws(ClientError) -> UInt64 {
    try write(RegisterSessionEncoder.frameLength) { frame, sequence, now in
      RegisterSessionEncoder(
        into: frame, seqNo: sequence, sendingTime: now, sessionId: session.session,
        participant: session.participant, publicKey: session.publicKey, roles: session.roles)
    }
  }

  /// Opens an account.
  @discardableResult public func create(_ account: CreateAccount) throws(ClientError) -> UInt64 {
    try write(CreateAccountEncoder.frameLength) { frame, sequence, now in
      CreateAccountEncoder(
        into: frame, seqNo: sequence, sendingTime: now, account: account.account,
        participant: account.participant)
    }
  }

  /// Gives an account its own cap in an area.
  @discardableResult public func set(_ cap: SetCap) throws(ClientError) -> UInt64 {
    try write(SetCapEncoder.frameLength) { frame, sequence, now in
      SetCapEncoder(
        into: frame, seqNo: sequence, sendingTime: now, cap: cap.cap, account: cap.account,
        area: cap.area)
    }
  }

  /// Opens a market area.
  @discardableResult public func create(_ area: CreateArea) throws(ClientError) -> UInt64 {
    try write(CreateAreaEncoder.frameLength) { frame, sequence, now in
      CreateAreaEncoder(
        into: frame, seqNo: sequence, sendingTime: now, storageCost: area.storageCost,
        storagePrice: area.storagePrice, feedInPrice: area.feedInPrice,
        retailPrice: area.retailPrice, areaCode: area.code, lossFactor: area.lossFactor,
        area: area.area, currency: area.currency)
    }
  }

  /// Puts a newer version of the rules in force.
  @discardableResult public func set(_ rules: SetRules) throws(ClientError) -> UInt64 {
    try write(SetRulesEncoder.frameLength) { frame, sequence, now in
      SetRulesEncoder(
        into: frame, seqNo: sequence, sendingTime: now, version: rules.version)
    }
  }

  /// Changes the prices of the surrounding grid.
  @discardableResult public func set(_ tariff: SetTariff) throws(ClientError) -> UInt64 {
    try write(SetTariffEncoder.frameLength) { frame, sequence, now in
      SetTariffEncoder(
        into: frame, seqNo: sequence, sendingTime: now, feedInPrice: tariff.feedInPrice,
        retailPrice: tariff.retailPrice, area: tariff.area)
    }
  }

  /// Lists an instrument.
  @discardableResult public func create(
    _ instrument: CreateInstrument
  ) throws(ClientError) -> UInt64 {
    try write(CreateInstrumentEncoder.frameLength) { frame, sequence, now in
      CreateInstrumentEncoder(
        into: frame, seqNo: sequence, sendingTime: now, tickSize: instrument.tick,
        lot: instrument.lot, lowestPrice: instrument.lowestPrice,
        highestPrice: instrument.highestPrice, symbol: instrument.symbol,
        makerFee: instrument.makerFee, takerFee: instrument.takerFee,
        instrument: instrument.instrument, area: instrument.area, kind: instrument.kind)
    }
  }

  /// Opens, halts or closes an instrument.
  @discardableResult public func set(
    _ state: SetInstrumentState
  ) throws(ClientError) -> UInt64 {
    try write(SetInstrumentStateEncoder.frameLength) { frame, sequence, now in
      SetInstrumentStateEncoder(
        into: frame, seqNo: sequence, sendingTime: now, instrument: state.instrument,
        state: state.state)
    }
  }

  /// Registers a meter.
  @discardableResult public func register(_ meter: RegisterMeter) throws(ClientError) -> UInt64 {
    try write(RegisterMeterEncoder.frameLength) { frame, sequence, now in
      RegisterMeterEncoder(
        into: frame, seqNo: sequence, sendingTime: now, publicKey: meter.publicKey,
        meter: meter.meter, account: meter.account, area: meter.area)
    }
  }

  /// Credits cash to an account.
  @discardableResult public func deposit(
    _ movement: CashMovement
  ) throws(ClientError) -> UInt64 {
    try write(DepositEncoder.frameLength) { frame, sequence, now in
      DepositEncoder(
        into: frame, seqNo: sequence, sendingTime: now, amount: movement.amount,
        reference: movement.reference, account: movement.account, currency: movement.currency)
    }
  }

  /// Debits free cash of an account.
  @discardableResult public func withdraw(
    _ movement: CashMovement
  ) throws(ClientError) -> UInt64 {
    try write(WithdrawEncoder.frameLength) { frame, sequence, now in
      WithdrawEncoder(
        into: frame, seqNo: sequence, sendingTime: now, amount: movement.amount,
        reference: movement.reference, account: movement.account, currency: movement.currency)
    }
  }

  /// Moves the clock of an exchange that runs on driven time, and lets time do its work.
  @discardableResult public func tick(to time: Timestamp) throws(ClientError) -> UInt64 {
    try write(TickEncoder.frameLength) { frame, sequence, now in
      TickEncoder(into: frame, seqNo: sequence, sendingTime: now, time: time)
    }
  }
}
