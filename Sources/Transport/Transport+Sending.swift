import CLibuv

extension Transport {
  /// Appends `bytes` bytes to the send queue of `connection`, to be filled in before the next call.
  /// They are sent at the end of the turn. No queued byte is ever dropped: if the bound would be
  /// exceeded, the handler may send a last message (`overflowed`) and the connection finishes
  /// (`.slowReader`); other connections are not affected. On the loop's thread.
  /// - Returns: `nil` if the connection is closed, finishing, or has just exceeded its bound.
  public func reserve(_ connection: ConnectionId, _ bytes: Int) -> UnsafeMutableRawPointer? {
    guard let slot = slot(of: connection), slot.pointee.state == .open else { return nil }
    let beyond = slot.pointee.isOverflowing ? Self.lastWord : 0
    let room =
      slot.pointee.security == nil
      ? slot.pointee.queue.reserve(bytes, beyond: beyond)
      : slot.pointee.plain.reserve(bytes, beyond: beyond)
    guard let start = room else {
      overflow(slot)
      return nil
    }
    markDirty(slot)
    return start
  }

  /// Lets the handler send a last message, then finishes the connection: the queue is sent if the
  /// client reads in time.
  private func overflow(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    guard !slot.pointee.isOverflowing else { return }
    slot.pointee.isOverflowing = true
    tell(slot) { $0.overflowed(slot.pointee.id) }
    finish(slot, .slowReader)
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
  }

  private func flushIfOpen(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    (slot.pointee.dirty, slot.pointee.wasRead) = (false, false)
    switch slot.pointee.state {
    case .open, .finishing: flush(slot)
    case .free, .closing: break
    }
  }

  private func flush(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    guard slot.pointee.queue.inFlight == 0 else { return }
    if slot.pointee.security != nil { seal(slot) }
    let filled = slot.pointee.queue.filled
    guard filled > 0 else { return finishWriting(slot) }
    var buffer = Self.buffer(slot.pointee.queue.filling, filled)
    let written = uv_try_write(slot.pointee.stream, &buffer, 1)
    if written == Int32(filled) {
      counts.bytesOut += filled
      slot.pointee.queue.clear()
      return finishWriting(slot)
    }
    guard written >= 0 || written == UV_EAGAIN.rawValue else {
      return close(slot, .failed(written))
    }
    counts.writesDeferred += 1
    counts.bytesOut += max(0, Int(written))
    write(slot, slot.pointee.queue.swap(after: max(0, Int(written))))
  }

  private func write(
    _ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: UnsafeMutableRawBufferPointer
  ) {
    var buffer = Self.buffer(bytes, bytes.count)
    slot.pointee.write.pointee.data = UnsafeMutableRawPointer(slot)
    let code = uv_write(slot.pointee.write, slot.pointee.stream, &buffer, 1) { request, status in
      Transport.withSlot(request?.pointee.data) { $0.landed($1, status) }
    }
    if code < 0 {
      slot.pointee.queue.landed()
      close(slot, .failed(code))
    }
  }

  private func landed(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ status: Int32) {
    let bytes = slot.pointee.queue.inFlight
    slot.pointee.queue.landed()
    guard slot.pointee.state == .open || slot.pointee.state == .finishing else { return }
    guard status == 0 else { return close(slot, .failed(status)) }
    counts.bytesOut += bytes
    flush(slot)
  }

  /// Everything is written: a finishing connection closes its sending side and waits for the
  /// client's.
  private func finishWriting(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    guard slot.pointee.state == .finishing, !slot.pointee.shut else { return }
    slot.pointee.shut = true
    if slot.pointee.security != nil { endSecurity(slot) }
    if uv_shutdown(slot.pointee.shutdown, slot.pointee.stream, nil) < 0 { close(slot, .local) }
  }

  private static func buffer(_ bytes: UnsafeMutableRawBufferPointer, _ count: Int) -> uv_buf_t {
    uv_buf_t(base: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), len: count)
  }
}
