// One turn of the loop:
//
//     timers -> prepare: flush -> wait for I/O: accept, read, wake -> check: turnEnds, flush
//
// All connections are read into one shared buffer; a connection stores only the beginning of an
// incomplete message. Replies are gathered in the connection's queue and sent with one write per
// turn.

import CLibuv
import Glibc
import TLS

/// A TCP server on one libuv loop. Owned by the thread that calls `run`; only `wakeHandle` may be
/// used by other threads. In steady state it allocates nothing per message.
public final class Transport {
  /// Limits and buffer sizes.
  public struct Configuration: Sendable {
    /// Maximum number of connections. A further one takes the place of one for whose log-on the
    /// server has waited for long, or is closed immediately (Transport+Accepting.swift).
    public var maximumConnections = 1024
    /// Maximum number of connections of one network address. Loopback addresses are not limited:
    /// all users of a gateway on this machine share one.
    public var connectionsPerAddress = 64
    /// Number of bytes that a client may leave unread for a time. It is cut if it takes fewer than
    /// these from the socket within the patience while more are waiting, if more are waiting for
    /// sixteen times the patience, or at once if sixteen times as many are waiting. A client
    /// without an established session is cut at 64 KiB.
    public var sendBound = 4 << 20
    /// How long a client may leave more than `sendBound` unread without reading, in ms. 0: it is
    /// cut at `sendBound`.
    public var patienceMilliseconds: UInt64 = 2_000
    /// Maximum size of all send queues, in bytes of memory. Above it, the slowest readers are
    /// closed at once.
    public var totalSendBound = 1 << 30
    /// Maximum number of TLS handshakes begun in a second, an eighth of them by one address; others
    /// wait, and the addresses take turns. The eighth does not apply to 127.0.0.1 and ::1.
    public var handshakesPerSecond = 200
    /// Whether loopback addresses are limited like others, for tests.
    package var limitsLoopback = false
    /// Size of the shared read buffer, in bytes.
    public var readBuffer = 256 << 10
    /// Length of the longest message of the protocol, in bytes: the most that may be left over from
    /// a read.
    public var longestMessage = 512
    /// How long a finishing connection may take to read the rest, in ms.
    public var lingerMilliseconds: UInt64 = 1000
    /// Length of the kernel's queue of connections that are not yet accepted.
    public var backlog: Int32 = 511

    /// Creates the default configuration.
    public init() {}
  }

  /// How the loop waits for events.
  public enum Waiting: Sendable {
    /// Sleeps in the kernel until an event.
    case blocking
    /// Polls, and yields the core after each turn.
    case yielding
    /// Polls without pause: lowest latency, uses one core fully. For at most one thread per
    /// machine.
    case spinning
  }

  /// Activity counters since the start.
  public struct Counts: Sendable, Equatable {
    /// Connections accepted.
    public var accepted = 0
    /// Connections refused: because the table is full, or because their address has too many.
    public var refused = 0
    /// Connections refused because their address has too many.
    public var refusedByAddress = 0
    /// Connections without an established session that were closed in favour of a newcomer.
    public var replaced = 0
    /// TLS handshakes that waited for over 100 ms for their turn.
    public var handshakesDelayed = 0
    /// Connections closed because the client did not read.
    public var cut = 0
    /// Bytes received.
    public var bytesIn = 0
    /// Bytes accepted by the sockets.
    public var bytesOut = 0
    /// Writes that the socket accepted only in part and that libuv completed.
    public var writesDeferred = 0

    /// Creates counters that are all 0.
    public init() {}
  }

  /// Maximum length of the last message to a client that does not read, in bytes.
  public static let lastWord = 64

  /// Limits and buffer sizes.
  public let configuration: Configuration
  /// Wakes this loop from any thread.
  public let wakeHandle: WakeHandle
  /// Activity counters since the start. Read on the loop's thread.
  public internal(set) var counts = Counts()

