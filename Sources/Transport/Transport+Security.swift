// Connections with TLS: what the socket brings is unsealed before the handler sees it, and what the handler
// writes is sealed before the socket gets it. Plain connections pay one comparison a read and a write.
//
//     socket ─▶ sealed buffer ─▶ TLSSession ─▶ shared buffer ─▶ handler
//     socket ◀─ queue ◀───────── TLSSession ◀─ plain ◀───────── handler

import CLibuv
import TLS

extension Transport {
  /// Bytes by which sealed bytes may pass the bound on plain ones: 22 for each record of 16 KiB, alerts.
  private var sealing: Int { 4_096 + configuration.sendBound >> 8 }

  /// Gives a connection what its listener's connections are secured with, if anything.
  /// - Returns: `false` when there is no memory for it.
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

  /// The socket has brought `count` sealed bytes.
  func readSealed(_ slot: UnsafeMutablePointer<ConnectionSlot>, _ count: Int) {
    slot.pointee.security?.receive(UnsafeRawBufferPointer(rebasing: sealedBuffer[..<count]))
    unseal(slot)
  }

  /// Shows the handler what can be unsealed, until it pauses; what TLS itself has to say is sent.
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
        // An alert says why, if the client speaks TLS at all.
        slot.pointee.plain.reset()
        finish(slot, .notSecured)
      }
      break
    }
    if slot.pointee.security?.pending ?? 0 > 0 { markDirty(slot) }
  }

  /// Seals what waits, once the socket has taken what was sealed before.
  func seal(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    let filled = slot.pointee.plain.filled
    if slot.pointee.queue.filled == 0, filled > 0 {
      if slot.pointee.security?.isEstablished == true {
        let bytes = UnsafeRawBufferPointer(rebasing: slot.pointee.plain.filling[..<filled])
        let isSealed = slot.pointee.security?.write(bytes) ?? false
        slot.pointee.plain.clear()
        if !isSealed { finish(slot, .notSecured) }
      } else if slot.pointee.state == .finishing {
        // Nobody agreed on how to read it.
        slot.pointee.plain.clear()
      }
    }
    takeSealed(slot)
  }

  /// All is written: the client is told that this was the end, and not the act of somebody in between.
  func endSecurity(_ slot: UnsafeMutablePointer<ConnectionSlot>) {
    slot.pointee.security?.end()
    takeSealed(slot)
    let filled = slot.pointee.queue.filled
    guard filled > 0 else { return }
    var buffer = uv_buf_t(
      base: slot.pointee.queue.filling.baseAddress?.assumingMemoryBound(to: CChar.self),
      len: filled)
    // Two dozen bytes into an empty queue: where the socket takes none, the end shows as TCP's only.
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
