// A session with an exchange: synchronous, on one thread.
//
//     let client = try Client(host: "127.0.0.1", port: 9100, credentials: credentials)
//     try client.enter(order)                     // written to the send buffer
//     while let message = try client.poll(timeoutMilliseconds: 100) { ... }  // flushes, then waits
//
// Sending writes to a buffer, which `flush` and every `poll` send. `poll` also sends keep-alives,
// so it must be called at least once per keep-alive interval. In steady state nothing is allocated
// per message. Client+Frames.swift is for many sessions on one thread and for lowest latency,
// `AsyncClient` for asynchronous code.

import Crypto
import Glibc
import MarketModel
import TLS
import Wire

/// A client's session. Owned by one thread.
public final class Client {
  /// Settings of a session.
  public struct Options: Sendable {
    /// Keep-alive interval of both sides, in ms; 1,000 to 60,000.
    public var keepAliveMilliseconds: UInt32 = 10_000
    /// What happens to the session's orders when its connection is lost.
    public var orders = OrdersOnDisconnect.canceled(afterMilliseconds: 0)
    /// The session to resume after its connection was lost; `nil` begins a new one.
    public var resume: SessionPosition?
    /// Longest duration of connecting, negotiating and establishing, in ms.
    public var handshakeMilliseconds: Int32 = 5_000
    /// Size of the send buffer and of the receive buffer, in bytes.
    public var bufferBytes = 1 << 20

    /// TLS 1.3 context; `nil` for plain TCP.
    public var security: TLSContext?

    /// Creates the default options.
    public init() {}
  }

  /// The client's session.
  public let session: SessionId
  /// Version of the session: the time of the first log-on, in ns since 1970.
  public let version: UInt64
  /// The market that the server runs. Meters sign their readings for it.
  public private(set) var market = MarketId(0, 0)
  /// Sequence number of the next message sent.
  public private(set) var nextSequence: UInt64 = 1
  /// Number of the next new report. A gap is impossible on an unbroken connection and treated as an
  /// error.
  public private(set) var nextReport: UInt64 = 1
  /// Reports that a resumed session missed and that have not arrived yet. The client requests them
  /// by itself; they arrive among new ones, marked `isRetransmitted`.
  public private(set) var missing: Range<UInt64> = 1..<1
  /// The areas and instruments that the client was told of, as they are now.
  public private(set) var definitions = KnownDefinitions()
  /// Monotonic time in ns when the last bytes arrived; equal to `receivedAt` of their messages.
  public private(set) var lastReceived: UInt64
  /// Monotonic time in ns when bytes were last passed to the kernel.
  public private(set) var lastSent: UInt64

  /// Number of the server's last report, once it has finished sending.
  private var lastReport: UInt64?
  private var hasFinished = false
  /// Number of the next report of the running retransmission, and the number after its last.
  private var nextAgain: UInt64 = 0
  private var endAgain: UInt64 = 0
  private let keepAliveNanoseconds: UInt64
  var socket: ClientSocket
  private(set) var isClosed = false
  static let reader = FrameReader(from: .server)

  /// Connects, waits for the server's challenge, negotiates and establishes.
  /// - Throws: `.cannotConnect`; `.insecure`; `.refused` with the server's code; `.timedOut`;
  ///   `.connectionLost`; `.protocolViolation` if the server sends no challenge.
  public init(
    host: String, port: UInt16, credentials: Credentials, options: Options = Options()
  ) throws(ClientError) {
    session = credentials.session
    version = options.resume?.version ?? VersionClock.next()
    keepAliveNanoseconds = UInt64(options.keepAliveMilliseconds) * 1_000_000
    (lastReceived, lastSent) = (Self.monotonicNow(), Self.monotonicNow())
    socket = try ClientSocket(
      host: host, port: port, bufferBytes: options.bufferBytes, security: options.security)
    try socket.agree(options.handshakeMilliseconds)
    let challenge = try Self.challenge(on: &socket, options)
    market = challenge.market
    if options.resume == nil { try negotiate(credentials, options, challenge) }
    try establish(credentials, options, challenge)
    try requestMissing()
  }

  /// The present position of the session. With it and the same credentials the session can be
  /// resumed (`Options.resume`) after a lost connection, even after a restart of the server or the
  /// client.
  public var position: SessionPosition {
    SessionPosition(
      version: version, nextSequence: nextSequence,
      nextReport: missing.isEmpty ? nextReport : missing.lowerBound)
  }

