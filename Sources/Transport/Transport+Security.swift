// Connections with TLS: received bytes are decrypted before the handler sees them, sent bytes are
// encrypted before the socket gets them. Plain connections cost one comparison per read and write.
//
//     socket ─▶ sealed buffer ─▶ TLSSession ─▶ shared buffer ─▶ handler
//     socket ◀─ queue ◀───────── TLSSession ◀─ plain ◀───────── handler
//
// A step of the handshake waits for its turn, see `HandshakeGate`. While it waits, up to 16 KiB are
// still read from the socket, so that a client that closes is noticed and leaves its place:
//
//     none ─ whole hello ─▶ waitsToBegin ─ step ─▶ begun ─ bytes ─▶ waitsToContinue ─ step ─▶ done
//     server waits for it   it waits for the server  server waits for it                      log-on

import CLibuv
import TLS

extension Transport {
  /// Sets up TLS for a connection if its listener uses TLS.
  /// - Returns: `false` if there is no memory for it.
  func secure(
    _ slot: UnsafeMutablePointer<ConnectionSlot>, _ context: TLSContext?
  ) -> Bool {
    guard let context else { return true }
    do throws(TLSError) {
      slot.pointee.security = try TLSSession(context)
      return true
    } catch {
      return false
    }
  }

  /// Before the handshake is complete a client is given little: the bytes may have to wait.
  func offerSealedBuffer(
    _ slot: UnsafeMutablePointer<ConnectionSlot>, _ buffer: UnsafeMutablePointer<uv_buf_t>?
  ) {
    buffer?.pointee.base = sealedBuffer.baseAddress?.assumingMemoryBound(to: CChar.self)
    let most = slot.pointee.handshake == .done ? sealedBuffer.count : Self.handshakeBuffer
    buffer?.pointee.len = min(most, sealedBuffer.count)
  }

  /// Greatest number of bytes read for one step of a handshake.
  private static let handshakeBuffer = 16 << 10

  /// Processes `count` encrypted bytes from the socket; those of a handshake wait for their turn.
  func readSealed(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ count: Int) {
    slot.pointee.security?.receive(UnsafeRawBufferPointer(rebasing: sealedBuffer[..<count]))
    if slot.pointee.handshake == .done { return unseal(slot) }
    slot.pointee.handshakeBytes += count
    let isLong = slot.pointee.handshakeBytes >= Self.handshakeBuffer
    switch slot.pointee.handshake {
    case .none:
      guard slot.pointee.security?.hasWholeRecord == true else { break }
      slot.pointee.handshake = .waitsToBegin
      hasHandshakes = true
      // It waits for the server, not the server for it.
      unlist(slot)
      handshakes.wait(slot.pointee.id, slot.pointee.address, at: uv_now(loop))
    case .begun:
      slot.pointee.handshake = .waitsToContinue
      hasHandshakes = true
      handshakes.waitToContinue(slot.pointee.id)
      if isLong { uv_read_stop(slot.pointee.stream) }
    case .waitsToContinue:
      if isLong { uv_read_stop(slot.pointee.stream) }
    case .waitsToBegin, .done: break
    }
    // A hello is shorter, and more follows it only after the answer.
    if isLong, !slot.pointee.isAnswered { close(slot, .notSecured) }
  }

  /// Whether the client waits for the first step of its TLS handshake, with everything sent that
  /// the server needs for it. On the loop's thread.
  public func isHeldBack(_ connection: ConnectionId) -> Bool {
    slot(of: connection)?.pointee.handshake == .waitsToBegin
  }

  /// Takes the steps of handshakes that are due in this turn: at most one that computes a
  /// signature. The loop turns again without waiting if there are more.
  func stepHandshakes() {
    let now = uv_now(loop)
    for _ in 0..<Self.stepsPerTurn {
      guard let connection = handshakes.takeNext(at: now) else { break }
      guard let slot = slot(of: connection), slot.pointee.state == .open else { continue }
      if stepHandshake(slot) { break }
    }
    counts.handshakesDelayed = handshakes.delayedCount
    hasHandshakes = !handshakes.isEmpty
    if isShutDown { return }
    guard let delay = handshakes.delay(at: now), delay > 0 else {
      if hasHandshakes { uv_idle_start(idle, { _ in }) } else { uv_idle_stop(idle) }
      return
    }
    uv_idle_stop(idle)
    // The timer only ends the loop's sleep.
    uv_timer_start(handshakeTimer, { _ in }, delay, 0)
  }

