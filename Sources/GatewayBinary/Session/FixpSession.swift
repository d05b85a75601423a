// A client's session on one connection, as pure code: a message or the time in, what to do out.
//
//     connected --Negotiate--> negotiated --Establish--> established --Terminate--> ended
//         |  \___ Establish of the version established last ___/ |
//         +------- any violation, silence, or Terminate: a code, and ended ------+
//
// Within `established` a session may finish: the client's FinishedSending is answered with
// FinishedReceiving, and with the server's FinishedSending when nothing of the client's is left unanswered;
// the client's FinishedReceiving says that it has everything. Then Terminate loses nothing.
//
// A refused Negotiate or Establish is answered with its reject, everything else with Terminate; after
// both the connection is closed and the client starts again with a higher session version. The client
// flow is idempotent: a duplicate sequence number is dropped silently, a gap is answered with
// NotApplied and processing goes on (FIXP 1.0).

import GatewayKit
import MarketModel

/// What a Negotiate asks.
public struct NegotiateRequest: Equatable, Sendable {
  /// Who.
  public var session: SessionId
  /// The version of the session: higher than any before.
  public var version: UInt64
  /// The client's clock.
  public var timestamp: Timestamp

  /// All fields.
  public init(session: SessionId, version: UInt64, timestamp: Timestamp) {
    (self.session, self.version, self.timestamp) = (session, version, timestamp)
  }
}

/// What an Establish asks.
public struct EstablishRequest: Equatable, Sendable {
  /// Who.
  public var session: SessionId
  /// The negotiated version.
  public var version: UInt64
  /// The client's clock.
  public var timestamp: Timestamp
  /// How often either side says something, in ms.
  public var keepAliveMilliseconds: UInt32
  /// Number of the client's next message; 0: it does not say.
  public var nextSequence: UInt64
  /// How long its orders outlive its connection, in ms; `BeginSession.never`: for ever.
  public var cancelAfter: UInt32

  /// All fields.
  public init(
    session: SessionId, version: UInt64, timestamp: Timestamp, keepAliveMilliseconds: UInt32,
    nextSequence: UInt64 = 1, cancelAfter: UInt32 = BeginSession.never
  ) {
    (self.session, self.version, self.timestamp) = (session, version, timestamp)
    self.keepAliveMilliseconds = keepAliveMilliseconds
    (self.nextSequence, self.cancelAfter) = (nextSequence, cancelAfter)
  }
}

/// The FIXP state machine of one connection. Owned by the I/O thread.
public struct FixpSession: Sendable {
  /// How far the client has come.
  public enum State: Equatable, Sendable {
    /// Nothing was said.
    case connected
    /// Who it is, is known.
    case negotiated
    /// Application messages flow.
    case established
    /// Over; the connection is being closed.
    case ended
  }

  /// How far an established session has come to its end.
  public enum Finish: Equatable, Sendable {
    /// Messages flow both ways.
    case open
    /// The client sends no more; the server still answers.
    case received
    /// Nor does the server send more.
    case sent
    /// The client has everything: Terminate is what is left.
    case done
  }

  /// How a Negotiate or an Establish is answered.
  public enum Answer: Equatable, Sendable {
    /// Sends NegotiationResponse.
    case respond
    /// Sends EstablishmentAck.
    case acknowledge
    /// Sends NegotiationReject and closes.
    case rejectNegotiation(Refusal)
    /// Sends EstablishmentReject and closes.
    case rejectEstablishment(Refusal)
  }

  /// What the connection does next.
  public enum Action: Equatable, Sendable {
    /// Nothing.
    case none
    /// Answers the request that was made: the caller has it.
    case answer(Answer)
    /// Sends Terminate with a code and closes.
    case terminate(Refusal)
    /// Answers the client's Terminate with one and closes.
    case answerTerminate
    /// Sends Sequence: nothing else was sent for an interval.
    case sendSequence
  }

  /// What is done with an application message.
  public enum Admission: Equatable, Sendable {
    /// It is processed.
    case process
    /// The session sends too much: it is rejected with this.
    case reject(Refusal)
    /// It is processed, after NotApplied for `count` messages from `from`.
    case processAfterGap(from: UInt64, count: UInt64)
    /// It was processed before.
    case drop
    /// It is no time for it: Terminate with a code, and close.
    case terminate(Refusal)
  }

