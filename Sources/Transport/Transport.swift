// One turn of the loop:
//
//     timers -> prepare: flush -> wait for I/O: accept, read, wake -> check: turnEnds, flush -> close
//
// Reads go through one buffer that all connections share; a connection keeps only the part of a
// message that the next bytes complete. Replies gather in the connection's queue and leave in one
// write per turn.

import CLibuv
import Glibc
import TLS

/// A TCP server on one libuv loop. Owned by the thread that calls `run`; only `wakeHandle` may be used
/// from others. Allocates nothing per message in steady state.
public final class Transport {
  /// Limits and buffer sizes.
  public struct Configuration: Sendable {
    /// Connections at a time; one more is accepted and closed at once.
    public var maximumConnections = 1024
    /// Bytes that may wait to be sent on one connection; past it the connection is closed.
    public var sendBound = 4 << 20
    /// Bytes of one read, for all connections together.
    public var readBuffer = 256 << 10
    /// Longest message of the protocol in bytes: what may be left over from a read.
    public var longestMessage = 512
    /// How long a connection that was told to finish may take to read the rest, in ms.
    public var lingerMilliseconds: UInt64 = 1000
    /// Length of the kernel's queue of connections not yet accepted.
    public var backlog: Int32 = 511

    /// The defaults.
    public init() {}
  }

  /// How the loop waits.
  public enum Waiting: Sendable {
    /// Sleeps in the kernel until something happens.
    case blocking
    /// Polls, and gives the core away after each turn.
    case yielding
    /// Polls without sleeping: lowest latency, one core always busy. At most one thread of a machine.
    case spinning
  }

  /// Running counts since the start.
  public struct Counts: Sendable, Equatable {
    /// Connections accepted.
    public var accepted = 0
    /// Connections refused at the limit.
    public var refused = 0
    /// Connections cut because they did not read.
    public var cut = 0
    /// Bytes received.
    public var bytesIn = 0
    /// Bytes the sockets took.
    public var bytesOut = 0
    /// Writes that the socket took only in part, so that libuv finished them.
    public var writesDeferred = 0

    /// Nothing happened.
    public init() {}
  }

  /// Bytes of the last message to a client that does not read.
  public static let lastWord = 64

  /// Limits and sizes.
  public let configuration: Configuration
  /// Wakes this loop from any thread.
  public let wakeHandle: WakeHandle
  /// What happened so far. The loop's thread.
  public internal(set) var counts = Counts()

