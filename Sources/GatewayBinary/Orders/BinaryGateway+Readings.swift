// Readings carry signatures, and checking one takes as long as fifty orders:
//
//     frame ─▶ readReading ─▶ check ──here──▶ verify ─────────────▶ submit
//                               └──elsewhere──▶ another thread ─▶ checked ─▶ submit
//
// Readings come back in their order. What else their session sends waits on its socket until they have, so
// that the journal has each session's messages in the order of their numbers.

import GatewayKit
import MarketModel
import Transport
import Wire

extension BinaryGateway {
  /// A reading's signature was checked elsewhere: it is submitted, or rejected.
  /// - Returns: `false` when the intake is full: to be called again with the same at the end of the turn.
  public func checked(_ signed: SignedReading, isValid: Bool) -> Bool {
    let connection = ConnectionId(rawValue: signed.connection)
    let slot = connection.slot
    // Its session has left this connection: the client is told where to go on, and sends it again.
    guard let peer = peers[slot], peer.connection == connection,
      peer.session.state == .established
    else { return true }
    guard accept(signed, isValid, slot) else { return false }
    peers[slot]?.noteChecked(signed.clientSequence)
    return true
  }

  /// Takes a reading that was admitted.
  func reading(_ frame: Frame, _ slot: Int) -> Next {
    guard let peer = peers[slot] else { return .stop }
    switch OrderReader().readReading(
      frame, from: peer.session.identity,
      roles: view.reference.roles(of: peer.session.identity), reference: view.reference,
      connection: peer.connection.rawValue, number)
    {
    case .rejected(let rejected):
      // Answered at once, before those that are being checked: a reject names its message.
      reject(rejected, slot)
      return .go
    case .signed(let signed): return take(signed, frame, slot)
    }
  }

  /// Whether readings that came before are still being checked; then the connection is not read on until
  /// the turn ends.
  @inline(__always) func waitsForReadings(_ slot: Int) -> Bool {
    guard let unchecked = peers.pointer(slot).pointee?.unchecked, unchecked > 0 else {
      return false
    }
    pause(slot)
    return true
  }

  private func take(_ signed: SignedReading, _ frame: Frame, _ slot: Int) -> Next {
    switch exchange.check(signed) {
    case .elsewhere:
      peers[slot]?.noteUnchecked(signed.clientSequence)
      taken += 1
      return .go
    case .here:
      let isValid = configuration.verify(signed.signature, frame, .reading, signed.key)
      if accept(signed, isValid, slot) { return .go }
    case .full: break
    }
    peers[slot]?.session.putBack(sequence: signed.clientSequence)
    pause(slot)
    return .wait
  }

  /// Submits or rejects a reading.
  /// - Returns: `false` when the intake is full.
  private func accept(_ signed: SignedReading, _ isValid: Bool, _ slot: Int) -> Bool {
    switch signed.result(isValid: isValid) {
    case .rejected(let rejected): reject(rejected, slot)
    case .command(let command):
      switch exchange.submit(command) {
      case .taken:
        counts.commands += 1
        taken += 1
      case .full: return false
      case .refused(let refusal):
        reject(
          Rejected(
            code: refusal.code, limit: refusal.limit, session: command.session,
            clientSequence: command.clientSequence), slot)
      }
    }
    return true
  }
}