  /// Limits of a session.
  public struct Limits: Sendable, Equatable {
    /// How far a client's clock may be from ours, in ns.
    public var clockWindow: UInt64 = 5_000_000_000
    /// Shortest keep-alive interval, in ms.
    public var shortestKeepAlive: UInt32 = 1_000
    /// Longest keep-alive interval, in ms.
    public var longestKeepAlive: UInt32 = 60_000
    /// How long a client may take to negotiate and establish, in ns.
    public var handshake: UInt64 = 10_000_000_000
    /// Longest window of cancel on disconnect, in ms.
    public var longestCancelAfter: UInt32 = 60_000
    /// Messages a second, cancels excepted.
    public var messages = ThrottleLimits(limit: 250_000, cutoff: 1_000_000)
    /// Cancels and mass cancels a second.
    public var cancels = ThrottleLimits(limit: 1_000_000, cutoff: 4_000_000)
    /// Reports that one retransmission may hold.
    public var retransmission: UInt32 = 10_000

    /// The defaults.
    public init() {}
  }

  /// How far the client has come.
  public private(set) var state = State.connected
  /// How far it has come to its end.
  public private(set) var finish = Finish.open
  /// Who it is; `.exchange` before it negotiated.
  public private(set) var identity = SessionId.exchange
  /// The version it negotiated.
  public private(set) var version: UInt64 = 0
  /// The keep-alive interval in ns; 0 before it established.
  public private(set) var keepAlive: UInt64 = 0
  /// Next sequence number expected from the client.
  public private(set) var nextIncoming: UInt64 = 1
  /// The limits that it keeps to.
  public let limits: Limits
  private var messages: Throttle
  private var cancels: Throttle
  private var lastReceived: SteadyTime
  private var lastSent: SteadyTime

  /// A session on a connection that was accepted at `now`.
  public init(now: SteadyTime, limits: Limits = Limits()) {
    self.limits = limits
    (messages, cancels) = (Throttle(limits.messages), Throttle(limits.cancels))
    (lastReceived, lastSent) = (now, now)
  }

  /// Judges a Negotiate.
  /// - Parameters:
  ///   - now: The clock of intervals; `wall`: the one of the request's timestamp.
  ///   - identities: What is known of session identities; learns version and bad signatures.
  ///   - isRegistered: Whether the identity exists and has a role.
  ///   - signatureIsValid: Asked only when the key is not locked: verifying costs 50 us.
  public mutating func negotiate(
    _ request: NegotiateRequest, now: SteadyTime, wall: Timestamp,
    identities: inout SessionIdentities,
    isRegistered: Bool, signatureIsValid: @autoclosure () -> Bool
  ) -> Action {
    lastReceived = now
    guard state == .connected else { return end(.alreadyNegotiated) }
    guard isRegistered else { return refuseNegotiation(.unknownSession) }
    if let left = identities.lockLeft(request.session, now: now) {
      return refuseNegotiation(.keyLocked, limit: wall.limit(after: left))
    }
    guard signatureIsValid() else {
      identities.badSignature(request.session, now: now)
      return refuseNegotiation(.badSignature)
    }
    guard isInWindow(request.timestamp, wall) else {
      return refuseNegotiation(.timestampOutOfWindow, limit: Int64(limits.clockWindow))
    }
    let last = identities.lastVersion(request.session)
    guard request.version > last else {
      return refuseNegotiation(
        .sessionVersionNotIncreasing, limit: Int64(clamping: last))
    }
    guard !identities.isEstablished(request.session) else {
      return refuseNegotiation(.alreadyEstablished)
    }
    identities.negotiated(request.session, version: request.version)
    (state, identity, version) = (.negotiated, request.session, request.version)
    return .answer(.respond)
  }

  /// Judges an Establish: of the version negotiated on this connection, or first on a connection of
  /// the version established last, to come back to it. Then it takes the session over from a
  /// connection of the same gateway that may not know yet that it is dead: the gateway ends that one.
  /// - Parameters:
  ///   - now: The clock of intervals; `wall`: the one of the request's timestamp.
  ///   - gateway: By which the client comes.
  ///   - isRegistered: Whether the identity still exists and has a role.
  ///   - signatureIsValid: Asked only when the key is not locked.
  public mutating func establish(
    _ request: EstablishRequest, now: SteadyTime, wall: Timestamp,
    identities: inout SessionIdentities, by gateway: GatewayNumber = .first,
    isRegistered: Bool = true, signatureIsValid: @autoclosure () -> Bool
  ) -> Action {
    lastReceived = now
    let isReturning = state == .connected
    if state == .established || state == .ended { return end(.alreadyEstablished) }
    if let refusal = unknownVersion(request, identities) {
      return refuseEstablishment(refusal.code, limit: refusal.limit)
    }
    guard isRegistered else { return refuseEstablishment(.unknownSession) }
    if let left = identities.lockLeft(request.session, now: now) {
      return refuseEstablishment(.keyLocked, limit: wall.limit(after: left))
    }
    guard signatureIsValid() else {
      identities.badSignature(request.session, now: now)
      return refuseEstablishment(.badSignature)
    }
    if let refusal = badTerms(request, wall) {
      return refuseEstablishment(refusal.code, limit: refusal.limit)
    }
    let holder = identities.holder(of: request.session)
    guard holder == nil || (isReturning && holder == gateway) else {
      return refuseEstablishment(.alreadyEstablished)
    }
    identities.establish(request.session, version: request.version, by: gateway)
    (identity, version) = (request.session, request.version)
    nextIncoming = identities.nextIncoming(identity)
    keepAlive = UInt64(request.keepAliveMilliseconds) * 1_000_000
    (state, lastSent) = (.established, now)
    return .answer(.acknowledge)
  }

