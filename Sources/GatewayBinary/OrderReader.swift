// A client's frame to a command. What only a look at the frame and the sender's roles can tell is
// answered here (2006, 3001) and what a look at the directory must (7001, 7002: the exchange never sees
// a signature). All else, also whether an account exists and whose it is, the exchange judges: the
// directory trails it by what is not durable yet.

import MarketModel
import Transport
import Wire

/// Reads commands from frames. Pure; allocates only to verify a meter's signature.
public struct OrderReader: Sendable {
  /// What a frame holds.
  public enum Result: Sendable {
    /// A command to submit.
    case command(Command)
    /// It is answered here.
    case rejected(Rejected)
  }

  /// A reader.
  public init() {}

  /// The roles of which a session needs one to send `template`; none: any session may.
  public static func roles(for template: Template) -> Roles {
    switch template {
    case .newOrder, .newOrderExtended, .replace, .cancel, .massCancel, .setAgent, .transfer:
      .trading
    case .meterReading: [.metering, .trading]
    case .createParticipant, .registerSession, .createAccount, .setCap, .createArea, .setTariff,
      .createInstrument, .setInstrumentState, .registerMeter, .deposit, .withdraw, .tick, .setRules:
      .administration
    default: []
    }
  }

  /// The command in `frame`, which is no meter reading: nothing need be looked up.
  func readOrder(
    _ frame: Frame, _ template: Template, from session: SessionId, roles: Roles
  ) -> Result {
    let needed = Self.roles(for: template)
    guard !roles.isDisjoint(with: needed) else {
      return .rejected(Self.notPermitted(needed, frame, session))
    }
    switch template {
    case .newOrder: return order(frame, session)
    case .newOrderExtended: return extendedOrder(frame, session)
    default: return body(of: frame, template).result(frame, session)
    }
  }

  /// The command in `frame`.
  /// - Parameters:
  ///   - template: As the frame reader found it; one that `isCommand`.
  ///   - session: The sender.
  ///   - roles: What it may do.
  ///   - directory: Knows the meters' keys.
  ///   - verify: Whether a signature is that of a key's owner.
  package func read(
    _ frame: Frame, _ template: Template, from session: SessionId, roles: Roles,
    directory: borrowing Directory,
    verify: (Signature, Frame, SigningPurpose, PublicKey) -> Bool = SignatureCheck.isValid
  ) -> Result {
    guard template == .meterReading else {
      return readOrder(frame, template, from: session, roles: roles)
    }
    switch readReading(
      frame, from: session, roles: roles, directory: directory, connection: .null)
    {
    case .rejected(let rejected): return .rejected(rejected)
    case .signed(let signed):
      return signed.result(isValid: verify(signed.signature, frame, .reading, signed.key))
    }
  }

  private static func notPermitted(
    _ needed: Roles, _ frame: Frame, _ session: SessionId
  ) -> Rejected {
    Rejected(
      code: .notPermitted, limit: Int64(needed.rawValue), session: session,
      clientSequence: frame.sequenceNumber)
  }

  /// Whether `template` asks for a command; otherwise it is the session's own or a question.
  public static func isCommand(_ template: Template) -> Bool { !roles(for: template).isEmpty }

  // MARK: Orders

  private func order(_ frame: Frame, _ session: SessionId) -> Result {
    guard let message = NewOrderDecoder(frame) else { Self.notChecked() }
    return enter(message, .zero, .never, .zero, .exchange).result(frame, session)
  }

  private func extendedOrder(_ frame: Frame, _ session: SessionId) -> Result {
    guard let message = NewOrderExtendedDecoder(frame) else { Self.notChecked() }
    return enter(
      message, message.minimumQuantity, message.expireTime, message.displayQuantity,
      message.onBehalfOf
    ).result(frame, session)
  }

  @inline(__always) private func enter(
    _ message: some OrderFields, _ minimumQuantity: Energy, _ expireTime: Timestamp,
    _ displayQuantity: Energy, _ onBehalfOf: SessionId
  ) -> Body {
    guard let side = message.side else { return bad(message.sideRaw, message) }
    guard let timeInForce = message.timeInForce else {
      return bad(message.timeInForceRaw, message)
    }
    guard let prevention = message.selfTradePrevention else {
      return bad(message.selfTradePreventionRaw, message)
    }
    guard message.flags.isSubset(of: .known) else { return bad(message.flags.rawValue, message) }
    return .command(
      .enter(
        NewOrder(
          account: message.account, instrument: message.instrument, side: side,
          type: message.flags.contains(.market) ? .market : .limit, timeInForce: timeInForce,
          selfTradePrevention: prevention, postOnly: message.flags.contains(.postOnly),
          clientOrderId: message.clientOrderId, price: message.price, quantity: message.quantity,
          minimumQuantity: minimumQuantity, expireTime: expireTime,
          displayQuantity: displayQuantity, onBehalfOf: onBehalfOf)))
  }

