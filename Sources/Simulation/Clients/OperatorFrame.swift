import MarketModel
import Wire

/// Frames of role administration.
enum OperatorFrame {
  typealias Write = (Int, (UnsafeMutableRawPointer) -> Void) -> Void

  static func write(
    _ body: Command.Body, _ sequence: UInt64, _ now: Timestamp, _ write: Write
  ) {
    switch body {
    case .cash(.deposit(let movement)):
      write(DepositEncoder.frameLength) {
        DepositEncoder(
          into: $0, seqNo: sequence, sendingTime: now, amount: movement.amount,
          reference: movement.reference, account: movement.account, currency: movement.currency)
      }
    case .cash(.withdraw(let movement)):
      write(WithdrawEncoder.frameLength) {
        WithdrawEncoder(
          into: $0, seqNo: sequence, sendingTime: now, amount: movement.amount,
          reference: movement.reference, account: movement.account, currency: movement.currency)
      }
    case .reference(.setCap(let cap)):
      write(SetCapEncoder.frameLength) {
        SetCapEncoder(
          into: $0, seqNo: sequence, sendingTime: now, cap: cap.cap, account: cap.account,
          area: cap.area)
      }
    case .reference(.setTariff(let tariff)):
      write(SetTariffEncoder.frameLength) {
        SetTariffEncoder(
          into: $0, seqNo: sequence, sendingTime: now, feedInPrice: tariff.feedInPrice,
          retailPrice: tariff.retailPrice, area: tariff.area)
      }
    case .reference(.setInstrumentState(let state)):
      write(SetInstrumentStateEncoder.frameLength) {
        SetInstrumentStateEncoder(
          into: $0, seqNo: sequence, sendingTime: now, instrument: state.instrument,
          state: state.state)
      }
    default: writeDefinition(body, sequence, now, write)
    }
  }

  private static func writeDefinition(
    _ body: Command.Body, _ sequence: UInt64, _ now: Timestamp, _ write: Write
  ) {
    switch body {
    case .reference(.createParticipant(let participant)):
      write(CreateParticipantEncoder.frameLength) {
        CreateParticipantEncoder(
          into: $0, seqNo: sequence, sendingTime: now, participant: participant.participant,
          shortName: participant.name)
      }
    case .reference(.registerSession(let session)):
      write(RegisterSessionEncoder.frameLength) {
        RegisterSessionEncoder(
          into: $0, seqNo: sequence, sendingTime: now, sessionId: session.session,
          participant: session.participant, publicKey: session.publicKey, roles: session.roles)
      }
    case .reference(.createAccount(let account)):
      write(CreateAccountEncoder.frameLength) {
        CreateAccountEncoder(
          into: $0, seqNo: sequence, sendingTime: now, account: account.account,
          participant: account.participant)
      }
    case .reference(.createArea(let area)):
      write(CreateAreaEncoder.frameLength) {
        CreateAreaEncoder(
          into: $0, seqNo: sequence, sendingTime: now, storageCost: area.storageCost,
          storagePrice: area.storagePrice, feedInPrice: area.feedInPrice,
          retailPrice: area.retailPrice, areaCode: area.code, lossFactor: area.lossFactor,
          area: area.area, currency: area.currency)
      }
    case .reference(.createInstrument(let instrument)):
      write(CreateInstrumentEncoder.frameLength) {
        CreateInstrumentEncoder(
          into: $0, seqNo: sequence, sendingTime: now, tickSize: instrument.tick,
          lot: instrument.lot, lowestPrice: instrument.lowestPrice,
          highestPrice: instrument.highestPrice, symbol: instrument.symbol,
          makerFee: instrument.makerFee, takerFee: instrument.takerFee,
          instrument: instrument.instrument, area: instrument.area, kind: instrument.kind)
      }
    case .reference(.registerMeter(let meter)):
      write(RegisterMeterEncoder.frameLength) {
        RegisterMeterEncoder(
          into: $0, seqNo: sequence, sendingTime: now, publicKey: meter.publicKey,
          meter: meter.meter, account: meter.account, area: meter.area)
      }
    default: preconditionFailure("no client asks for this")
    }
  }
}
