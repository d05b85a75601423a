import CLibuv

extension Transport {
  /// Appends `bytes` bytes to the send queue of `connection`, to be filled in before the next call.
  /// They are sent at the end of the turn, or before if many are waiting. No queued byte is dropped
  /// while the connection is open: if the client is too slow, the handler may send a last message
  /// (`overflowed`) and the connection finishes (`.slowReader`). On the loop's thread.
  /// - Returns: `nil` if the connection is closed, finishing, or has just exceeded its bound.
  public func reserve(_ connection: ConnectionId, _ bytes: Int) -> UnsafeMutableRawPointer? {
    guard let slot = slot(of: connection), slot.pointee.state == .open else { return nil }
    if slot.pointee.waiting + bytes > slot.pointee.threshold || !hasSpace(slot, bytes) {
      guard allows(slot, bytes) else { return nil }
    }
    markDirty(slot)
    return slot.pointee.security == nil
      ? slot.pointee.queue.reserve(bytes, &memory) : slot.pointee.plain.reserve(bytes, &memory)
  }

  @inline(__always)
  private func hasSpace(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: Int) -> Bool {
    slot.pointee.security == nil
      ? slot.pointee.queue.hasSpace(bytes) : slot.pointee.plain.hasSpace(bytes)
  }

  /// Sends a copy of `bytes`. On the loop's thread.
  /// - Returns: `false` if the connection is closed, finishing, or has just exceeded its bound.
  @discardableResult
  public func send(_ connection: ConnectionId, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let target = reserve(connection, bytes.count) else { return false }
    if let source = bytes.baseAddress { target.copyMemory(from: source, byteCount: bytes.count) }
    return true
  }

  /// Number of bytes queued on `connection`; 0 if it is closed. On the loop's thread.
  public func queued(_ connection: ConnectionId) -> Int {
    slot(of: connection)?.pointee.waiting ?? 0
  }

  /// Number of bytes queued on all connections. On the loop's thread.
  public var waiting: Int {
    slots.reduce(0) { $0 + ($1.pointee.state == .open ? $1.pointee.waiting : 0) }
  }

  /// Number of bytes in the memory of all send queues, with what is kept for later. On the loop's
  /// thread.
  public var queueMemory: Int { memory.used + memory.free }

  func markDirty(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    guard !slot.pointee.dirty else { return }
    slot.pointee.dirty = true
    dirtySlots.append(slot.pointee.index)
  }

  /// Flushes the connections that were read since the last flush, because their clients wait for
  /// the answers. The queues of other connections are sent at the end of the turn or after they are
  /// read, together with what is still added. On the loop's thread, also within `received`.
  public func sendNow() {
    var (next, kept) = (0, 0)
    while next < dirtySlots.count {
      let index = dirtySlots[next]
      next += 1
      if slots[index].pointee.wasRead {
        flushIfOpen(slots[index])
      } else {
        dirtySlots[kept] = index
        kept += 1
      }
    }
    dirtySlots.removeLast(dirtySlots.count - kept)
  }

  /// Flushes all queues, with one write per connection.
  func flushDirty() {
    var next = 0
    while next < dirtySlots.count {
      let slot = slots[dirtySlots[next]]
      next += 1
      flushIfOpen(slot)
    }
    dirtySlots.removeAll(keepingCapacity: true)
    if memory.isTrimmable { startTrimming() }
  }

  private func flushIfOpen(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    (slot.pointee.dirty, slot.pointee.wasRead) = (false, false)
    switch slot.pointee.state {
    case .open, .finishing: flush(slot)
    case .free, .closing: break
    }
  }

  /// Writes what the socket takes; libuv completes the rest.
  func flush(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    guard slot.pointee.inFlight == 0, writeNow(slot) else { return }
    if slot.pointee.queue.count == 0 { return finishWriting(slot) }
    counts.writesDeferred += 1
    awaitWritable(slot)
  }

  /// Writes what the socket takes now. No write may be pending.
  /// - Returns: whether the connection can still send.
  func writeNow(_ slot: UnsafeMutablePointer<ConnectionSlot>) -> Bool {
    repeat {
      if slot.pointee.security != nil { seal(slot) }
      if slot.pointee.queue.count == 0 { break }
      let (code, asked) = withBuffers(slot, most: Self.buffersPerWrite) { buffers in
        uv_try_write(slot.pointee.stream, buffers.baseAddress, UInt32(buffers.count))
      }
      guard code >= 0 || code == UV_EAGAIN.rawValue else {
        close(slot, .failed(code))
        return false
      }
      let written = max(0, Int(code))
      took(slot, written)
      if written < asked { break }
    } while slot.pointee.waiting > 0
    return slot.pointee.state == .open || slot.pointee.state == .finishing
  }

  /// Gives libuv the first bytes of the queue, to be written when the socket takes them again. Only
  /// a few, so that progress is seen.
  private func awaitWritable(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    slot.pointee.write.pointee.data = UnsafeMutableRawPointer(slot)
    let (code, asked) = withBuffers(slot, most: Self.buffersInFlight) { buffers in
      uv_write(
        slot.pointee.write, slot.pointee.stream, buffers.baseAddress, UInt32(buffers.count)
      ) { request, status in
        Transport.withSlot(request?.pointee.data) { $0.landed($1, status) }
      }
    }
    if code < 0 { return close(slot, .failed(code)) }
    slot.pointee.inFlight = asked
  }

  private func landed(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ status: Int32) {
    let bytes = slot.pointee.inFlight
    slot.pointee.inFlight = 0
    guard slot.pointee.state == .open || slot.pointee.state == .finishing else { return }
    guard status == 0 else { return close(slot, .failed(status)) }
    took(slot, bytes)
    flush(slot)
  }

  /// The socket took the first `bytes` bytes of the queue.
  private func took(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: Int) {
    counts.bytesOut += bytes
    slot.pointee.queue.remove(bytes, &memory)
    if slot.pointee.pace.isBehind {
      slot.pointee.pace.took(bytes)
      if slot.pointee.waiting <= configuration.sendBound { slot.pointee.pace.catchUp() }
    }
    slot.pointee.threshold = threshold(slot)
  }

  /// Number of buffers in one write of the loop's thread: 1 MiB.
  private static let buffersPerWrite = 16
  /// Number of buffers that libuv writes; four need no memory of its own.
  private static let buffersInFlight = 4

  /// Calls `body` with the first bytes of the queue.
  /// - Returns: the result of `body`, and the number of bytes it was given.
  private func withBuffers(
    _ slot: UnsafeMutablePointer<ConnectionSlot>, most: Int,
    _ body: (UnsafeMutableBufferPointer<uv_buf_t>) -> Int32
  ) -> (code: Int32, bytes: Int) {
    withUnsafeTemporaryAllocation(of: uv_buf_t.self, capacity: most) { buffers in
      let (count, bytes) = slot.pointee.queue.describe(in: buffers)
      return (body(UnsafeMutableBufferPointer(rebasing: buffers[..<count])), bytes)
    }
  }

  /// Everything is written: a finishing connection closes its sending side and waits for the
  /// client's.
  private func finishWriting(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    guard slot.pointee.state == .finishing, !slot.pointee.shut else { return }
    slot.pointee.shut = true
    if slot.pointee.security != nil { endSecurity(slot) }
    if uv_shutdown(slot.pointee.shutdown, slot.pointee.stream, nil) < 0 { close(slot, .local) }
  }
}