  /// Whether the version is neither negotiated here nor the one to come back to.
  private func unknownVersion(
    _ request: EstablishRequest, _ identities: SessionIdentities
  ) -> Refusal? {
    if state == .connected {
      let open = identities.openVersion(request.session)
      if open == 0 { return Refusal(.notNegotiated) }
      if request.version == open { return nil }
      return Refusal(.unknownSessionVersion, limit: Int64(clamping: open))
    }
    guard request.session == identity, request.version == version else {
      return Refusal(.unknownSessionVersion, limit: Int64(clamping: version))
    }
    // Another connection negotiated a higher version meanwhile: this one is over.
    let last = identities.lastVersion(identity)
    return version == last ? nil : Refusal(.unknownSessionVersion, limit: Int64(clamping: last))
  }

  /// What of the clock and of the intervals asked for is not allowed.
  private func badTerms(_ request: EstablishRequest, _ wall: Timestamp) -> Refusal? {
    guard isInWindow(request.timestamp, wall) else {
      return Refusal(.timestampOutOfWindow, limit: Int64(limits.clockWindow))
    }
    let interval = request.keepAliveMilliseconds
    let nearest = min(max(interval, limits.shortestKeepAlive), limits.longestKeepAlive)
    guard interval == nearest else {
      return Refusal(.keepAliveOutOfRange, limit: Int64(nearest))
    }
    let window = request.cancelAfter
    guard window <= limits.longestCancelAfter || window == BeginSession.never else {
      return Refusal(.cancelWindowOutOfRange, limit: Int64(limits.longestCancelAfter))
    }
    return nil
  }

  /// Judges an application message by its sequence number, and by how many came before it.
  /// - Parameter isCancel: Cancels have limits of their own.
  public mutating func admit(sequence: UInt64, now: SteadyTime, isCancel: Bool = false) -> Admission
  {
    lastReceived = now
    guard state == .established else { return .terminate(outOfPlace()) }
    if finish != .open { return .terminate(violation(.finishOutOfPlace, 0)) }
    // The highest number is no message: it would leave none to expect.
    guard sequence < .max else { return .terminate(violation(.sequenceGap, nextIncoming)) }
    let limits = isCancel ? cancels.limits : messages.limits
    switch isCancel ? cancels.count(at: now) : messages.count(at: now) {
    case .pass: break
    case .cut: return .terminate(violation(.flooding, UInt64(limits.cutoff)))
    case .reject:
      guard sequence >= nextIncoming else { return .drop }
      nextIncoming = sequence + 1
      return .reject(Refusal(.tooManyMessages, limit: Int64(limits.limit)))
    }
    if sequence == nextIncoming {
      nextIncoming += 1
      return .process
    }
    if sequence < nextIncoming { return .drop }
    let gap = nextIncoming
    nextIncoming = sequence + 1
    return .processAfterGap(from: gap, count: sequence - gap)
  }

  /// Undoes the admission of the message `sequence`: the intake was full, it will be shown again.
  public mutating func putBack(sequence: UInt64, isCancel: Bool = false) {
    precondition(sequence + 1 == nextIncoming)
    nextIncoming = sequence
    if isCancel { cancels.putBack() } else { messages.putBack() }
  }

  /// The session came back from a connection on which `next` was expected.
  public mutating func resume(at next: UInt64) { nextIncoming = max(nextIncoming, next) }

  /// Judges a message of the session's own that needs an established session.
  public mutating func request(now: SteadyTime) -> Admission {
    lastReceived = now
    return state == .established ? .process : .terminate(outOfPlace())
  }

  /// The client says that it lives, and which sequence number it will use next.
  /// - Returns: The gap that shows, for a NotApplied.
  public mutating func sequence(next: UInt64, now: SteadyTime) -> Admission {
    lastReceived = now
    guard state == .established else { return .terminate(outOfPlace()) }
    guard next > nextIncoming else { return .drop }
    if finish != .open { return .terminate(violation(.finishOutOfPlace, 0)) }
    let gap = nextIncoming
    nextIncoming = next
    return .processAfterGap(from: gap, count: next - gap)
  }