  /// Closes the connection without Terminate, as if it were lost.
  public func drop() {
    isClosed = true
    shutdown(socket.descriptor, Int32(SHUT_RDWR))
  }

  /// Requests reports of this session version again. They arrive as messages marked
  /// `isRetransmitted`; or `retransmissionRejected` arrives. Only one request at a time is allowed.
  /// Reports missed by a resumed session are requested automatically.
  /// - Throws: `.sendBufferFull`, `.connectionLost`, `.closed`.
  public func requestRetransmission(from: UInt64, count: UInt32) throws(ClientError) {
    if isClosed { throw .closed }
    let frame = try socket.reserve(RetransmitRequestEncoder.frameLength)
    RetransmitRequestEncoder(
      into: frame, sessionVersion: version, timestamp: Self.wallClock(), fromSeqNo: from,
      count: count)
    let (end, isBeyond) = from.addingReportingOverflow(UInt64(count))
    (nextAgain, endAgain) = (from, isBeyond ? .max : end)
  }

  private func requestMissing() throws(ClientError) {
    guard !missing.isEmpty else { return }
    try requestRetransmission(
      from: missing.lowerBound, count: UInt32(min(missing.upperBound - missing.lowerBound, 10_000)))
  }

  // MARK: Sending

  /// Writes a sequenced message to the send buffer.
  /// - Parameter encode: Receives the frame's address and the sequence number, and encodes the
  ///   frame.
  /// - Returns: the sequence number, which a reject names as its reference.
  /// - Throws: `.sendBufferFull` (nothing was written), `.connectionLost`, `.closed`.
  @inline(__always) func write(
    _ length: Int, _ encode: (UnsafeMutableRawPointer, UInt64, Timestamp) -> Void
  ) throws(ClientError) -> UInt64 {
    if isClosed || hasFinished { throw .closed }
    let frame = try socket.reserve(length)
    let sequence = takeSequence()
    encode(frame, sequence, Self.wallClock())
    return sequence
  }

  /// Takes the sequence number of the message being written.
  @inline(__always) func takeSequence() -> UInt64 {
    defer { nextSequence += 1 }
    return nextSequence
  }

  /// Sends as much of the buffer as the kernel accepts; the next `poll` sends the rest.
  /// - Throws: `.connectionLost`, `.closed`.
  public func flush() throws(ClientError) {
    if isClosed { throw .closed }
    guard socket.hasUnsent else { return }
    lastSent = Self.monotonicNow()
    try socket.flush()
  }

  // MARK: Receiving

  /// Returns the next message from the server. Flushes the send buffer first and sends keep-alives.
  /// - Parameter timeoutMilliseconds: Longest wait; 0: none; negative: no limit.
  /// - Returns: `nil` if no message arrived in time.
  /// - Throws: `.terminated`, `.connectionLost`, `.protocolViolation`, `.closed`: the session is
  ///   over.
  public func poll(timeoutMilliseconds: Int32) throws(ClientError) -> ClientMessage? {
    try flush()
    if let message = try next() { return message }
    let start = Self.monotonicNow()
    while true {
      if try receive() {
        if let message = try next() { return message }
        continue
      }
      let now = Self.monotonicNow()
      try keepSessionAlive(now)
      let elapsed = Int64((now - start) / 1_000_000)
      let left = timeoutMilliseconds < 0 ? Int64.max : Int64(timeoutMilliseconds) - elapsed
      if left <= 0 { return nil }
      socket.wait(milliseconds: Int32(min(left, Int64(keepAliveNanoseconds / 4_000_000))))
    }
  }

