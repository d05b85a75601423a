// Connections with TLS: received bytes are decrypted before the handler sees them, sent bytes are
// encrypted before the socket gets them. Plain connections cost one comparison per read and write.
//
//     socket ─▶ sealed buffer ─▶ TLSSession ─▶ shared buffer ─▶ handler
//     socket ◀─ queue ◀───────── TLSSession ◀─ plain ◀───────── handler

import CLibuv
import TLS

extension Transport {
  /// Greatest overhead of encryption on a full queue, in bytes: 22 per record of 16 KiB, and
  /// alerts.
  private var sealing: Int { 4_096 + configuration.sendBound >> 8 }

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

  func offerSealedBuffer(_ buffer: UnsafeMutablePointer<uv_buf_t>?) {
    buffer?.pointee.base = sealedBuffer.baseAddress?.assumingMemoryBound(to: CChar.self)
    buffer?.pointee.len = sealedBuffer.count
  }

  /// Processes `count` encrypted bytes from the socket.
  func readSealed(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ count: Int) {
    slot.pointee.security?.receive(UnsafeRawBufferPointer(rebasing: sealedBuffer[..<count]))
    unseal(slot)
  }

  /// Presents decrypted bytes to the handler until it pauses, and sends TLS's own messages.
  func unseal(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    while slot.pointee.state == .open, !slot.pointee.paused {
      let kept = slot.pointee.unreadCount
      if kept > 0 {
        readBuffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: slot.pointee.unread[..<kept]))
      }
      let room = UnsafeMutableRawBufferPointer(rebasing: readBuffer[kept...])
      switch slot.pointee.security?.read(into: room) ?? .ended {
      case .bytes(let count):
        slot.pointee.unreadCount = 0
        deliver(slot, kept + count)
        continue
      case .needsMore: break
      case .ended: close(slot, .peerClosed)
      case .failed:
        // The TLS alert tells the client the reason, if it speaks TLS at all.
        slot.pointee.plain.reset()
        finish(slot, .notSecured)
      }
      break
    }
    // What the handler wrote before the handshake was complete has waited for its end.
    if slot.pointee.security?.pending ?? 0 > 0 || slot.pointee.plain.filled > 0 { markDirty(slot) }
  }

  /// Encrypts the queued plain bytes, once the socket has accepted the encrypted ones.
  func seal(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    let filled = slot.pointee.plain.filled
    if slot.pointee.queue.filled == 0, filled > 0 {
      if slot.pointee.security?.isEstablished == true {
        let bytes = UnsafeRawBufferPointer(rebasing: slot.pointee.plain.filling[..<filled])
        let isSealed = slot.pointee.security?.write(bytes) ?? false
        slot.pointee.plain.clear()
        if !isSealed { finish(slot, .notSecured) }
      } else if slot.pointee.state == .finishing {
        // Without a completed handshake the bytes cannot be encrypted.
        slot.pointee.plain.clear()
      }
    }
    takeSealed(slot)
  }

  /// Everything is written: a TLS close notification shows the client that the end is genuine and
  /// not caused by a third party.
  func endSecurity(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    slot.pointee.security?.end()
    takeSealed(slot)
    let filled = slot.pointee.queue.filled
    guard filled > 0 else { return }
    var buffer = uv_buf_t(
      base: slot.pointee.queue.filling.baseAddress?.assumingMemoryBound(to: CChar.self),
      len: filled)
    // About 24 bytes into an empty queue. If the socket does not accept them, the client sees only
    // TCP's end.
    uv_try_write(slot.pointee.stream, &buffer, 1)
    slot.pointee.queue.clear()
  }

  private func takeSealed(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    guard let pending = slot.pointee.security?.pending, pending > 0,
      let target = slot.pointee.queue.reserve(pending, beyond: sealing)
    else { return }
    let taken =
      slot.pointee.security?.take(
        into: UnsafeMutableRawBufferPointer(start: target, count: pending)) ?? 0
    assert(taken == pending)
  }
}