  // MARK: Finishing

  /// The client has sent its last message.
  /// - Parameter last: Its number; 0: there was none.
  /// - Returns: What comes before FinishedReceiving; `.drop`: it was said before, the answer comes again.
  public mutating func finishedSending(
    version: UInt64, last: UInt64, now: SteadyTime
  ) -> Admission {
    lastReceived = now
    guard state == .established else { return .terminate(outOfPlace()) }
    guard version == self.version else {
      return .terminate(violation(.unknownSessionVersion, self.version))
    }
    let isKnown = last < .max && last + 1 >= nextIncoming
    guard isKnown, finish == .open || last + 1 == nextIncoming else {
      return .terminate(violation(.sequenceGap, nextIncoming))
    }
    if finish != .open { return .drop }
    finish = .received
    let gap = nextIncoming
    nextIncoming = last + 1
    return gap == nextIncoming ? .process : .processAfterGap(from: gap, count: nextIncoming - gap)
  }

  /// Everything that the client sent was answered.
  /// - Returns: Whether FinishedSending is due: the client waits for it, and nothing follows it.
  public mutating func finishSending() -> Bool {
    guard state == .established, finish == .received else { return false }
    finish = .sent
    return true
  }

  /// The client has everything that the server sent.
  public mutating func finishedReceiving(version: UInt64, now: SteadyTime) -> Admission {
    lastReceived = now
    guard state == .established else { return .terminate(outOfPlace()) }
    guard version == self.version else {
      return .terminate(violation(.unknownSessionVersion, self.version))
    }
    guard finish == .sent || finish == .done else {
      return .terminate(violation(.finishOutOfPlace, 0))
    }
    finish = .done
    return .process
  }

  /// Whether reports may still be sent.
  public var isSending: Bool { finish == .open || finish == .received }

  /// The client ends the session.
  public mutating func terminated() -> Action {
    guard state != .ended else { return .none }
    state = .ended
    return .answerTerminate
  }

  /// Ends the session from our side: a malformed frame, the server's shutdown.
  /// - Returns: `.none` when it is over already.
  public mutating func terminate(_ refusal: Refusal) -> Action {
    guard state != .ended else { return .none }
    state = .ended
    return .terminate(refusal)
  }

  /// Time passes. Called a few times per second, when everything that had come by `now` was read.
  public mutating func tick(now: SteadyTime) -> Action {
    let silence = now.since(lastReceived)
    switch state {
    case .connected where silence > limits.handshake: return end(.notNegotiated)
    case .negotiated where silence > limits.handshake: return end(.notEstablished)
    case .established where silence > 2 * keepAlive:
      return end(.keepAliveExpired, limit: Int64(clamping: silence))
    case .established where now.since(lastSent) >= keepAlive:
      lastSent = now
      return .sendSequence
    case .connected, .negotiated, .established, .ended: return .none
    }
  }

  /// Something was sent: no Sequence is due for an interval.
  public mutating func noteSent(now: SteadyTime) { lastSent = now }

  /// Its connection is not read for a while, so that silence says nothing.
  public mutating func noteUnread(now: SteadyTime) { lastReceived = max(lastReceived, now) }

  private func isInWindow(_ timestamp: Timestamp, _ wall: Timestamp) -> Bool {
    let (a, b) = (timestamp.nanoseconds, wall.nanoseconds)
    return (a > b ? a - b : b - a) <= limits.clockWindow
  }

  private mutating func outOfPlace() -> Refusal {
    let code: RejectCode = state == .connected ? .notNegotiated : .notEstablished
    state = .ended
    return Refusal(code)
  }

  private mutating func violation(_ code: RejectCode, _ limit: UInt64) -> Refusal {
    state = .ended
    return Refusal(code, limit: Int64(clamping: limit))
  }

  private mutating func refuseNegotiation(_ code: RejectCode, limit: Int64 = 0) -> Action {
    state = .ended
    return .answer(.rejectNegotiation(Refusal(code, limit: limit)))
  }

  private mutating func refuseEstablishment(_ code: RejectCode, limit: Int64 = 0) -> Action {
    state = .ended
    return .answer(.rejectEstablishment(Refusal(code, limit: limit)))
  }

  private mutating func end(_ code: RejectCode, limit: Int64 = 0) -> Action {
    guard state != .ended else { return .none }
    state = .ended
    return .terminate(Refusal(code, limit: limit))
  }
}

extension Timestamp {
  /// The moment so many ns later, as a reject's limit.
  fileprivate func limit(after left: UInt64) -> Int64 { Int64(clamping: nanoseconds + left) }
}