  /// Finishes the session without loss: announces that nothing more will be sent, and waits until
  /// every message is answered and every report received. Afterwards nothing can be sent; call
  /// `close`.
  /// - Parameters:
  ///   - timeoutMilliseconds: Longest wait for the next message.
  ///   - body: Receives the remaining messages.
  /// - Throws: `.timedOut`; otherwise as `poll`.
  public func finish(
    timeoutMilliseconds: Int32 = 5_000, _ body: (ClientMessage) -> Void = { _ in }
  ) throws(ClientError) {
    if isClosed { throw .closed }
    if !hasFinished {
      let frame = try socket.reserve(FinishedSendingEncoder.frameLength)
      FinishedSendingEncoder(into: frame, sessionVersion: version, lastSeqNo: nextSequence - 1)
      hasFinished = true
    }
    let deadline = Self.monotonicNow() + UInt64(max(0, timeoutMilliseconds)) * 1_000_000
    while lastReport.map({ $0 >= nextReport }) ?? true || !missing.isEmpty {
      if let message = try poll(timeoutMilliseconds: 20) { body(message) }
      if Self.monotonicNow() > deadline { throw .timedOut }
    }
    let frame = try socket.reserve(FinishedReceivingEncoder.frameLength)
    FinishedReceivingEncoder(into: frame, sessionVersion: version)
    try flush()
  }

  /// Ends the session in order: sends Terminate, waits briefly for the answer, and closes the
  /// connection.
  public func close() {
    guard !isClosed else { return }
    do {
      let frame = try socket.reserve(TerminateEncoder.frameLength)
      TerminateEncoder(
        into: frame, sessionVersion: version, brokenLimit: 0, code: RejectCode(rawValue: 0))
      while try poll(timeoutMilliseconds: 1000) != nil {}
    } catch {
      // The answer is a Terminate, or the connection is already closed; both are the expected end.
      isClosed = true
    }
    isClosed = true
    shutdown(socket.descriptor, Int32(SHUT_RDWR))
  }

  /// Reads what has arrived.
  /// - Returns: whether anything was read.
  func receive() throws(ClientError) -> Bool {
    guard try socket.receive() else { return false }
    lastReceived = Self.monotonicNow()
    // Checked here too, so that a client that only receives, without a pause, still sends
    // keep-alives.
    try keepSessionAlive(lastReceived)
    return true
  }

  /// The next complete frame; it stays in the receive buffer until it is consumed.
  func nextFrame() throws(ClientError) -> (Frame, Template)? {
    switch Self.reader.next(in: socket.received) {
    case .incomplete: return nil
    case .malformed(let code, let limit):
      throw .protocolViolation("a frame is malformed: code \(code.rawValue), limit \(limit)")
    case .frame(let frame, let template): return (frame, template)
    }
  }

  private func next() throws(ClientError) -> ClientMessage? {
    while let (frame, template) = try nextFrame() {
      let message = try take(frame, template)
      socket.consume(frame.length)
      if let message { return message }
    }
    return nil
  }

  /// - Returns: `nil` for a session message.
  private func take(_ frame: Frame, _ template: Template) throws(ClientError) -> ClientMessage? {
    let admission = try admit(frame, template)
    if admission == .session { return nil }
    var message = try EventReader.read(frame, template, receivedAt: lastReceived)
    message.isRetransmitted = admission == .again
    definitions.take(message.event)
    return message
  }

  /// The meaning of a frame for the session.
  enum Admission {
    /// A session message.
    case session
    /// A message for the caller.
    case message
    /// A report that was requested again.
    case again
  }

  /// Updates the session's state for a frame: checks report numbers and detects the end.
  func admit(_ frame: Frame, _ template: Template) throws(ClientError) -> Admission {
    switch template {
    case .sequence, .retransmission, .finishedReceiving: return .session
    case .finishedSending:
      lastReport = FinishedSendingDecoder(frame)?.lastSeqNo
      return .session
    case .retransmitReject: endAgain = nextAgain
    case .terminate:
      isClosed = true
      let end = TerminateDecoder(frame)
      throw .terminated(code: end?.code ?? RejectCode(rawValue: 0), limit: end?.brokenLimit ?? 0)
    default: break
    }
    let number = frame.sequenceNumber
    guard number != 0, EventReader.isReport(template) else { return .message }
    if number == nextAgain, nextAgain < endAgain {
      try takeAgain()
      return .again
    }
    guard number == nextReport else {
      throw .protocolViolation("report \(number) arrived instead of report \(nextReport)")
    }
    nextReport += 1
    return .message
  }

  /// The next report of a retransmission has arrived; after its last one the remaining ones are
  /// requested.
  private func takeAgain() throws(ClientError) {
    if missing.contains(nextAgain) { missing = (nextAgain + 1)..<missing.upperBound }
    nextAgain += 1
    if nextAgain == endAgain { try requestMissing() }
  }

