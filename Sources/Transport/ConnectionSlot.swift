import CLibuv
import TLS

/// One place for a connection: reused, never freed before the transport is. Owned by the loop's thread.
struct ConnectionSlot: ~Copyable {
  /// What may be done with the slot.
  enum State {
    /// No connection.
    case free
    /// Reads and writes.
    case open
    /// Sends what is queued, discards what arrives, then closes.
    case finishing
    /// `uv_close` was called; libuv still owns the handle.
    case closing
  }

  /// Back to the owner; the slot never outlives it.
  let transport: Unmanaged<Transport>
  let tcp: UnsafeMutablePointer<uv_tcp_t>
  let write: UnsafeMutablePointer<uv_write_t>
  let shutdown: UnsafeMutablePointer<uv_shutdown_t>
  let index: Int
  var generation: UInt32 = 0
  var state = State.free
  /// Which of the handlers has the connection.
  var handler = 0
  var reason = CloseReason.local
  /// Reading is stopped: back-pressure.
  var paused = false
  /// The queue is full: only a last word is taken.
  var isOverflowing = false
  /// The slot is in the list of those to flush.
  var dirty = false
  /// It was read since something was sent early.
  var wasRead = false
  /// `uv_shutdown` was called.
  var shut = false
  /// When a finishing connection is closed, whatever the client does; loop time in ms.
  var lingerUntil: UInt64 = 0
  /// The part of a message that the next bytes complete, or all that was left when reading paused.
  var unread = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  var unreadCount = 0
  /// What the socket is given.
  var queue: SendQueue
  /// The connection's TLS; `nil`: bytes stand on the wire as they are.
  var security: TLSSession?
  /// With TLS: what waits to be sealed, as the handler wrote it.
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

  /// Keeps `bytes` for the next time. Grows only when reading pauses in the midst of a burst.
  mutating func keep(_ bytes: UnsafeRawBufferPointer) {
    if bytes.count > unread.count {
      unread.deallocate()
      unread = .allocate(byteCount: max(512, bytes.count), alignment: 8)
    }
    if bytes.count > 0 { unread.copyMemory(from: bytes) }
    unreadCount = bytes.count
  }

  /// Makes the slot ready for the next connection.
  /// - Parameter handler: Which of the handlers has it.
  mutating func open(handler: Int) {
    self.handler = handler
    generation += 1
    state = .open
    (paused, shut, unreadCount) = (false, false, 0)
    isOverflowing = false
    queue.reset()
    plain.reset()
  }

  /// Bytes that wait to be sent.
  var waiting: Int { queue.count + plain.count }
}
