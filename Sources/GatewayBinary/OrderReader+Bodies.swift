import MarketModel
import Wire

extension OrderReader {
  /// The fields of any command but an order or a reading, as they stand in the frame.
  func body(of frame: Frame, _ template: Template) -> Body {
    let body: Body? =
      switch template {
      case .replace: ReplaceDecoder(frame).map(replace)
      case .cancel: CancelDecoder(frame).map(cancel)
      case .massCancel: MassCancelDecoder(frame).map(massCancel)
      case .setAgent: SetAgentDecoder(frame).map(setAgent)
      case .transfer: TransferDecoder(frame).map(transfer)
      case .createParticipant: CreateParticipantDecoder(frame).map(createParticipant)
      case .registerSession: RegisterSessionDecoder(frame).map(registerSession)
      case .createAccount: CreateAccountDecoder(frame).map(createAccount)
      case .setCap: SetCapDecoder(frame).map(setCap)
      case .createArea: CreateAreaDecoder(frame).map(createArea)
      case .setTariff: SetTariffDecoder(frame).map(setTariff)
      case .createInstrument: CreateInstrumentDecoder(frame).map(createInstrument)
      case .setInstrumentState: SetInstrumentStateDecoder(frame).map(setInstrumentState)
      case .registerMeter: RegisterMeterDecoder(frame).map(registerMeter)
      case .deposit: DepositDecoder(frame).map(deposit)
      case .withdraw: WithdrawDecoder(frame).map(withdraw)
      case .tick: TickDecoder(frame).map { .tick($0.time) }
      case .setRules: SetRulesDecoder(frame).map(setRules)
      default: nil
      }
    guard let body else { preconditionFailure("not a command, or not checked") }
    return body
  }

  private func replace(_ message: ReplaceDecoder) -> Body {
    .command(
      .replace(
        ReplaceOrder(
          account: message.account, order: message.orderId, clientOrderId: message.clientOrderId,
          price: message.price, quantity: message.quantity)))
  }

  private func cancel(_ message: CancelDecoder) -> Body {
    .command(
      .cancel(
        CancelOrder(
          account: message.account, order: message.orderId,
          clientOrderId: message.clientOrderId)))
  }

  private func massCancel(_ message: MassCancelDecoder) -> Body {
    guard let sides = message.sides else { return .badEnum(message.sidesRaw, message.account) }
    return .command(
      .order(
        .massCancel(
          MassCancel(account: message.account, instrument: message.instrument, sides: sides))))
  }

  private func setAgent(_ message: SetAgentDecoder) -> Body {
    guard message.flags.isSubset(of: .known) else {
      return .badEnum(message.flags.rawValue, message.account)
    }
    return .command(
      .order(
        .setAgent(
          SetAgent(
            account: message.account, instrument: message.instrument,
            sells: message.flags.contains(.sells), buys: message.flags.contains(.buys),
            sellPrice: message.sellPrice, sellAbove: message.sellAbove, buyPrice: message.buyPrice,
            buyBelow: message.buyBelow, target: message.target))))
  }

  private func transfer(_ message: TransferDecoder) -> Body {
    guard let asset = message.asset else {
      return .badEnum(message.assetRaw, message.fromAccount)
    }
    return .command(
      .cash(
        .transfer(
          Transfer(
            from: message.fromAccount, to: message.toAccount, asset: asset,
            currency: message.currency, area: message.area, amount: message.amount,
            clientOrderId: message.clientOrderId))))
  }

  private func createParticipant(_ message: CreateParticipantDecoder) -> Body {
    .command(
      .reference(
        .createParticipant(
          CreateParticipant(participant: message.participant, name: message.shortName))))
  }

  private func registerSession(_ message: RegisterSessionDecoder) -> Body {
    .command(
      .reference(
        .registerSession(
          RegisterSession(
            session: message.sessionId, participant: message.participant, roles: message.roles,
            publicKey: message.publicKey))))
  }

  private func createAccount(_ message: CreateAccountDecoder) -> Body {
    .command(
      .reference(
        .createAccount(
          CreateAccount(account: message.account, participant: message.participant))))
  }

  private func setCap(_ message: SetCapDecoder) -> Body {
    .command(
      .reference(.setCap(SetCap(account: message.account, area: message.area, cap: message.cap))))
  }

  private func createArea(_ message: CreateAreaDecoder) -> Body {
    .command(
      .reference(
        .createArea(
          CreateArea(
            area: message.area, currency: message.currency, code: message.areaCode,
            storageCost: message.storageCost, storagePrice: message.storagePrice,
            feedInPrice: message.feedInPrice, retailPrice: message.retailPrice,
            lossFactor: message.lossFactor))))
  }

  private func setTariff(_ message: SetTariffDecoder) -> Body {
    .command(
      .reference(
        .setTariff(
          SetTariff(
            area: message.area, feedInPrice: message.feedInPrice, retailPrice: message.retailPrice))
      ))
  }

  /// A version that this program does not know is never journaled, so that one in a journal says that a newer
  /// program wrote it.
  private func setRules(_ message: SetRulesDecoder) -> Body {
    message.version <= RulesVersion.newest
      ? .command(.control(.setRules(SetRules(version: message.version))))
      : .refused(.outOfRange, limit: Int64(RulesVersion.newest))
  }

  private func createInstrument(_ message: CreateInstrumentDecoder) -> Body {
    guard let kind = message.kind else { return .badEnum(message.kindRaw) }
    return .command(
      .reference(
        .createInstrument(
          CreateInstrument(
            instrument: message.instrument, area: message.area, kind: kind, symbol: message.symbol,
            tick: message.tickSize, lot: message.lot, lowestPrice: message.lowestPrice,
            highestPrice: message.highestPrice, makerFee: message.makerFee,
            takerFee: message.takerFee))))
  }

  private func setInstrumentState(_ message: SetInstrumentStateDecoder) -> Body {
    guard let state = message.state else { return .badEnum(message.stateRaw) }
    return .command(
      .reference(
        .setInstrumentState(SetInstrumentState(instrument: message.instrument, state: state))))
  }

  private func registerMeter(_ message: RegisterMeterDecoder) -> Body {
    .command(
      .reference(
        .registerMeter(
          RegisterMeter(
            meter: message.meter, account: message.account, area: message.area,
            publicKey: message.publicKey))))
  }

  private func deposit(_ message: DepositDecoder) -> Body {
    .command(
      .cash(
        .deposit(
          CashMovement(
            account: message.account, currency: message.currency, amount: message.amount,
            reference: message.reference))))
  }

  private func withdraw(_ message: WithdrawDecoder) -> Body {
    .command(
      .cash(
        .withdraw(
          CashMovement(
            account: message.account, currency: message.currency, amount: message.amount,
            reference: message.reference))))
  }
}
