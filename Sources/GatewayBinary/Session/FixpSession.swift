// The FIXP session of a client on one connection, as a pure state machine: messages and time in,
// actions out.
//
//     connected --Negotiate--> negotiated --Establish--> established --Terminate--> ended
//         |  \___ Establish of the version established last ___/ |
//         +------- violation, silence, or Terminate: a code, and ended ---------+
//
// An established session may finish without loss. The server answers the client's FinishedSending
// with FinishedReceiving and, when every message of the client has been answered, with its own
// FinishedSending. The client's FinishedReceiving confirms that it has received everything. Then
// Terminate loses nothing.
//
// A refused Negotiate or Establish is answered with its reject, every other violation with
// Terminate; then the connection is closed, and the client starts again with a higher session
// version. The client flow is idempotent: a duplicate sequence number is ignored, a gap is answered
// with NotApplied and processing continues (FIXP 1.0).

import GatewayKit
import MarketModel

/// The fields of a Negotiate.
public struct NegotiateRequest: Equatable, Sendable {
  /// Id of the session.
  public var session: SessionId
  /// Version of the session; greater than any before.
  public var version: UInt64
  /// Sending time, by the client's clock.
  public var timestamp: Timestamp

  /// A request to negotiate `version` of `session`.
  public init(session: SessionId, version: UInt64, timestamp: Timestamp) {
    (self.session, self.version, self.timestamp) = (session, version, timestamp)
  }
}

/// The fields of an Establish.
public struct EstablishRequest: Equatable, Sendable {
  /// Id of the session.
  public var session: SessionId
  /// The negotiated version.
  public var version: UInt64
  /// Sending time, by the client's clock.
  public var timestamp: Timestamp
  /// Longest interval without a message in either direction, in ms.
  public var keepAliveMilliseconds: UInt32
  /// Sequence number of the client's next message; 0 if not given.
  public var nextSequence: UInt64
  /// How long its orders stay after a disconnection, in ms; `BeginSession.never` if they are not
  /// cancelled.
  public var cancelAfter: UInt32

  /// A request to establish `version` of `session`.
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
  /// States of the handshake and the session.
  public enum State: Equatable, Sendable {
    /// No message was received.
    case connected
    /// The client is authenticated.
    case negotiated
    /// Application messages flow.
    case established
    /// The session is over; the connection is being closed.
    case ended
  }

  /// Phases in which an established session finishes.
  public enum Finish: Equatable, Sendable {
    /// Messages flow in both directions.
    case open
    /// The client sends no more messages; the server still answers.
    case received
    /// The server sends no more messages either.
    case sent
    /// The client has received everything; only Terminate remains.
    case done
  }

  /// The answer to a Negotiate or an Establish.
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

  /// What the connection must do next.
  public enum Action: Equatable, Sendable {
    /// Nothing.
    case none
    /// Answers the request, whose fields the caller has.
    case answer(Answer)
    /// Sends Terminate with a code and closes.
    case terminate(Refusal)
    /// Answers the client's Terminate with one and closes.
    case answerTerminate
    /// Sends Sequence, because nothing was sent for a keep-alive interval.
    case sendSequence
  }

  /// The treatment of an application message.
  public enum Admission: Equatable, Sendable {
    /// It is processed.
    case process
    /// It is rejected, because the session exceeds its rate limit.
    case reject(Refusal)
    /// It is processed, after sending NotApplied for `count` messages from number `from`.
    case processAfterGap(from: UInt64, count: UInt64)
    /// It is a duplicate and is ignored.
    case drop
    /// It is not allowed in this state: sends Terminate with a code and closes.
    case terminate(Refusal)
  }

  /// Limits of a session.
  public struct Limits: Sendable, Equatable {
    /// Greatest allowed difference between a client's clock and the server's, in ns.
    public var clockWindow: UInt64 = 5_000_000_000
    /// Longest time by which a session version may be ahead of the server's clock, in ns.
    public var versionWindow: UInt64 = 86_400_000_000_000
    /// Shortest keep-alive interval, in ms.
    public var shortestKeepAlive: UInt32 = 1_000
    /// Longest keep-alive interval, in ms.
    public var longestKeepAlive: UInt32 = 60_000
    /// Time within which a client must negotiate and establish, in ns.
    public var handshake: UInt64 = 10_000_000_000
    /// Greatest allowed time of cancel on disconnect, in ms.
    public var longestCancelAfter: UInt32 = 60_000
    /// Limits of messages per second, cancels excepted.
    public var messages = ThrottleLimits.ofMessages
    /// Limits of cancels and mass cancels per second.
    public var cancels = ThrottleLimits.ofCancels
    /// Limits of the work that a participant may ask for.
    public var work = WorkBudget.Limits()
    /// Maximum number of reports in one retransmission.
    public var retransmission: UInt32 = 10_000