  private func bad(_ value: UInt8, _ message: some OrderFields) -> Body {
    .badEnum(value, message.account, message.clientOrderId)
  }

  private static func notChecked() -> Never {
    preconditionFailure("the frame reader checks template and length first")
  }

  // MARK: Readings

  /// What a reading's frame holds, its signature not yet checked.
  enum Reading {
    case signed(SignedReading)
    case rejected(Rejected)
  }

  /// The reading in `frame`, which is one.
  /// - Parameters:
  ///   - directory: Knows the meters' keys.
  ///   - connection: Where it came from.
  func readReading(
    _ frame: Frame, from session: SessionId, roles: Roles, directory: borrowing Directory,
    connection: ConnectionId
  ) -> Reading {
    guard !roles.isDisjoint(with: Self.roles(for: .meterReading)) else {
      // A reading is permitted by metering; trading is enough only for a meter of one's own.
      return .rejected(Self.notPermitted(.metering, frame, session))
    }
    guard let message = MeterReadingDecoder(frame) else { Self.notChecked() }
    guard let meter = directory.meter(message.meter) else {
      return .rejected(
        Rejected(
          code: .unknownMeter, limit: Int64(directory.highestMeter), session: session,
          clientSequence: frame.sequenceNumber))
    }
    return .signed(
      SignedReading(
        reading: MeterReading(
          meter: message.meter, registerSequence: message.registerSequence,
          intervalStart: message.intervalStart, intervalEnd: message.intervalEnd,
          produced: message.produced, consumed: message.consumed),
        signature: message.signature, key: meter.key, account: meter.account, session: session,
        clientSequence: frame.sequenceNumber, sendingTime: message.sendingTime,
        connection: connection))
  }
}

extension SignedReading {
  /// The command, when its signature is valid; else the reject.
  func result(isValid: Bool) -> OrderReader.Result {
    isValid
      ? .command(
        Command(session: session, clientSequence: clientSequence, body: .meterReading(reading)))
      : .rejected(
        Rejected(
          code: .badMeterSignature, limit: 0, session: session, clientSequence: clientSequence,
          account: account))
  }
}

/// What the fields of a frame amount to, before sender and sequence number are added.
enum Body {
  /// A command.
  case command(Command.Body)
  /// What `.tick` asks for: the time goes beside the body.
  case tick(Timestamp)
  /// A field with a closed list has this value outside it (2006).
  case badEnum(UInt8, AccountId = .null, ClientOrderId = .engine)
  /// It is no command that this program can journal: the code and the limit broken.
  case refused(RejectCode, limit: Int64)

  func result(_ frame: Frame, _ session: SessionId) -> OrderReader.Result {
    switch self {
    case .command(let body):
      .command(Command(session: session, clientSequence: frame.sequenceNumber, body: body))
    case .tick(let time):
      .command(
        Command(
          session: session, clientSequence: frame.sequenceNumber, body: .control(.tick), time: time)
      )
    case .badEnum(let value, let account, let id):
      .rejected(
        Rejected(
          code: .badEnumValue, limit: Int64(value), session: session,
          clientSequence: frame.sequenceNumber, account: account, clientOrderId: id))
    case .refused(let code, let limit):
      .rejected(
        Rejected(
          code: code, limit: limit, session: session, clientSequence: frame.sequenceNumber))
    }
  }
}

/// What NewOrder and NewOrderExtended have in common.
private protocol OrderFields {
  var account: AccountId { get }
  var instrument: InstrumentId { get }
  var clientOrderId: ClientOrderId { get }
  var price: Price { get }
  var quantity: Energy { get }
  var side: Side? { get }
  var sideRaw: UInt8 { get }
  var timeInForce: TimeInForce? { get }
  var timeInForceRaw: UInt8 { get }
  var selfTradePrevention: SelfTradePrevention? { get }
  var selfTradePreventionRaw: UInt8 { get }
  var flags: OrderFlags { get }
}

extension NewOrderDecoder: OrderFields {}
extension NewOrderExtendedDecoder: OrderFields {}
