import CLibuv

extension Transport {
  /// Whether `connection` can still send. On the loop's thread.
  public func isOpen(_ connection: ConnectionId) -> Bool {
    slot(of: connection).map { $0.pointee.state == .open } ?? false
  }

  /// Stops reading from `connection`, so that its client is slowed by TCP flow control. Bytes that
  /// the handler leaves are presented again on `resume`. On the loop's thread.
  public func pause(_ connection: ConnectionId) {
    guard let slot = slot(of: connection), slot.pointee.state == .open else { return }
    slot.pointee.paused = true
    uv_read_stop(slot.pointee.stream)
  }

  /// Resumes reading, after presenting the bytes that the handler had left. On the loop's thread,
  /// within a callback of the loop other than `received`.
  public func resume(_ connection: ConnectionId) {
    guard let slot = slot(of: connection), slot.pointee.state == .open, slot.pointee.paused else {
      return
    }
    slot.pointee.paused = false
    let count = slot.pointee.unreadCount
    if count > 0 {
      slot.pointee.copyUnread(to: readBuffer)
      slot.pointee.forgetUnread()
      deliver(slot, count)
    }
    if slot.pointee.security != nil, !slot.pointee.handshake.isWaiting { unseal(slot) }
    readIfOpen(slot)
  }

  /// Reads from an open connection unless it is paused.
  func readIfOpen(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    guard slot.pointee.state == .open, !slot.pointee.paused else { return }
    startReading(slot)
  }

  /// Sends what is queued, then closes the connection; bytes that arrive in between are discarded.
  /// It is closed after the linger time in any case. On the loop's thread.
  public func finish(_ connection: ConnectionId) {
    if let slot = slot(of: connection) { finish(slot, .local) }
  }

  func finish(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ reason: CloseReason) {
    guard slot.pointee.state == .open else { return }
    slot.pointee.state = .finishing
    handshakes.leave(slot.pointee.id, at: uv_now(loop))
    // Its handler may have finished it with the last word.
    slot.pointee.reason = slot.pointee.isOverflowing ? .slowReader : reason
    slot.pointee.lingerUntil = uv_now(loop) + configuration.lingerMilliseconds
    finishingCount += 1
    startLinger()
    if slot.pointee.paused || slot.pointee.handshake.isWaiting {
      slot.pointee.paused = false
      startReading(slot)
    }
    markDirty(slot)
  }

  /// Closes the connection immediately; queued bytes are lost. `closed` is called in this turn of
  /// the loop.
  public func close(_ connection: ConnectionId, _ reason: CloseReason = .local) {
    if let slot = slot(of: connection) { close(slot, reason) }
  }

  /// The slot of a connection that is not closed.
  func slot(of connection: ConnectionId) -> UnsafeMutablePointer<ConnectionSlot>? {
    guard connection.slot < slots.count else { return nil }
    let slot = slots[connection.slot]
    guard slot.pointee.state != .free, slot.pointee.id == connection else { return nil }
    return slot
  }

  func startReading(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    uv_read_start(
      slot.pointee.stream,
      { handle, _, buffer in
        Transport.withSlot(handle?.pointee.data) { $0.offerReadBuffer($1, buffer) }
      },
      { stream, count, _ in
        Transport.withSlot(stream?.pointee.data) { $0.read($1, count) }
      })
  }

  /// Gives libuv the shared buffer, after the bytes that were left over have been copied to its
  /// front.
  private func offerReadBuffer(
    _ slot: UnsafeMutablePointer<ConnectionSlot>, _ buffer: UnsafeMutablePointer<uv_buf_t>?
  ) {
    if slot.pointee.security != nil { return offerSealedBuffer(slot, buffer) }
    let kept = slot.pointee.unreadCount
    slot.pointee.copyUnread(to: readBuffer)
    buffer?.pointee.base = readBuffer.baseAddress.map {
      ($0 + kept).assumingMemoryBound(to: CChar.self)
    }
    buffer?.pointee.len = readBuffer.count - kept
  }

  private func read(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ count: Int) {
    if count == 0 { return }
    guard count > 0 else {
      let ended = count == Int(UV_EOF.rawValue)
      return close(slot, ended ? .peerClosed : .failed(Int32(count)))
    }
    counts.bytesIn += count
    guard slot.pointee.state == .open else { return }
    if slot.pointee.security != nil { return readSealed(slot, count) }
    let kept = slot.pointee.unreadCount
    slot.pointee.forgetUnread()
    deliver(slot, kept + count)
  }

  /// Presents the first `count` bytes of the shared buffer to the handler and stores what it
  /// leaves.
  func deliver(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ count: Int) {
    let bytes = UnsafeRawBufferPointer(rebasing: readBuffer[0..<count])
    slot.pointee.wasRead = true
    guard let used = tell(slot, { $0.received(slot.pointee.id, bytes) }) else {
      preconditionFailure("only within the loop")
    }
    precondition(used >= 0 && used <= count)
    if slot.pointee.state == .open, used < count { keep(slot, bytes, used) }
    tellLoop { $0.readEnds() }
  }

  /// Stores the bytes that the handler left.
  private func keep(
    _ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: UnsafeRawBufferPointer, _ used: Int
  ) {
    let rest = bytes.count - used
    guard rest < configuration.longestMessage || slot.pointee.paused else {
      return close(slot, .unreadOverflow)
    }
    slot.pointee.keep(UnsafeRawBufferPointer(rebasing: bytes[used...]))
  }

  func close(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ reason: CloseReason) {
    guard slot.pointee.state != .free, slot.pointee.state != .closing else { return }
    // A finishing connection reports the reason for which it was finished, however the client
    // reacts.
    if slot.pointee.state == .finishing {
      finishingCount -= 1
    } else {
      slot.pointee.reason = reason
    }
    slot.pointee.state = .closing
    if slot.pointee.reason == .slowReader { counts.cut += 1 }
    slot.pointee.queue.truncate(after: slot.pointee.inFlight, &memory)
    slot.pointee.plain.clear(&memory)
    unlist(slot)
    handshakes.leave(slot.pointee.id, at: uv_now(loop))
    if !slot.pointee.isPromoted { uncountStranger(slot.pointee.address) }
    uv_close(slot.pointee.handle) { handle in
      Transport.withSlot(handle?.pointee.data) { $0.released($1) }
    }
  }

  /// libuv has released the handle; a pending write has already called back.
  private func released(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    let (id, reason) = (slot.pointee.id, slot.pointee.reason)
    slot.pointee.release(&memory)
    uncount(slot.pointee.address)
    freeSlots.append(slot.pointee.index)
    tell(slot) { $0.closed(id, reason) }
    openNewcomer()
  }

  /// The slot that libuv's `data` points to, with its transport, unretained.
  @inline(__always)
  static func withSlot(
    _ data: UnsafeMutableRawPointer?,
    _ body: (Transport, UnsafeMutablePointer<ConnectionSlot>) -> Void
  ) {
    guard let slot = data?.assumingMemoryBound(to: ConnectionSlot.self) else { return }
    slot.pointee.transport._withUnsafeGuaranteedRef { body($0, slot) }
  }
}
