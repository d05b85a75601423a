// Decodes a client's frame into a command. It rejects what can be judged from the frame and the
// sender's roles (2006, 3001), and readings whose meter or signature is wrong (7001, 7002: the
// exchange never sees a signature). The exchange validates everything else, including account
// existence and ownership, because the reference data only reflect durable commands.

import GatewayKit
import MarketModel
import Transport
import Wire

/// Decodes commands. Stateless; allocates only to verify a meter's signature.
public struct OrderReader: Sendable {
  /// The result of decoding a frame.
  public enum Result: Sendable {
    /// A command to submit.
    case command(Command)
    /// A reject, to be sent by the gateway.
    case rejected(Rejected)
  }

  /// Creates a reader.
  public init() {}

  /// Decodes `frame`, which is not a meter reading; needs no reference data.
  func readOrder(
    _ frame: Frame, _ template: Template, from session: SessionId, roles: Roles
  ) -> Result {
    let needed = Self.roles(for: template)
    guard !roles.isDisjoint(with: needed) else {
      return .rejected(Self.notPermitted(needed, frame, session))
    }
    switch template {
    case .newOrder:
      guard let message = NewOrderDecoder(frame) else { Self.notChecked() }
      return command(message).result(frame, session)
    case .newOrderExtended:
      guard let message = NewOrderExtendedDecoder(frame) else { Self.notChecked() }
      return command(message).result(frame, session)
    default:
      let body = body(of: frame, template)
      return (Self.weakKey(in: body) ?? Self.badLabel(in: body) ?? body).result(frame, session)
    }
  }

  /// The refusal of a registration with a public key with which signatures prove nothing. A session
  /// that is revoked, a meter that ends, and one for which a metering operator answers need no key.
  private static func weakKey(in body: Body) -> Body? {
    let key: PublicKey? =
      switch body {
      case .command(.reference(.registerSession(let new))) where new.roles != []: new.publicKey
      case .command(.reference(.registerMeter(let new)))
      where new.account != .null && !new.needsNoKey:
        new.publicKey
      default: nil
      }
    return key?.isOfSmallOrder == true
      ? .refused(Refusal(.badDefinition, field: .publicKey)) : nil
  }

  /// The refusal of a label that would move the cursor of a terminal, or end a line of a file, or
  /// that nobody could see.
  private static func badLabel(in body: Body) -> Body? {
    let label: Label? =
      switch body {
      case .command(.reference(.createParticipant(let new))): new.name
      case .command(.reference(.createArea(let new))): new.code
      case .command(.reference(.createInstrument(let new))): new.symbol
      case .command(.reference(.createAccount(let new))): new.label
      case .command(.reference(.setAccount(let new))): new.label
      case .command(.reference(.setMeterPlace(let new))): new.place
      default: nil
      }
    guard let label else { return nil }
    return !label.isPrintable || label.isBlank
      ? .refused(Refusal(.badDefinition, field: .label)) : nil
  }

  /// Decodes any command in `frame`.
  /// - Parameters:
  ///   - template: Template of the frame, for which `isCommand` is true.
  ///   - session: The sender.
  ///   - roles: The sender's roles.
  ///   - reference: Contains the meters' keys.
  ///   - market: The market that a meter's signature must name.
  ///   - verify: Verifies a signature.
  package func read(
    _ frame: Frame, _ template: Template, from session: SessionId, roles: Roles,
    reference: borrowing ReferenceData, market: MarketId,
    verify: (Signature, Frame, SigningPurpose, PublicKey) -> Bool = SignatureCheck.isValid
  ) -> Result {
    guard template == .meterReading else {
      return readOrder(frame, template, from: session, roles: roles)
    }
    switch readReading(
      frame, from: session, roles: roles, reference: reference, connection: 0)
    {
    case .rejected(let rejected): return .rejected(rejected)
    case .unsigned(let command): return .command(command)
    case .signed(let signed):
      return signed.result(
        isValid: verify(signed.signature, frame, .reading(market), signed.key))
    }
  }

  private static func notPermitted(
    _ needed: Roles, _ frame: Frame, _ session: SessionId
  ) -> Rejected {
    rejected(frame, Refusal(.notPermitted, limit: Int64(needed.rawValue)), session)
  }

  /// The reject of a message that no command is made of, with the account, the order and the client
  /// order id that an order message names.
  static func rejected(_ frame: Frame, _ refusal: Refusal, _ session: SessionId) -> Rejected {
    var rejected = Rejected(
      code: refusal.code, limit: refusal.limit, session: session,
      clientSequence: frame.sequenceNumber, field: refusal.field)
    switch frame.template {
    case .newOrder:
      guard let message = NewOrderDecoder(frame) else { break }
      (rejected.account, rejected.clientOrderId) = (message.account, message.clientOrderId)
    case .newOrderExtended:
      guard let message = NewOrderExtendedDecoder(frame) else { break }
      (rejected.account, rejected.clientOrderId) = (message.account, message.clientOrderId)
    case .replace:
      guard let message = ReplaceDecoder(frame) else { break }
      (rejected.account, rejected.clientOrderId) = (message.account, message.clientOrderId)
      rejected.order = message.orderId
    case .cancel:
      guard let message = CancelDecoder(frame) else { break }
      (rejected.account, rejected.clientOrderId) = (message.account, message.clientOrderId)
      rejected.order = message.orderId
    default: break
    }
    return rejected
  }

