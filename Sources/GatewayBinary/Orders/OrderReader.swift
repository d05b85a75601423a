// A client's frame to a command. What only a look at the frame and the sender's roles can tell is
// answered here (2006, 3001) and what a look at reference data must (7001, 7002: the exchange never sees
// a signature). All else, also whether an account exists and whose it is, the exchange judges: the
// reference data trail it by what is not durable yet.

import GatewayKit
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

  /// The command in `frame`, which is no meter reading: nothing need be looked up.
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
    default: return body(of: frame, template).result(frame, session)
    }
  }

  /// The command in `frame`.
  /// - Parameters:
  ///   - template: As the frame reader found it; one that `isCommand`.
  ///   - session: The sender.
  ///   - roles: What it may do.
  ///   - reference: Knows the meters' keys.
  ///   - verify: Whether a signature is that of a key's owner.
  package func read(
    _ frame: Frame, _ template: Template, from session: SessionId, roles: Roles,
    reference: borrowing ReferenceData,
    verify: (Signature, Frame, SigningPurpose, PublicKey) -> Bool = SignatureCheck.isValid
  ) -> Result {
    guard template == .meterReading else {
      return readOrder(frame, template, from: session, roles: roles)
    }
    switch readReading(
      frame, from: session, roles: roles, reference: reference, connection: 0)
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

  /// A version that this program does not know is never journaled, so that one in a journal says that a newer
  /// program wrote it.
  static func refusal(of rules: SetRules) -> Body? {
    rules.version <= RulesVersion.newest
      ? nil : .refused(.outOfRange, limit: Int64(RulesVersion.newest))
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
  ///   - reference: Knows the meters' keys.
  ///   - connection: Where it came from.
  func readReading(
    _ frame: Frame, from session: SessionId, roles: Roles, reference: borrowing ReferenceData,
    connection: UInt64, _ gateway: GatewayNumber = .first
  ) -> Reading {
    guard !roles.isDisjoint(with: Self.roles(for: .meterReading)) else {
      // A reading is permitted by metering; trading is enough only for a meter of one's own.
      return .rejected(Self.notPermitted(.metering, frame, session))
    }
    guard let message = MeterReadingDecoder(frame) else { Self.notChecked() }
    guard let meter = reference.meter(message.meter) else {
      return .rejected(
        Rejected(
          code: .unknownMeter, limit: Int64(reference.highestMeter), session: session,
          clientSequence: frame.sequenceNumber))
    }
    return .signed(
      SignedReading(
        MeterReading(
          meter: message.meter, registerSequence: message.registerSequence,
          intervalStart: message.intervalStart, intervalEnd: message.intervalEnd,
          produced: message.produced, consumed: message.consumed),
        signature: message.signature, key: meter.key, account: meter.account, session: session,
        clientSequence: frame.sequenceNumber, sendingTime: message.sendingTime,
        gateway: gateway, connection: connection))
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