    /// Creates the default limits.
    public init() {}
  }

  /// State of the handshake and the session.
  public private(set) var state = State.connected
  /// Phase in which the session finishes.
  public private(set) var finish = Finish.open
  /// Whether the client ended the session with Terminate.
  public private(set) var isTerminatedByClient = false
  /// Id of the session; `.exchange` before Negotiate.
  public private(set) var identity = SessionId.exchange
  /// The negotiated version; 0 before Negotiate.
  public private(set) var version: UInt64 = 0
  /// The keep-alive interval in ns; 0 before Establish.
  public private(set) var keepAlive: UInt64 = 0
  /// Next sequence number expected from the client.
  public private(set) var nextIncoming: UInt64 = 1
  /// The limits of the session.
  public let limits: Limits
  private var throttle: SessionThrottle
  /// When the client's last bytes were handled.
  private(set) var lastReceived: SteadyTime
  private var lastSent: SteadyTime

  /// A session on a connection that was accepted at `now`.
  public init(now: SteadyTime, limits: Limits = Limits()) {
    self.limits = limits
    throttle = SessionThrottle(messages: limits.messages, cancels: limits.cancels)
    (lastReceived, lastSent) = (now, now)
  }

  /// Handles a Negotiate.
  /// - Parameters:
  ///   - now: Present time of the interval clock.
  ///   - wall: Present wall-clock time, to check the request's timestamp.
  ///   - identities: State of all sessions; records the version.
  ///   - doubt: Why the sender has not proved to be the session's owner; `nil` if it has. Evaluated
  ///     before anything of the session is looked at, so that others learn nothing of it; and only
  ///     in the right state, since verifying a signature takes 50 us.
  public mutating func negotiate(
    _ request: NegotiateRequest, now: SteadyTime, wall: Timestamp,
    identities: inout SessionIdentities, doubt: @autoclosure () -> Refusal?
  ) -> Action {
    lastReceived = now
    guard state == .connected else { return end(.alreadyNegotiated) }
    if let doubt = doubt() { return refuseNegotiation(doubt.code, limit: doubt.limit) }
    if let refusal = badTimestamp(request.timestamp, wall) {
      return refuseNegotiation(refusal.code, limit: refusal.limit)
    }
    let last = identities.lastVersion(request.session)
    guard request.version > last else {
      return refuseNegotiation(
        .sessionVersionNotIncreasing, limit: Int64(clamping: last))
    }
    let highest = wall.nanoseconds.addingReportingOverflow(limits.versionWindow)
    guard highest.overflow || request.version <= highest.partialValue else {
      return refuseNegotiation(
        .sessionVersionTooHigh, limit: Int64(clamping: highest.partialValue))
    }
    guard !identities.isEstablished(request.session) else {
      return refuseNegotiation(.alreadyEstablished)
    }
    identities.negotiated(request.session, version: request.version)
    (state, identity, version) = (.negotiated, request.session, request.version)
    return .answer(.respond)
  }

