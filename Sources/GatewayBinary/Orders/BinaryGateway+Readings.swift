// Meter readings are signed, and verifying a signature takes as long as fifty orders:
//
//     frame ─▶ readReading ─▶ check ──here──▶ verify ─────────────▶ submit
//                               └──elsewhere──▶ another thread ─▶ checked ─▶ submit
//
// Readings come back in order. Until then, later messages of their session stay in its socket
// buffer, so that the journal contains a session's messages in the order of their numbers.

import GatewayKit
import MarketModel
import Transport
import Wire

extension BinaryGateway {
  /// Receives the result of verifying a reading, and submits or rejects it.
  /// - Returns: `false` if the intake is full; the call is repeated at the end of the next turn.
  public func checked(_ signed: SignedReading, isValid: Bool) -> Bool {
    let connection = ConnectionId(rawValue: signed.connection)
    let slot = connection.slot
    // The session has left this connection; on its next one the client learns where to continue and
    // sends the reading again.
    guard let peer = peers[slot], peer.connection == connection,
      peer.session.state == .established
    else { return true }
    guard accept(signed, isValid, slot) else { return false }
    peers[slot]?.noteChecked(signed.clientSequence)
    return true
  }

  /// Handles an admitted reading.
  func reading(_ frame: Frame, _ slot: Int) -> Next {
    guard let peer = peers[slot] else { return .stop }
    switch OrderReader().readReading(
      frame, from: peer.session.identity,
      roles: view.reference.roles(of: peer.session.identity), reference: view.reference,
      connection: peer.connection.rawValue, number)
    {
    case .rejected(let rejected):
      // A malformed reading is rejected immediately, before the readings being verified; the reject
      // names its message.
      reject(rejected, slot)
      return .go
    case .unsigned(let command):
      // Readings are submitted in the order in which they came.
      if peer.unchecked == 0, submit(command, slot) { return .go }
      peers[slot]?.session.putBack(sequence: command.clientSequence)
      pause(slot)
      return .wait
    case .signed(let signed): return take(signed, frame, slot)
    }
  }

  /// Whether earlier readings are still being verified; the connection is then not read until the
  /// turn ends.
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
      let isValid = configuration.isValid(signed, frame)
      if accept(signed, isValid, slot) { return .go }
    case .full: break
    }
    peers[slot]?.session.putBack(sequence: signed.clientSequence)
    pause(slot)
    return .wait
  }

  /// Submits or rejects a reading.
  /// - Returns: `false` if the intake is full.
  private func accept(_ signed: SignedReading, _ isValid: Bool, _ slot: Int) -> Bool {
    switch signed.result(isValid: isValid) {
    case .rejected(let rejected):
      reject(rejected, slot)
      return true
    case .command(let command): return submit(command, slot)
    }
  }

  /// Submits a reading, or rejects it.
  /// - Returns: `false` if the intake is full.
  private func submit(_ command: Command, _ slot: Int) -> Bool {
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
    return true
  }
}
