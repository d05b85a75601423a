import GatewayKit
import MarketModel
import Wire

// How a session finishes: nothing of it is on its way any more when it ends.
//
//     client              gateway                       journal
//     FinishedSending --> FinishedReceiving
//                         beginSession of the same version --> behind all that the client sent
//                         FinishedSending  <------------------ when it has come back
//     FinishedReceiving ->
//     Terminate        -> Terminate

extension BinaryGateway {
  /// Marks in the journal that a session version begins, or goes on.
  func begin(_ session: SessionId, version: UInt64, cancelAfter: UInt32) {
    begins[session, default: 0] += 1
    exchange.submitOwn(
      .session(
        .beginSession(BeginSession(session: session, version: version, cancelAfter: cancelAfter))))
  }

  /// A mark has come back; behind the last of them nothing that the session sent is unanswered.
  func began(_ session: SessionId) {
    guard let waiting = begins[session] else { return }
    begins[session] = waiting > 1 ? waiting - 1 : nil
    if waiting == 1 { finishSending(session) }
  }

  private func finishSending(_ session: SessionId) {
    guard let slot = peers.slot(of: session), peers[slot]?.session.finishSending() == true,
      let peer = peers[slot]
    else { return }
    peers.unsubscribeFromAll(slot)
    writer(slot)?.finishedSending(
      version: peer.session.version, last: view.flows.flow(of: session).last)
    peers[slot]?.session.noteSent(now: now)
  }

  /// The client has sent its last message.
  func finishedSending(_ frame: Frame, _ slot: Int) {
    guard let message = FinishedSendingDecoder(frame) else { return }
    let admission = peers[slot]?.session.finishedSending(
      version: message.sessionVersion, last: message.lastSeqNo, now: now)
    guard let peer = peers[slot], let admission else { return }
    switch admission {
    case .terminate(let refusal): return sendTerminate(refusal, slot)
    case .processAfterGap(let from, let count): writer(slot)?.notApplied(from: from, count: count)
    case .process, .drop, .reject: break
    }
    writer(slot)?.finishedReceiving(version: peer.session.version)
    if admission != .drop {
      begin(peer.session.identity, version: peer.session.version, cancelAfter: peer.cancelAfter)
    }
  }

  /// The client has everything.
  func finishedReceiving(_ frame: Frame, _ slot: Int) {
    guard let message = FinishedReceivingDecoder(frame) else { return }
    let admission = peers[slot]?.session.finishedReceiving(
      version: message.sessionVersion, now: now)
    if case .terminate(let refusal)? = admission { sendTerminate(refusal, slot) }
  }
}
