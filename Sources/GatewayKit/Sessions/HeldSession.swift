// A session without a handshake: for gateways whose clients prove in one step who they are. (The binary gateway has
// FixpSession, which negotiates and establishes, takes sequence numbers from its client and finishes.)
//
//     logs on ──▶ HeldSession   the version established last, by whichever gateway; a new one only if there is none
//     says    ──▶ submit        numbered behind what the session sent before
//     gets    ◀── gets          reports of this version
//     goes    ──▶ release       free for others; its orders are cancelled if it does not come back in time

import MarketModel

/// A session that a gateway has established for one of its connections. Owned by the I/O thread.
public struct HeldSession {
  /// Whose.
  public let session: SessionId
  /// In which version.
  public let version: UInt64
  /// How long its orders outlive its connection, in ms; `BeginSession.never`: for ever.
  public let cancelAfter: UInt32
  /// Number of its next command.
  public private(set) var nextCommand: UInt64
  private var isAwaitingReports = false
  private var throttle: SessionThrottle
  private var isCancelCounted = false
  private let seat: GatewaySeat
  private let connection: UInt64

  /// Establishes `session`, and has the journal told that it begins or goes on.
  /// - Parameters:
  ///   - seat: That of the gateway.
  ///   - connection: The gateway's number of the connection, never used again.
  ///   - wall: The time that becomes the version of a session that never began.
  ///   - throttle: The rate limits of all sessions of the gateway; its own one holds too.
  ///   - address: Where the client connects from; `nil`: not known, so that only its connection can be limited.
  ///   - isProven: Whether the client is who it says; asked only while its address is not limited (`LogOnLimits`).
  /// - Throws: 1022 when too many log-ons from the address proved nothing; 1002 when this one proves nothing, or the
  ///   session is not registered or revoked: the gateway then closes the connection; 1008 when another connection has
  ///   it established, by whichever gateway, 1026 or 1027 when all places are taken, 1004 when no version is left.
  public init(
    _ session: SessionId, on seat: GatewaySeat, _ connection: UInt64,
    from address: LogOnAddress? = nil, cancelAfter: UInt32,
    throttle: SessionThrottle = SessionThrottle(), wall: Timestamp = SystemClock.now(),
    isProven: @autoclosure () -> Bool
  ) throws(Refusal) {
    let view = seat.view
    if let left = seat.logOns.timeLeft(address, at: seat.clock.now) {
      seat.noteRefused(session, .tooMany, from: address)
      throw Refusal(.tooManyLogOns, limit: Int64(clamping: left))
    }
    let isKnown = !view.reference.roles(of: session).isEmpty
    guard isProven(), isKnown else {
      seat.noteRefused(session, isKnown ? .badSignature : .unknownSession, from: address)
      throw Refusal(.badSignature)
    }
    if view.identities.isEstablished(session) { throw Refusal(.alreadyEstablished) }
    if let refusal = seat.places.refusal(of: session, in: view.reference) {
      seat.noteRefused(session, .noPlace, from: address)
      throw refusal
    }
    let (open, last) = (
      view.identities.openVersion(session), view.identities.lastVersion(session)
    )
    if open == 0 {
      if last == .max { throw Refusal(.sessionVersionNotIncreasing, limit: .max) }
      version = max(last + 1, wall.nanoseconds)
      view.identities.negotiated(session, version: version)
    } else {
      version = open
    }
    view.identities.establish(session, version: version, by: seat.number)
    seat.lost.found(session)
    seat.places.take(session, in: view.reference)
    nextCommand = view.identities.nextIncoming(session)
    (self.session, self.cancelAfter) = (session, cancelAfter)
    (self.seat, self.connection, self.throttle) = (seat, connection, throttle)
    seat.exchange.submitOwn(
      .session(
        .beginSession(BeginSession(session: session, version: version, cancelAfter: cancelAfter))))
  }

  /// Number of the next report that its client gets.
  public var nextReport: UInt64 { seat.view.flows.flow(of: session).next(in: version) }

  /// Whether its client gets this report.
  public func gets(_ report: Report) -> Bool {
    report.session == session && report.version == version
  }

  /// Counts a message of its client's, so that the session's own limit of messages per second
  /// (market rules 14) holds. `submit` and `askForReports` count theirs; a gateway calls it for every
  /// other message.
  /// - Throws: 9003 when the message is rejected; 9004 when the gateway is to end the connection.
  public mutating func count() throws(Refusal) { try count(isCancel: false) }

  private mutating func count(isCancel: Bool) throws(Refusal) {
    isCancelCounted = isCancel
    try throttle.count(
      isCancel: isCancel, own: seat.view.messageLimit(of: session), at: seat.clock.now)
  }

  /// Takes back the count of the last message, because the gateway will present it again: the intake
  /// was full, or the answer is still to come.
  public mutating func putBack() { throttle.putBack(isCancel: isCancelCounted) }

  /// Submits a command of its client's; one that is taken has used a number.
  /// - Returns: `false` when the intake is full: the client is not read until it is taken, after `putBack`.
  /// - Throws: what `count` throws, and what the server says that takes nothing; 2007 when no number
  ///   is left.
  public mutating func submit(_ body: Command.Body) throws(Refusal) -> Bool {
    try count(isCancel: body.isCancel)
    // The highest number would leave none to expect.
    if nextCommand == .max { throw Refusal(.sequenceGap, limit: .max) }
    switch seat.exchange.submit(Command(session: session, clientSequence: nextCommand, body: body))
    {
    case .taken: nextCommand += 1
    case .full: return false
    case .refused(let refusal): throw refusal
    }
    return true
  }

  /// Has reports sent again: they come by `Gateway.retransmit`.
  /// - Parameter most: Reports that one query may ask for.
  /// - Throws: what `count` throws; 1018 when the query before is not answered, 1017 when they are too many, 1016 when they were never sent.
  public mutating func askForReports(
    from: UInt64, count: UInt32, most: UInt32
  ) throws(Refusal) {
    try self.count()
    if isAwaitingReports { throw Refusal(.retransmitBusy) }
    let query = RetransmitQuery(
      session: session, version: version, from: from, count: count, timestamp: SystemClock.now(),
      gateway: seat.number, connection: connection)
    if let refusal = seat.view.flows.flow(of: session).refusal(of: query, most: most) {
      throw refusal
    }
    isAwaitingReports = true
    seat.exchange.retransmit(query)
  }

  /// An answer has come to `query`.
  /// - Returns: Whether this connection asked, so that the next may be asked.
  public mutating func isAnswered(_ query: RetransmitQuery) -> Bool {
    guard query.connection == connection, query.version == version else { return false }
    isAwaitingReports = false
    return true
  }

  /// Gives the session up: its connection is gone, or ends. Once.
  /// - Parameter refusal: Why the gateway ends it, if it does. The orders of a session whose key was
  ///   replaced or revoked are left to the operator.
  /// - Returns: The session.
  @discardableResult public func release(_ refusal: Refusal? = nil) -> SessionId {
    seat.view.identities.release(session, nextIncoming: nextCommand)
    seat.places.leave(session)
    if refusal?.code.endsKey != true {
      seat.lost.lose(session, version: version, cancelAfter: cancelAfter)
    }
    return session
  }
}

extension Command.Body {
  /// Whether it is a cancel or a mass cancel, which a client over its limit may still send.
  fileprivate var isCancel: Bool {
    switch self {
    case .cancel, .order(.massCancel): true
    default: false
    }
  }
}