  let loop: UnsafeMutablePointer<uv_loop_t>
  let readBuffer: UnsafeMutableRawBufferPointer
  var slots: [UnsafeMutablePointer<ConnectionSlot>] = []
  var freeSlots: [Int] = []
  var dirtySlots: [Int] = []
  var openCount = 0
  var finishingCount = 0
  /// Who is told, while the loop runs: `run` holds it.
  fileprivate var seat: Unmanaged<HandlerSeat>?
  private(set) var isShutDown = false
  /// A listening socket, and what becomes of its connections.
  struct Listener {
    var handle: UnsafeMutablePointer<uv_tcp_t>
    var security: TLSContext?
    /// Which of the handlers has its connections.
    var handler: Int
  }
  var listeners: [Listener] = []
  /// Where sealed bytes are read to; made with the first listener that has TLS.
  var sealedBuffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var timers: [TimerToken: UnsafeMutablePointer<uv_timer_t>] = [:]
  private let prepare = UnsafeMutablePointer<uv_prepare_t>.allocate(capacity: 1)
  private let check = UnsafeMutablePointer<uv_check_t>.allocate(capacity: 1)
  private let async: UnsafeMutablePointer<uv_async_t>
  private let linger = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)

  /// A transport without listeners.
  /// - Throws: When the kernel gives no event queue.
  public init(_ configuration: Configuration = Configuration()) throws(TransportError) {
    precondition(configuration.readBuffer >= 2 * configuration.longestMessage)
    (loop, async) = try Self.openLoop()
    self.configuration = configuration
    readBuffer = .allocate(byteCount: configuration.readBuffer, alignment: 4096)
    wakeHandle = WakeHandle(async)
    let context = Unmanaged.passUnretained(self).toOpaque()
    loop.pointee.data = context
    async.pointee.data = context
    uv_prepare_init(loop, prepare)
    prepare.pointee.data = context
    uv_check_init(loop, check)
    check.pointee.data = context
    uv_timer_init(loop, linger)
    linger.pointee.data = context
    uv_prepare_start(prepare, { Transport.with($0?.pointee.data) { $0.flushDirty() } })
    uv_check_start(check, { Transport.with($0?.pointee.data) { $0.endTurn() } })
  }

  deinit {
    if !isShutDown { closeHandles() }
    while uv_run(loop, UV_RUN_NOWAIT) != 0 {}
    uv_loop_close(loop)
    loop.deallocate()
    readBuffer.deallocate()
    for slot in slots {
      slot.deinitialize(count: 1)
      slot.deallocate()
    }
    listeners.forEach { $0.handle.deallocate() }
    sealedBuffer.deallocate()
    timers.values.forEach { $0.deallocate() }
    prepare.deallocate()
    check.deallocate()
    async.deallocate()
    linger.deallocate()
  }

  /// Opens connections on an address. May be called several times, before `run` or from the handler.
  /// - Parameters:
  ///   - host: An IPv4 or IPv6 address.
  ///   - port: 0: the kernel chooses.
  ///   - security: Its connections speak TLS with this; `nil`: plain TCP.
  ///   - handler: Which of the handlers that `run` is given has its connections.
  /// - Returns: The port.
  /// - Throws: When the address is malformed, taken or not allowed.
  @discardableResult
  public func listen(
    host: String, port: UInt16, security: TLSContext? = nil, handler: Int = 0
  ) throws(TransportError) -> UInt16 {
    if security != nil, sealedBuffer.count == 0 {
      sealedBuffer = .allocate(byteCount: configuration.readBuffer / 2, alignment: 4096)
    }
    var address = sockaddr_storage()
    let listener = UnsafeMutablePointer<uv_tcp_t>.allocate(capacity: 1)
    uv_tcp_init(loop, listener)
    listener.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    listeners.append(Listener(handle: listener, security: security, handler: handler))
    let code = withUnsafeMutablePointer(to: &address) { storage in
      Self.bind(listener, host: host, port: port, in: UnsafeMutableRawPointer(storage))
    }
    try TransportError.check(code, "listening on \(host):\(port)")
    let stream = UnsafeMutableRawPointer(listener).assumingMemoryBound(to: uv_stream_t.self)
    let listening = uv_listen(stream, configuration.backlog) { stream, status in
      guard let stream, status == 0 else { return }
      Transport.with(stream.pointee.data) { $0.accept(from: stream) }
    }
    try TransportError.check(listening, "listening on \(host):\(port)")
    return Self.port(of: listener)
  }

  /// Runs until `shutDown`, calling the handlers on this thread.
  /// - Parameters:
  ///   - loop: Is called in every turn.
  ///   - handlers: Those of the listeners' connections.
  public func run(
    _ loop: any LoopHandler, serving handlers: [any ConnectionHandler],
    waiting: Waiting = .blocking
  ) {
    precondition(seat == nil, "the loop runs already")
    seated(loop, handlers) {
      switch waiting {
      case .blocking: while uv_run(self.loop, UV_RUN_DEFAULT) != 0 {}
      case .yielding: while uv_run(self.loop, UV_RUN_NOWAIT) != 0 { sched_yield() }
      case .spinning: while uv_run(self.loop, UV_RUN_NOWAIT) != 0 {}
      }
    }
  }

  /// One turn of the loop that waits for nothing. For tests and for a caller with a loop of its own.
  /// - Returns: Whether anything is left to run.
  @discardableResult
  public func turn(_ loop: any LoopHandler, serving handlers: [any ConnectionHandler]) -> Bool {
    seated(loop, handlers) { uv_run(self.loop, UV_RUN_NOWAIT) != 0 }
  }

  /// Calls `timerFired` after `milliseconds`, then every `interval` ms (0: once). Starting a running
  /// timer again moves it.
  public func startTimer(
    _ token: TimerToken, after milliseconds: UInt64, every interval: UInt64 = 0
  ) {
    guard !isShutDown else { return }
    let timer: UnsafeMutablePointer<uv_timer_t>
    if let known = timers[token] {
      timer = known
    } else {
      timer = .allocate(capacity: 1)
      uv_timer_init(loop, timer)
      timer.pointee.data = UnsafeMutableRawPointer(bitPattern: token.rawValue)
      timers[token] = timer
    }
    uv_update_time(loop)
    uv_timer_start(
      timer,
      { timer in
        guard let timer else { return }
        let token = TimerToken(Int(bitPattern: timer.pointee.data))
        Transport.with(timer.pointee.loop.pointee.data) { $0.tellLoop { $0.timerFired(token) } }
      }, milliseconds, interval)
  }

  /// Stops a timer; one that does not run is fine.
  public func stopTimer(_ token: TimerToken) {
    if let timer = timers[token] { uv_timer_stop(timer) }
  }

  /// Closes the listeners: connections go on, none is added.
  public func stopListening() {
    for listener in listeners { Self.close(listener.handle) }
  }

  /// Closes everything without sending what is queued; `run` returns after the last close. To let
  /// clients read the rest, `finish` them first. Does nothing the second time.
  public func shutDown() {
    guard !isShutDown else { return }
    closeHandles()
  }

  private func closeHandles() {
    isShutDown = true
    for slot in slots where slot.pointee.state != .free { close(slot, .shutdown) }
    stopListening()
    wakeHandle.disconnect()
    timers.values.forEach { Self.close($0) }
    Self.close(prepare)
    Self.close(check)
    Self.close(async)
    Self.close(linger)
  }

  /// The loop and its wake handle: all that opening can fail for.
  private static func openLoop() throws(TransportError) -> (
    UnsafeMutablePointer<uv_loop_t>, UnsafeMutablePointer<uv_async_t>
  ) {
    // A peer that went away is an error of a write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    let loop = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
    let async = UnsafeMutablePointer<uv_async_t>.allocate(capacity: 1)
    var code = uv_loop_init(loop)
    if code == 0 {
      code = uv_async_init(
        loop, async, { Transport.with($0?.pointee.data) { $0.tellLoop { $0.woken() } } })
      if code < 0 { uv_loop_close(loop) }
    }
    if code < 0 {
      loop.deallocate()
      async.deallocate()
      throw TransportError(code: code, attempt: "opening the event loop")
    }
    return (loop, async)
  }

  private func endTurn() {
    tellLoop { $0.turnEnds() }
    flushDirty()
  }

  /// Closes finishing connections that linger; runs only while there are any.
  func startLinger() {
    guard finishingCount == 1, !isShutDown else { return }
    uv_timer_start(linger, { Transport.with($0?.pointee.data) { $0.closeLingering() } }, 100, 100)
  }

  private func closeLingering() {
    let now = uv_now(loop)
    for slot in slots where slot.pointee.state == .finishing && slot.pointee.lingerUntil <= now {
      close(slot, slot.pointee.reason)
    }
    if finishingCount == 0 { uv_timer_stop(linger) }
  }

  private static func close<Handle>(_ handle: UnsafeMutablePointer<Handle>) {
    let handle = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
    if uv_is_closing(handle) == 0 { uv_close(handle, nil) }
  }

  private static func bind(
    _ listener: UnsafeMutablePointer<uv_tcp_t>, host: String, port: UInt16,
    in storage: UnsafeMutableRawPointer
  ) -> Int32 {
    var code = uv_ip4_addr(
      host, Int32(port), storage.assumingMemoryBound(to: sockaddr_in.self))
    if code < 0 {
      code = uv_ip6_addr(host, Int32(port), storage.assumingMemoryBound(to: sockaddr_in6.self))
    }
    guard code == 0 else { return code }
    return uv_tcp_bind(listener, storage.assumingMemoryBound(to: sockaddr.self), 0)
  }

  private static func port(of listener: UnsafeMutablePointer<uv_tcp_t>) -> UInt16 {
    var address = sockaddr_storage()
    var length = Int32(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &address) { storage in
      let raw = UnsafeMutableRawPointer(storage)
      uv_tcp_getsockname(listener, raw.assumingMemoryBound(to: sockaddr.self), &length)
      // `sin_port` and `sin6_port` stand at the same place, in network order.
      return UInt16(bigEndian: raw.load(fromByteOffset: 2, as: UInt16.self))
    }
  }
}

