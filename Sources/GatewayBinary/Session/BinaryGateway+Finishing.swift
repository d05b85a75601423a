import GatewayKit
import MarketModel
import Wire

// Orderly end of a session: afterwards none of its messages is in flight.
//
//     client              gateway                       journal
//     FinishedSending --> FinishedReceiving
//                         beginSession of the same version --> after everything the client sent
//                         FinishedSending  <------------------ when that event is delivered
//     FinishedReceiving ->
//     Terminate        -> Terminate

extension BinaryGateway {
  /// Journals that a session version begins or continues.
  func begin(_ session: SessionId, version: UInt64, cancelAfter: UInt32) {
    begins[session, default: 0] += 1
    exchange.submitOwn(
      .session(
        .beginSession(BeginSession(session: session, version: version, cancelAfter: cancelAfter))))
  }

  /// Such a command was delivered. If it is the last one pending, everything the session sent
  /// before has been answered.
  func began(_ session: SessionId) {
    guard let waiting = begins[session] else { return }
    begins[session] = waiting > 1 ? waiting - 1 : nil
    if waiting == 1 { finishSending(session) }
  }

  /// The last long answer of the client in `slot` has left, or one before it.
  func finishIfAnswered(_ slot: Int) {
    guard let session = peers[slot]?.session.identity, begins[session] == nil else { return }
    finishSending(session)
  }

  /// Ends the flow of messages to a session that has sent FinishedSending, if nothing that it asked
  /// for is missing.
  private func finishSending(_ session: SessionId) {
    guard let slot = peers.slot(of: session), long.count(slot) == 0,
      peers[slot]?.session.finishSending() == true, let peer = peers[slot]
    else { return }
    peers.unsubscribeFromAll(slot)
    writer(slot)?.finishedSending(
      version: peer.session.version, last: view.flows.flow(of: session).last)
    peers[slot]?.session.noteSent(now: now)
  }

  /// Handles FinishedSending: the client has sent its last message.
  func finishedSending(_ frame: Frame, _ slot: Int) {
    guard let message = FinishedSendingDecoder(frame) else { return }
    let admission = peers[slot]?.session.finishedSending(
      version: message.sessionVersion, last: message.lastSeqNo, now: now)
    guard let peer = peers[slot], let admission else { return }
    switch admission {
    case .terminate(let refusal): return endForFault(refusal, slot)
    case .processAfterGap(let from, let count): writer(slot)?.notApplied(from: from, count: count)
    case .process, .drop, .reject: break
    }
    writer(slot)?.finishedReceiving(version: peer.session.version)
    if admission != .drop {
      begin(peer.session.identity, version: peer.session.version, cancelAfter: peer.cancelAfter)
    }
  }

  /// Handles FinishedReceiving: the client has received everything.
  func finishedReceiving(_ frame: Frame, _ slot: Int) {
    guard let message = FinishedReceivingDecoder(frame) else { return }
    let admission = peers[slot]?.session.finishedReceiving(
      version: message.sessionVersion, now: now)
    if case .terminate(let refusal)? = admission { endForFault(refusal, slot) }
  }
}