  /// Handles an Establish. It is either of the version negotiated on this connection, or the first
  /// message of a connection that resumes the version established last. In the second case it takes
  /// the session over from a connection of the same gateway that may be dead; the gateway closes
  /// that one.
  /// - Parameters:
  ///   - now: Present time of the interval clock.
  ///   - wall: Present wall-clock time, to check the request's timestamp.
  ///   - gateway: The gateway of this connection.
  ///   - doubt: As in `negotiate`.
  public mutating func establish(
    _ request: EstablishRequest, now: SteadyTime, wall: Timestamp,
    identities: inout SessionIdentities, by gateway: GatewayNumber = .first,
    doubt: @autoclosure () -> Refusal?
  ) -> Action {
    lastReceived = now
    let isReturning = state == .connected
    if state == .established || state == .ended { return end(.alreadyEstablished) }
    if let doubt = doubt() { return refuseEstablishment(doubt.code, limit: doubt.limit) }
    if let refusal = unknownVersion(request, identities)
      ?? badTimestamp(request.timestamp, wall) ?? badTerms(request)
    {
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

  /// The refusal if the version is neither negotiated here nor the one to resume.
  private func unknownVersion(
    _ request: EstablishRequest, _ identities: SessionIdentities
  ) -> Refusal? {
    if state == .connected {
      let open = identities.openVersion(request.session)
      if open == 0 {
        return Refusal(identities.isReset(request.session) ? .versionReset : .notNegotiated)
      }
      if request.version == open { return nil }
      // A lower version is over: a higher one has begun since. A higher one never reached the journal.
      let isOver = request.version < open
      return Refusal(
        isOver ? .sessionVersionNotIncreasing : .unknownSessionVersion,
        limit: Int64(clamping: open))
    }
    guard request.session == identity, request.version == version else {
      return Refusal(.unknownSessionVersion, limit: Int64(clamping: version))
    }
    // Another connection has negotiated a higher version since, so this version is over.
    let last = identities.lastVersion(identity)
    return version == last ? nil : Refusal(.unknownSessionVersion, limit: Int64(clamping: last))
  }

  /// The refusal if the timestamp is outside the window around the server's clock. It tells a client
  /// that its clock is wrong; the nonce prevents replays.
  private func badTimestamp(_ timestamp: Timestamp, _ wall: Timestamp) -> Refusal? {
    isInWindow(timestamp, wall)
      ? nil : Refusal(.timestampOutOfWindow, limit: Int64(limits.clockWindow))
  }

  /// The refusal if an interval is out of range.
  private func badTerms(_ request: EstablishRequest) -> Refusal? {
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

  /// Decides on an application message by its sequence number and the rate limits.
  /// - Parameters:
  ///   - isCancel: Cancels have their own rate limits.
  ///   - own: The most other messages per second of this session; 0: those of all.
  public mutating func admit(
    sequence: UInt64, now: SteadyTime, isCancel: Bool = false, own: UInt32 = 0
  ) -> Admission {
    lastReceived = now
    guard state == .established else { return .terminate(outOfPlace()) }
    if finish != .open { return .terminate(violation(.finishOutOfPlace, 0)) }
    // The highest number is not allowed, because none could follow it.
    guard sequence < .max else { return .terminate(violation(.sequenceGap, nextIncoming)) }
    do throws(Refusal) {
      try throttle.count(isCancel: isCancel, own: own, at: now)
    } catch {
      if error.code == .flooding { return .terminate(violation(error)) }
      guard sequence >= nextIncoming else { return .drop }
      nextIncoming = sequence + 1
      return .reject(error)
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

  /// Undoes the admission of message `sequence`, which will be presented again because the intake
  /// was full.
  public mutating func putBack(sequence: UInt64, isCancel: Bool = false) {
    precondition(sequence + 1 == nextIncoming)
    nextIncoming = sequence
    throttle.putBack(isCancel: isCancel)
  }

  /// Continues the numbering of the connection that is resumed, on which `next` was expected.
  public mutating func resume(at next: UInt64) { nextIncoming = max(nextIncoming, next) }

  /// Decides on a session message that requires an established session.
  public mutating func request(now: SteadyTime) -> Admission {
    lastReceived = now
    return state == .established ? .process : .terminate(outOfPlace())
  }

  /// Handles Sequence: a keep-alive, with the sequence number of the client's next message.
  /// - Returns: the gap that it reveals, for a NotApplied.
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

  /// Handles FinishedSending.
  /// - Parameter last: Number of the client's last message; 0 if there was none.
  /// - Returns: what to send before FinishedReceiving; `.drop` for a repetition, which is
  ///   answered again.
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
  /// - Returns: whether to send FinishedSending, after which nothing may follow.
  public mutating func finishSending() -> Bool {
    guard state == .established, finish == .received else { return false }
    finish = .sent
    return true
  }

  /// Handles FinishedReceiving.
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

  /// Handles the client's Terminate.
  public mutating func terminated() -> Action {
    guard state != .ended else { return .none }
    (state, isTerminatedByClient) = (.ended, true)
    return .answerTerminate
  }

  /// Ends the session from the server's side, for example after a malformed frame or at shutdown.
  /// - Returns: `.none` if it has already ended.
  public mutating func terminate(_ refusal: Refusal) -> Action {
    guard state != .ended else { return .none }
    state = .ended
    return .terminate(refusal)
  }

  /// Checks timeouts. Called a few times per second, after everything that had arrived by `now` was
  /// read.
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

  /// Records that a message was sent, so that no Sequence is due for an interval.
  public mutating func noteSent(now: SteadyTime) { lastSent = now }

  /// Records that the connection is not being read, so that silence does not count.
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
    violation(Refusal(code, limit: Int64(clamping: limit)))
  }

  private mutating func violation(_ refusal: Refusal) -> Refusal {
    state = .ended
    return refusal
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
