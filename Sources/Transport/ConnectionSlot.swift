import CLibuv
import TLS

/// The state of one connection. Slots are reused and freed only with the transport. Owned by the
/// loop's thread.
struct ConnectionSlot: ~Copyable {
  /// States of a slot.
  enum State {
    /// Unused.
    case free
    /// Reads and writes.
    case open
    /// Sends what is queued, discards what arrives, then closes.
    case finishing
    /// `uv_close` was called; libuv still owns the handle.
    case closing
  }

  /// The transport, which outlives the slot.
  let transport: Unmanaged<Transport>
  /// The handle of the connection, or of the last one.
  private(set) var tcp: UnsafeMutablePointer<uv_tcp_t>
  let write: UnsafeMutablePointer<uv_write_t>
  let shutdown: UnsafeMutablePointer<uv_shutdown_t>
  let index: Int
  var generation: UInt32 = 0
  var state = State.free
  /// Index of the connection's handler.
  var handler = 0
  /// The network address of the client.
  var address = PeerAddress.unknown
  var reason = CloseReason.local
  /// Whether reading is paused (backpressure).
  var paused = false
  /// Whether the send bound was exceeded, so that only a last message is accepted.
  var isOverflowing = false
  /// Whether the slot is in the list of slots to flush.
  var dirty = false
  /// Whether it was read since the last early flush.
  var wasRead = false
  /// Whether `uv_shutdown` was called.
  var shut = false
  /// When a finishing connection is closed in any case; loop time in ms.
  var lingerUntil: UInt64 = 0
  /// The beginning of an incomplete message, or all bytes left when reading was paused.
  private(set) var unread = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private(set) var unreadCount = 0
  /// Bytes for the socket.
  var queue = SendQueue()
  /// Number of bytes at the begin of `queue` that libuv is writing.
  var inFlight = 0
  /// TLS state of the connection; `nil` for plain TCP.
  var security: TLSSession?
  /// With TLS: bytes from the handler that are not yet encrypted.
  var plain = SendQueue()
  /// With TLS: the state of the handshake.
  var handshake = Handshake.none
  /// With TLS: number of bytes received since the last step of the handshake.
  var handshakeBytes = 0
  /// Number of bytes queued above which `reserve` looks at the connection more closely.
  var threshold = 0
  /// How the client reads while more than the bound waits for it.
  var pace = ReadingPace()
  /// Whether the client has an established session.
  var isPromoted = false
  /// Neighbours in the list of connections without an established session.
  var stranger = StrangerLink()

  /// The progress of a TLS handshake.
  enum Handshake {
    /// The client's hello has not arrived, or not all of it; or it is plain TCP.
    case none
    /// The hello waits for the first step, which computes a signature.
    case waitsToBegin
    /// The first step is done.
    case begun
    /// Bytes of the client wait for a later step.
    case waitsToContinue
    /// The handshake is complete.
    case done

    /// Whether bytes wait for a step.
    var isWaiting: Bool { self == .waitsToBegin || self == .waitsToContinue }
  }

  /// Whether the hello has been answered.
  var isAnswered: Bool { handshake != .none && handshake != .waitsToBegin }

  init(transport: Transport, index: Int) {
    self.transport = .passUnretained(transport)
    self.index = index
    tcp = .allocate(capacity: 1)
    write = .allocate(capacity: 1)
    shutdown = .allocate(capacity: 1)
  }

  deinit {
    tcp.deallocate()
    write.deallocate()
    shutdown.deallocate()
    unread.deallocate()
  }

  var id: ConnectionId { ConnectionId(slot: index, generation: generation) }

  var stream: UnsafeMutablePointer<uv_stream_t> {
    UnsafeMutableRawPointer(tcp).assumingMemoryBound(to: uv_stream_t.self)
  }

  var handle: UnsafeMutablePointer<uv_handle_t> {
    UnsafeMutableRawPointer(tcp).assumingMemoryBound(to: uv_handle_t.self)
  }

  /// Stores `bytes` for the next read. Grows only if reading is paused during a burst.
  mutating func keep(_ bytes: UnsafeRawBufferPointer) {
    if bytes.count > unread.count {
      unread.deallocate()
      unread = .allocate(byteCount: max(Self.smallUnread, bytes.count), alignment: 8)
    }
    if bytes.count > 0 { unread.copyMemory(from: bytes) }
    unreadCount = bytes.count
  }

  /// Copies the stored bytes to the begin of `buffer`.
  func copyUnread(to buffer: UnsafeMutableRawBufferPointer) {
    guard unreadCount > 0 else { return }
    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: unread[..<unreadCount]))
  }

  /// Forgets the stored bytes, which are presented again; frees the memory of a burst.
  mutating func forgetUnread() {
    unreadCount = 0
    if unread.count > Self.smallUnread { freeUnread() }
  }

  /// Size of the memory for the begin of a message, in bytes.
  private static let smallUnread = 512

  private mutating func freeUnread() {
    unread.deallocate()
    unread = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }

  /// Prepares the slot for a new connection.
  /// - Parameter threshold: Number of bytes queued that a client may leave unread at first.
  mutating func open(_ newcomer: Newcomer, threshold: Int) {
    tcp.deallocate()
    tcp = newcomer.tcp
    (handler, address) = (newcomer.handler, newcomer.address)
    generation += 1
    state = .open
    (paused, shut, isOverflowing, isPromoted) = (false, false, false, false)
    (handshake, handshakeBytes) = (.none, 0)
    self.threshold = threshold
    pace.reset()
  }

  /// Frees the memory of a closed connection.
  mutating func release(_ pool: inout MemoryPool) {
    state = .free
    security = nil
    inFlight = 0
    queue.clear(&pool)
    plain.clear(&pool)
    unreadCount = 0
    freeUnread()
  }

  /// Number of bytes queued for sending.
  @inline(__always) var waiting: Int { queue.count + plain.count }
}

/// A connection that was accepted and has no slot yet.
struct Newcomer {
  var tcp: UnsafeMutablePointer<uv_tcp_t>
  var address: PeerAddress
  /// Index of its handler.
  var handler: Int
  /// TLS context of its listener; `nil` for plain TCP.
  var security: TLSContext?
}

/// The place of a connection in the list of those without an established session.
struct StrangerLink {
  /// Whether it is in the list.
  var isListed = false
  /// Slot of the connection that came just before; -1 if there is none.
  var older = -1
  /// Slot of the connection that came just after; -1 if there is none.
  var newer = -1
  /// Loop time of the begin, ms.
  var since: UInt64 = 0
}