  /// Whether `template` is a command, rather than a session message or a query.
  public static func isCommand(_ template: Template) -> Bool { !roles(for: template).isEmpty }

  /// A rules version that this program does not know is never journaled; one found in a journal was
  /// therefore written by a newer program.
  static func refusal(of rules: SetRules) -> Body? {
    rules.version <= RulesVersion.newest
      ? nil : .refused(Refusal(.outOfRange, RulesVersion.newest, .version))
  }

  private static func notChecked() -> Never {
    preconditionFailure("the frame reader checks template and length first")
  }

  // MARK: Readings

  /// The content of a reading's frame, whose signature is not yet verified.
  enum Reading {
    case signed(SignedReading)
    /// Of a meter for which a metering operator answers.
    case unsigned(Command)
    case rejected(Rejected)
  }

  /// Decodes the reading in `frame`.
  /// - Parameters:
  ///   - reference: Contains the meters' keys.
  ///   - connection: The connection that received it.
  func readReading(
    _ frame: Frame, from session: SessionId, roles: Roles, reference: borrowing ReferenceData,
    connection: UInt64, _ gateway: GatewayNumber = .first
  ) -> Reading {
    guard !roles.isDisjoint(with: Self.roles(for: .meterReading)) else {
      // The metering role permits every reading; the trading role only those of the participant's
      // own meters.
      return .rejected(Self.notPermitted(.metering, frame, session))
    }
    guard let message = MeterReadingDecoder(frame) else { Self.notChecked() }
    guard let quality = message.quality else {
      return .rejected(
        Self.rejected(
          frame, Refusal(.badEnumValue, message.qualityRaw, .quality), session))
    }
    let reading = MeterReading(
      meter: message.meter, registerSequence: message.registerSequence,
      intervalStart: message.intervalStart, intervalEnd: message.intervalEnd,
      produced: message.produced, consumed: message.consumed, quality: quality)
    let meter = reference.meter(message.meter, at: message.intervalStart)
    let isAttested = reference.attestation(of: message.meter) == .meteringOperator
    if isAttested, message.signature.isZero, roles.contains(.metering), let meter,
      meter.account != .null
    {
      return .unsigned(
        Command(
          session: session, clientSequence: frame.sequenceNumber, body: .meterReading(reading)))
    }
    guard let meter, let key = reference.key(of: message.meter, at: message.intervalStart) else {
      if isAttested, let meter, meter.account != .null {
        return .rejected(
          Rejected(
            code: .badMeterSignature, limit: 0, session: session,
            clientSequence: frame.sequenceNumber, account: meter.account))
      }
      return .rejected(
        Rejected(
          code: .unknownMeter, limit: Int64(reference.highestMeter), session: session,
          clientSequence: frame.sequenceNumber))
    }
    return .signed(
      SignedReading(
        reading, signature: message.signature, key: key, account: meter.account, session: session,
        clientSequence: frame.sequenceNumber, sendingTime: message.sendingTime,
        gateway: gateway, connection: connection))
  }
}

extension RegisterMeter {
  /// Whether nobody needs to verify a signature of the meter: a metering operator answers for it, and no
  /// key is given.
  fileprivate var needsNoKey: Bool {
    attestation == .meteringOperator && publicKey == PublicKey(0, 0, 0, 0)
  }
}

extension SignedReading {
  /// The command if the signature is valid, else the reject.
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

/// A decoded command body, before session and sequence number are added.
enum Body {
  /// A command.
  case command(Command.Body)
  /// A Tick; its time is stored in the command, not in the body.
  case tick(Timestamp)
  /// An enumeration field has this undefined value (2006).
  case badEnum(UInt8, RejectField, AccountId = .null, ClientOrderId = .engine)
  /// The command is not allowed.
  case refused(Refusal)

  func result(_ frame: Frame, _ session: SessionId) -> OrderReader.Result {
    switch self {
    case .command(let body):
      .command(Command(session: session, clientSequence: frame.sequenceNumber, body: body))
    case .tick(let time):
      .command(
        Command(
          session: session, clientSequence: frame.sequenceNumber, body: .control(.tick), time: time)
      )
    case .badEnum(let value, let field, let account, let id):
      .rejected(
        Rejected(
          code: .badEnumValue, limit: Int64(value), session: session,
          clientSequence: frame.sequenceNumber, account: account, clientOrderId: id, field: field))
    case .refused(let refusal):
      .rejected(OrderReader.rejected(frame, refusal, session))
    }
  }
}