  let loop: UnsafeMutablePointer<uv_loop_t>
  let readBuffer: UnsafeMutableRawBufferPointer
  var slots: [UnsafeMutablePointer<ConnectionSlot>] = []
  var freeSlots: [Int] = []
  var dirtySlots: [Int] = []
  var finishingCount = 0
  /// Memory of the send queues.
  var memory = MemoryPool()
  /// Slots of the clients whose reading is measured.
  var measured: [Int] = []
  /// Number of connections by address, without those of addresses that are not limited.
  var connectionsByAddress: [PeerAddress: Int] = [:]
  /// Number of connections without an established session by address.
  var strangersByAddress: [PeerAddress: Int] = [:]
  /// Connections that wait for the slot of one that is being closed.
  var newcomers: [Newcomer] = []
  /// Ends of the list of connections without an established session; -1 if it is empty.
  var (oldestStranger, newestStranger) = (-1, -1)
  var handshakes: HandshakeGate
  /// Whether any waits in `handshakes`.
  var hasHandshakes = false
  /// The handlers, while the loop runs; `run` retains them.
  var table: Unmanaged<HandlerTable>?
  private(set) var isShutDown = false
  /// A listening socket and the parameters of its connections.
  struct Listener {
    var handle: UnsafeMutablePointer<uv_tcp_t>
    var security: TLSContext?
    /// Index of the handler of its connections.
    var handler: Int
  }
  var listeners: [Listener] = []
  /// Buffer for encrypted bytes; allocated with the first TLS listener.
  var sealedBuffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var timers: [TimerToken: UnsafeMutablePointer<uv_timer_t>] = [:]
  private let prepare = UnsafeMutablePointer<uv_prepare_t>.allocate(capacity: 1)
  private let check = UnsafeMutablePointer<uv_check_t>.allocate(capacity: 1)
  private let async: UnsafeMutablePointer<uv_async_t>
  /// Active while handshakes wait for the next turn, so that the loop does not sleep.
  let idle = UnsafeMutablePointer<uv_idle_t>.allocate(capacity: 1)
  private let linger = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)
  /// Runs while clients' reading is measured.
  let paceTimer = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)
  /// Runs while handshakes wait for the next second.
  let handshakeTimer = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)
  /// Runs while memory can be returned to the system.
  private let trimTimer = UnsafeMutablePointer<uv_timer_t>.allocate(capacity: 1)

  /// Creates a transport without listeners.
  /// - Throws: if the kernel provides no event queue.
  public init(_ configuration: Configuration = Configuration()) throws(TransportError) {
    precondition(configuration.readBuffer >= 2 * configuration.longestMessage)
    (loop, async) = try Self.openLoop()
    self.configuration = configuration
    handshakes = HandshakeGate(
      perSecond: configuration.handshakesPerSecond, limitsLoopback: configuration.limitsLoopback)
    readBuffer = .allocate(byteCount: configuration.readBuffer, alignment: 4096)
    wakeHandle = WakeHandle(async)
    let context = Unmanaged.passUnretained(self).toOpaque()
    loop.pointee.data = context
    async.pointee.data = context
    uv_prepare_init(loop, prepare)
    prepare.pointee.data = context
    uv_check_init(loop, check)
    check.pointee.data = context
    uv_idle_init(loop, idle)
    for timer in [linger, paceTimer, handshakeTimer, trimTimer] {
      uv_timer_init(loop, timer)
      timer.pointee.data = context
    }
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
      slot.pointee.release(&memory)
      slot.deinitialize(count: 1)
      slot.deallocate()
    }
    listeners.forEach { $0.handle.deallocate() }
    sealedBuffer.deallocate()
    timers.values.forEach { $0.deallocate() }
    prepare.deallocate()
    check.deallocate()
    async.deallocate()
    idle.deallocate()
    [linger, paceTimer, handshakeTimer, trimTimer].forEach { $0.deallocate() }
  }

  /// Listens on an address. May be called several times, before `run` or by the handler.
  /// - Parameters:
  ///   - host: An IPv4 or IPv6 address.
  ///   - port: TCP port; 0 lets the system choose one.
  ///   - security: TLS context of its connections; `nil` for plain TCP.
  ///   - handler: Index of the handler of its connections, in the list given to `run`.
  /// - Returns: the port.
  /// - Throws: if the address is malformed, in use or not permitted.
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
  ///   - loop: Receives the events of the loop.
  ///   - handlers: Handlers of the listeners' connections.
  public func run(
    _ loop: any LoopHandler, serving handlers: [any ConnectionHandler],
    waiting: Waiting = .blocking
  ) {
    precondition(table == nil, "the loop runs already")
    withHandlers(loop, handlers) {
      switch waiting {
      case .blocking: while uv_run(self.loop, UV_RUN_DEFAULT) != 0 {}
      case .yielding: while uv_run(self.loop, UV_RUN_NOWAIT) != 0 { sched_yield() }
      case .spinning: while uv_run(self.loop, UV_RUN_NOWAIT) != 0 {}
      }
    }
  }

  /// Runs one turn without waiting for events. For tests, and for callers with their own loop.
  /// - Returns: whether any handle is still active.
  @discardableResult
  public func turn(_ loop: any LoopHandler, serving handlers: [any ConnectionHandler]) -> Bool {
    withHandlers(loop, handlers) { uv_run(self.loop, UV_RUN_NOWAIT) != 0 }
  }

  /// Calls `timerFired` after `milliseconds`, then every `interval` ms; 0 means once. Starting a
  /// running timer again restarts it.
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

  /// Stops a timer; has no effect if it does not run.
  public func stopTimer(_ token: TimerToken) {
    if let timer = timers[token] { uv_timer_stop(timer) }
  }

  /// Closes the listeners; existing connections continue.
  public func stopListening() {
    for listener in listeners { Self.close(listener.handle) }
  }

  /// Closes everything without sending what is queued; `run` returns after the last close. To let
  /// clients read the rest, call `finish` for them first. Calling it again has no effect.
  public func shutDown() {
    guard !isShutDown else { return }
    closeHandles()
  }

  private func closeHandles() {
    isShutDown = true
    discardNewcomers()
    for slot in slots where slot.pointee.state != .free { close(slot, .shutdown) }
    stopListening()
    wakeHandle.disconnect()
    timers.values.forEach { Self.close($0) }
    Self.close(prepare)
    Self.close(check)
    Self.close(async)
    Self.close(idle)
    [linger, paceTimer, handshakeTimer, trimTimer].forEach { Self.close($0) }
  }

  /// Opens the loop and its wake handle, the two things that can fail.
  private static func openLoop() throws(TransportError) -> (
    UnsafeMutablePointer<uv_loop_t>, UnsafeMutablePointer<uv_async_t>
  ) {
    // Writing to a broken connection returns an error instead of ending the process.
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
    if hasHandshakes, handshakes.isEmpty || handshakes.isDue(at: uv_now(loop)) {
      // After the answers of this turn, which do not wait for them.
      stepHandshakes()
      flushDirty()
    }
  }

  /// Starts the timer that closes lingering connections; it runs only while there are any.
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

  /// Starts the timer that returns memory to the system; it runs only while there is some.
  func startTrimming() {
    guard memory.isTrimmable, !isShutDown else { return }
    if uv_is_active(Self.handle(trimTimer)) != 0 { return }
    uv_timer_start(
      trimTimer, { Transport.with($0?.pointee.data) { $0.trim() } }, Self.trimInterval,
      Self.trimInterval)
  }

  /// How long memory stays unused before it is returned, in ms; at most twice as long.
  private static let trimInterval: UInt64 = 2_000

  private func trim() {
    memory.trim()
    if !memory.isTrimmable { uv_timer_stop(trimTimer) }
  }

  private static func close<Handle>(_ handle: UnsafeMutablePointer<Handle>) {
    if uv_is_closing(Self.handle(handle)) == 0 { uv_close(Self.handle(handle), nil) }
  }

  /// A handle as libuv's base type.
  static func handle<Handle>(
    _ handle: UnsafeMutablePointer<Handle>
  ) -> UnsafeMutablePointer<uv_handle_t> {
    UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
  }

  /// Checks whether an address could be listened on now, without listening.
  /// - Throws: if the address is malformed, in use or not permitted.
  public static func tryListening(host: String, port: UInt16) throws(TransportError) {
    var storage = sockaddr_storage()
    let attempt = "listening on \(host.contains(":") ? "[\(host)]" : host):\(port)"
    let code = withUnsafeMutablePointer(to: &storage) {
      Self.address(host, port, in: UnsafeMutableRawPointer($0))
    }
    try TransportError.check(code, attempt)
    let isVersion6 = Int32(storage.ss_family) == AF_INET6
    let descriptor = socket(
      isVersion6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
    defer { if descriptor >= 0 { Glibc.close(descriptor) } }
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let length =
      isVersion6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
    let status = withUnsafePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.bind(descriptor, $0, socklen_t(length))
      }
    }
    // libuv's codes are negated error numbers.
    if status != 0 { throw TransportError(code: -errno, attempt: attempt) }
  }

  private static func bind(
    _ listener: UnsafeMutablePointer<uv_tcp_t>, host: String, port: UInt16,
    in storage: UnsafeMutableRawPointer
  ) -> Int32 {
    let code = address(host, port, in: storage)
    guard code == 0 else { return code }
    return uv_tcp_bind(listener, storage.assumingMemoryBound(to: sockaddr.self), 0)
  }

  /// Writes an address in the system's form.
  /// - Returns: libuv's error code; 0 if there is none.
  private static func address(
    _ host: String, _ port: UInt16, in storage: UnsafeMutableRawPointer
  ) -> Int32 {
    let code = uv_ip4_addr(
      host, Int32(port), storage.assumingMemoryBound(to: sockaddr_in.self))
    return code == 0
      ? 0 : uv_ip6_addr(host, Int32(port), storage.assumingMemoryBound(to: sockaddr_in6.self))
  }

  private static func port(of listener: UnsafeMutablePointer<uv_tcp_t>) -> UInt16 {
    var address = sockaddr_storage()
    var length = Int32(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &address) { storage in
      let raw = UnsafeMutableRawPointer(storage)
      uv_tcp_getsockname(listener, raw.assumingMemoryBound(to: sockaddr.self), &length)
      // `sin_port` and `sin6_port` are at the same offset, in network byte order.
      return UInt16(bigEndian: raw.load(fromByteOffset: 2, as: UInt16.self))
    }
  }
}