  func keepSessionAlive(_ now: UInt64) throws(ClientError) {
    // Unread bytes mean that the server is not silent, even if this process was delayed.
    if now > lastReceived + 2 * keepAliveNanoseconds, !socket.hasUnread {
      throw .connectionLost(error: ETIMEDOUT)
    }
    guard now >= lastSent + keepAliveNanoseconds / 2, !socket.hasUnsent else { return }
    let frame = try socket.reserve(SequenceEncoder.frameLength)
    SequenceEncoder(into: frame, nextSeqNo: nextSequence)
    try flush()
  }

  // MARK: Logging on

  private func negotiate(
    _ credentials: Credentials, _ options: Options, _ challenge: LogOnChallenge
  ) throws(ClientError) {
    let length = NegotiateEncoder.frameLength
    let start = try socket.reserve(length)
    let encoder = NegotiateEncoder(
      into: start, sessionId: session, sessionVersion: version, timestamp: Self.wallClock(),
      signature: .zero)
    encoder.setSignature(
      try credentials.sign(Frame(start: start, length: length), .negotiate(challenge)))
    let (frame, template) = try answer(options)
    switch template {
    case .negotiationResponse: break
    case .negotiationReject:
      let reject = NegotiationRejectDecoder(frame)
      throw .refused(
        code: reject?.code ?? RejectCode(rawValue: 0), limit: reject?.brokenLimit ?? 0)
    default: throw Self.refusal(frame, template)
    }
    socket.consume(frame.length)
  }

  private func establish(
    _ credentials: Credentials, _ options: Options, _ challenge: LogOnChallenge
  ) throws(ClientError) {
    let length = EstablishEncoder.frameLength
    let start = try socket.reserve(length)
    let encoder = EstablishEncoder(
      into: start, sessionId: session, sessionVersion: version, timestamp: Self.wallClock(),
      nextSeqNo: options.resume == nil ? nextSequence : 0,
      keepAliveInterval: options.keepAliveMilliseconds, cancelAfter: options.orders.cancelAfter,
      signature: .zero)
    encoder.setSignature(
      try credentials.sign(Frame(start: start, length: length), .establish(challenge)))
    let (frame, template) = try answer(options)
    switch template {
    case .establishmentAck:
      guard let ack = EstablishmentAckDecoder(frame) else {
        throw .protocolViolation("the acknowledgement is too short")
      }
      // The numbers are incremented from here on, so they must not start near overflow.
      let possible = 1..<UInt64(1) << 63
      guard possible.contains(ack.nextClientSeqNo), possible.contains(ack.nextServerSeqNo) else {
        throw .protocolViolation("the acknowledgement has impossible sequence numbers")
      }
      (nextSequence, nextReport) = (ack.nextClientSeqNo, ack.nextServerSeqNo)
      if let known = options.resume?.nextReport, known < nextReport {
        missing = known..<nextReport
      }
    case .establishmentReject:
      let reject = EstablishmentRejectDecoder(frame)
      throw .refused(
        code: reject?.code ?? RejectCode(rawValue: 0), limit: reject?.brokenLimit ?? 0)
    default: throw Self.refusal(frame, template)
    }
    socket.consume(frame.length)
  }

  private func answer(_ options: Options) throws(ClientError) -> (Frame, Template) {
    lastSent = Self.monotonicNow()
    let found = try Self.answer(on: &socket, options)
    lastReceived = Self.monotonicNow()
    return found
  }

  // MARK: Clocks

  /// Present time of the monotonic clock in ns, for latencies.
  public static func monotonicNow() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Present UTC time.
  public static func wallClock() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }
}

extension Credentials {
  /// Signs the part of `frame` that belongs to `purpose`.
  func sign(_ frame: Frame, _ purpose: SigningPurpose) throws(ClientError) -> Signature {
    try privateKey.sign(purpose.message(of: frame))
  }
}

extension Curve25519.Signing.PrivateKey {
  /// The Ed25519 signature of `message`.
  package func sign(_ message: [UInt8]) throws(ClientError) -> Signature {
    do {
      if let signature = Signature(bytes: Array(try signature(for: message))) { return signature }
    } catch {
      throw .badCredentials("the key cannot sign: \(error)")
    }
    throw .badCredentials("the key produces signatures of the wrong length")
  }
}
