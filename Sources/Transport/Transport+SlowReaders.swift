// Bounds of what clients leave unread. `reserve` comes here when a queue passes its threshold or
// needs memory:
//
//     64 KiB                without an established session: cut at once
//     every 256 KiB         the socket is offered what waits, without waiting for the turn's end
//     sendBound             the client's reading is measured from here on, see `ReadingPace`
//     16 x sendBound        cut at once
//     totalSendBound        the slowest of those above sendBound are cut at once, their bytes dropped

import CLibuv

extension Transport {
  /// Number of bytes after which the socket is offered what waits.
  private static let earlyWrite = 256 << 10
  /// Greatest number of bytes queued for a client without an established session.
  static let strangerBound = 64 << 10

  /// Greatest number of bytes that may ever be queued on one connection.
  private var hardBound: Int { configuration.sendBound * ReadingPace.longest }

  /// The bound of a connection: what may be queued at once.
  private func bound(_ slot: UnsafeMutablePointer<ConnectionSlot>) -> Int {
    slot.pointee.stranger.isListed ? min(Self.strangerBound, hardBound) : hardBound
  }

  /// The number of bytes queued above which `reserve` looks again.
  func threshold(_ slot: UnsafeMutablePointer<ConnectionSlot>) -> Int {
    let waiting = slot.pointee.waiting
    let next = min(waiting + Self.earlyWrite, bound(slot))
    return slot.pointee.pace.isBehind ? next : min(next, configuration.sendBound)
  }

  /// Whether `bytes` more bytes may be queued: writes what the socket takes, begins to measure the
  /// client's reading, cuts connections. Called above the threshold, and when memory is needed.
  func allows(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: Int) -> Bool {
    if slot.pointee.isOverflowing {
      return slot.pointee.waiting + bytes <= slot.pointee.threshold
    }
    if slot.pointee.waiting + bytes > slot.pointee.threshold {
      if slot.pointee.inFlight == 0 { _ = writeNow(slot) }
      guard slot.pointee.state == .open else { return false }
      let waiting = slot.pointee.waiting + bytes
      if waiting > bound(slot) { return cut(slot) }
      if waiting > configuration.sendBound, !slot.pointee.pace.isBehind {
        if configuration.patienceMilliseconds == 0 { return cut(slot) }
        measure(slot)
      }
      slot.pointee.threshold = max(threshold(slot), waiting)
    }
    guard makeRoom(newMemory(slot, bytes)) else { return cut(slot) }
    return slot.pointee.state == .open
  }

  /// Number of bytes that appending `bytes` bytes takes from the pool.
  private func newMemory(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ bytes: Int) -> Int {
    slot.pointee.security == nil
      ? slot.pointee.queue.newBlockSize(bytes) : slot.pointee.plain.newBlockSize(bytes)
  }

  /// Lets the handler send a last message, then finishes the connection: the queue is sent if the
  /// client reads in time.
  /// - Returns: `false`: nothing more may be queued.
  @discardableResult
  func cut(_ slot: UnsafeMutablePointer<ConnectionSlot>) -> Bool {
    guard !slot.pointee.isOverflowing, slot.pointee.state == .open else { return false }
    slot.pointee.isOverflowing = true
    slot.pointee.threshold = slot.pointee.waiting + Self.lastWord
    tell(slot) { $0.overflowed(slot.pointee.id) }
    finish(slot, .slowReader)
    return false
  }

  // MARK: The sum

  /// Cuts connections until a block of `bytes` bytes is within the bound of all queues.
  /// - Returns: `false` if that is impossible, because closing connections still hold too much.
  private func makeRoom(_ bytes: Int) -> Bool {
    if bytes == 0 { return true }
    while memory.used + bytes > configuration.totalSendBound, let slot = slowest() {
      cut(slot)
      // What is queued cannot be waited for.
      close(slot, .slowReader)
    }
    if !memory.hasFree(bytes), memory.used + memory.free + bytes > configuration.totalSendBound {
      memory.trimAll()
    }
    return memory.used + bytes <= configuration.totalSendBound
  }

  /// The connection that has read the least for the longest, among those above the bound; if there
  /// are none, the one with the longest queue.
  private func slowest() -> UnsafeMutablePointer<ConnectionSlot>? {
    var found: UnsafeMutablePointer<ConnectionSlot>?
    for slot in slots where Self.holdsMemory(slot) {
      guard let best = found else {
        found = slot
        continue
      }
      switch (slot.pointee.pace.isBehind, best.pointee.pace.isBehind) {
      case (true, true):
        if slot.pointee.pace.isSlower(than: best.pointee.pace) { found = slot }
      case (true, false): found = slot
      case (false, true): break
      case (false, false): if slot.pointee.waiting > best.pointee.waiting { found = slot }
      }
    }
    return found
  }

  /// Whether closing the connection frees memory.
  private static func holdsMemory(_ slot: UnsafeMutablePointer<ConnectionSlot>) -> Bool {
    (slot.pointee.state == .open || slot.pointee.state == .finishing) && slot.pointee.waiting > 0
  }

  // MARK: Time

  /// Interval at which reading is measured, ms.
  private var tick: UInt64 { min(max(1, configuration.patienceMilliseconds / 8), 250) }

  private func measure(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    slot.pointee.pace.fallBehind()
    guard !slot.pointee.pace.isListed, !isShutDown else { return }
    slot.pointee.pace.isListed = true
    measured.append(slot.pointee.index)
    if measured.count > 1 { return }
    uv_update_time(loop)
    uv_timer_start(
      paceTimer, { Transport.with($0?.pointee.data) { $0.measureAll() } }, tick, tick)
  }

  /// Cuts the clients that have not read for the configured time.
  private func measureAll() {
    let period = Int((configuration.patienceMilliseconds + tick - 1) / tick)
    let indices = measured
    measured.removeAll(keepingCapacity: true)
    for index in indices {
      let slot = slots[index]
      guard slot.pointee.state == .open, slot.pointee.pace.isBehind else {
        slot.pointee.pace.isListed = false
        continue
      }
      measured.append(index)
      if slot.pointee.pace.tick(period: period, bound: configuration.sendBound) { cut(slot) }
    }
    if measured.isEmpty { uv_timer_stop(paceTimer) }
  }
}
