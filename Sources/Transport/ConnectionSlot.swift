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
  let tcp: UnsafeMutablePointer<uv_tcp_t>
  let write: UnsafeMutablePointer<uv_write_t>
  let shutdown: UnsafeMutablePointer<uv_shutdown_t>
  let index: Int
  var generation: UInt32 = 0
  var state = State.free
  /// Index of the connection's handler.
  var handler = 0
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
  var unread = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  var unreadCount = 0
  /// Bytes for the socket.
  var queue: SendQueue
  /// TLS state of the connection; `nil` for plain TCP.
  var security: TLSSession?
  /// With TLS: bytes from the handler that are not yet encrypted.
  var plain: SendQueue

  init(transport: Transport, index: Int, sendBound: Int) {
    self.transport = .passUnretained(transport)
    self.index = index
    tcp = .allocate(capacity: 1)
    write = .allocate(capacity: 1)
    shutdown = .allocate(capacity: 1)
    queue = SendQueue(bound: sendBound)
    plain = SendQueue(bound: sendBound)
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
      unread = .allocate(byteCount: max(512, bytes.count), alignment: 8)
    }
    if bytes.count > 0 { unread.copyMemory(from: bytes) }
    unreadCount = bytes.count
  }

  /// Prepares the slot for a new connection.
  /// - Parameter handler: Index of its handler.
  mutating func open(handler: Int) {
    self.handler = handler
    generation += 1
    state = .open
    (paused, shut, unreadCount) = (false, false, 0)
    isOverflowing = false
    queue.reset()
    plain.reset()
  }

  /// Number of bytes queued for sending.
  var waiting: Int { queue.count + plain.count }
}