// MARK: - Who is called

/// Holds the handlers where a call of one counts no references: they do not change while they are seated.
private final class HandlerSeat {
  let loop: any LoopHandler
  private let kept: [ConnectionSeat]
  /// The same, for calls.
  let connections: UnsafeMutableBufferPointer<Unmanaged<ConnectionSeat>>

  init(_ loop: any LoopHandler, _ handlers: [any ConnectionHandler]) {
    self.loop = loop
    kept = handlers.map(ConnectionSeat.init)
    connections = .allocate(capacity: kept.count)
    _ = connections.initialize(fromContentsOf: kept.map(Unmanaged.passUnretained))
  }

  deinit { connections.deallocate() }
}

/// Holds the handler of some listeners' connections.
private final class ConnectionSeat {
  let handler: any ConnectionHandler
  init(_ handler: any ConnectionHandler) { self.handler = handler }
}

extension Transport {
  /// The transport that the `data` of libuv's handle points to. Counts nothing: a handle never outlives it.
  @inline(__always)
  fileprivate static func with(_ data: UnsafeMutableRawPointer?, _ body: (Transport) -> Void) {
    guard let data else { preconditionFailure("a handle without an owner") }
    Unmanaged<Transport>.fromOpaque(data)._withUnsafeGuaranteedRef(body)
  }

  /// Tells the handlers what happens while `body` runs.
  fileprivate func seated<Answer>(
    _ loop: any LoopHandler, _ handlers: [any ConnectionHandler], _ body: () -> Answer
  ) -> Answer {
    precondition(listeners.allSatisfy { handlers.indices.contains($0.handler) })
    let taken = HandlerSeat(loop, handlers)
    return withExtendedLifetime(taken) {
      seat = .passUnretained(taken)
      defer { seat = nil }
      return body()
    }
  }

  /// Calls the loop's handler; nothing when the loop does not run.
  @inline(__always) func tellLoop(_ body: (any LoopHandler) -> Void) {
    seat?._withUnsafeGuaranteedRef { body($0.loop) }
  }

  /// Calls the handler of a connection; nothing when the loop does not run.
  @discardableResult @inline(__always)
  func tell<Answer>(
    _ slot: UnsafeMutablePointer<ConnectionSlot>, _ body: (any ConnectionHandler) -> Answer
  ) -> Answer? {
    seat?._withUnsafeGuaranteedRef { seat in
      seat.connections[slot.pointee.handler]._withUnsafeGuaranteedRef { body($0.handler) }
    }
  }
}