  /// Maximum number of steps without a signature in a turn.
  private static let stepsPerTurn = 64

  /// - Returns: whether the step has an answer, for which a signature may have been computed.
  private func stepHandshake(_ slot: UnsafeMutablePointer<ConnectionSlot>) -> Bool {
    let isFirst = slot.pointee.handshake == .waitsToBegin
    slot.pointee.handshakeBytes = 0
    slot.pointee.handshake = .begun
    unseal(slot)
    let isEstablished = slot.pointee.security?.isEstablished == true
    let isAnswered = slot.pointee.security?.pending ?? 0 > 0
    if isEstablished {
      slot.pointee.handshake = .done
    } else if isFirst, !isAnswered {
      // The hello goes on in a further record.
      slot.pointee.handshake = .none
    }
    // From now on the server waits for the client.
    if isFirst || isEstablished { relist(slot) }
    readIfOpen(slot)
    guard isEstablished else { return isAnswered }
    // What the client sent with the last step was presented after the turn's commands were applied.
    wakeHandle.wake()
    return false
  }

  /// Presents decrypted bytes to the handler until it pauses, and sends TLS's own messages.
  func unseal(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    while slot.pointee.state == .open, !slot.pointee.paused {
      let kept = slot.pointee.unreadCount
      slot.pointee.copyUnread(to: readBuffer)
      let room = UnsafeMutableRawBufferPointer(rebasing: readBuffer[kept...])
      switch slot.pointee.security?.read(into: room) ?? .ended {
      case .bytes(let count):
        slot.pointee.forgetUnread()
        deliver(slot, kept + count)
        continue
      case .needsMore: break
      case .ended: close(slot, .peerClosed)
      case .failed:
        // The TLS alert tells the client the reason, if it speaks TLS at all.
        slot.pointee.plain.clear(&memory)
        finish(slot, .notSecured)
      }
      break
    }
    // What the handler wrote before the handshake was complete has waited for its end.
    if slot.pointee.security?.pending ?? 0 > 0 || slot.pointee.plain.count > 0 { markDirty(slot) }
  }

  /// Encrypts queued plain bytes, as many as the socket may take soon.
  func seal(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    if slot.pointee.security?.isEstablished == true {
      while slot.pointee.plain.count > 0, slot.pointee.queue.count < Self.sealedAhead {
        let bytes = slot.pointee.plain.head
        let isSealed = slot.pointee.security?.write(bytes) ?? false
        slot.pointee.plain.remove(bytes.count, &memory)
        if !isSealed {
          slot.pointee.plain.clear(&memory)
          finish(slot, .notSecured)
        }
        takeSealed(slot)
      }
    } else if slot.pointee.state == .finishing {
      // Without a completed handshake the bytes cannot be encrypted.
      slot.pointee.plain.clear(&memory)
    }
    takeSealed(slot)
  }

  /// Number of encrypted bytes in the queue from which on nothing more is encrypted.
  private static let sealedAhead = 128 << 10

  /// Everything is written: a TLS close notification shows the client that the end is genuine and
  /// not caused by a third party.
  func endSecurity(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    slot.pointee.security?.end()
    takeSealed(slot)
    let bytes = slot.pointee.queue.head
    guard bytes.count > 0 else { return }
    var buffer = uv_buf_t(
      base: UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(
        to: CChar.self),
      len: bytes.count)
    // About 24 bytes into an empty queue. If the socket does not accept them, the client sees only
    // TCP's end.
    uv_try_write(slot.pointee.stream, &buffer, 1)
    slot.pointee.queue.clear(&memory)
  }

  private func takeSealed(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    while let pending = slot.pointee.security?.pending, pending > 0 {
      let target = slot.pointee.queue.reserve(upTo: pending, &memory)
      let taken = slot.pointee.security?.take(into: target) ?? 0
      precondition(taken == target.count)
    }
  }
}
