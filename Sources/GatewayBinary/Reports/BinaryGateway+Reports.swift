import GatewayKit
import MarketModel
import Transport
import Wire

// Outgoing messages: reports and market data.

extension BinaryGateway {
  /// Applies the effects of an event on sessions of this gateway.
  func note(_ event: borrowing Event, _ time: Timestamp) {
    switch copy event {
    case .session(.sessionBegan(let session)): began(session.session)
    case .reference(let change): publishDefinition(change, time)
    default: break
    }
    if let ended = view.ended { end(ended.session, ended.refusal) }
  }

  /// A command has ended a session: by its key, whose orders are then left to the operator, by its
  /// version, or only its connection. (Changed roles apply immediately and end nothing.)
  private func end(_ session: SessionId, _ refusal: Refusal) {
    if refusal.code.endsKey { lost.found(session) }
    if refusal.code == .versionReset { recent.row(Int(session.rawValue)).pointee.clear() }
    guard let slot = peers.slot(of: session) else { return }
    if refusal.code.endsKey { peers[slot]?.cancelAfter = BeginSession.never }
    // A session that was only cut goes on: its pending commands will be delivered.
    if refusal.code != .sessionCut { begins[session] = nil }
    exchange.note(.cutOff(session, refusal))
    terminate(slot, refusal)
  }

  /// Stores a report for retransmission and sends it to its session, if that is connected in this
  /// version.
  @inline(__always)
  func send(_ report: Report, _ event: UnsafePointer<Event>, _ time: Timestamp) {
    let row = recent.row(Int(report.session.rawValue))
    let frame = row.pointee.append(report.number, of: report.version) { room in
      ReportWriter(into: room).report(report, event, time)
      return Frame(finished: room)
    }
    guard let slot = peers.slot(of: report.session) else { return }
    let peer = peers.pointer(slot)
    guard let connection = peer.pointee?.connection,
      peer.pointee?.session.version == report.version,
      peer.pointee?.session.state == .established, peer.pointee?.session.isSending == true,
      let room = transport.reserve(connection, frame.length)
    else { return }
    room.copyMemory(from: frame.start, byteCount: frame.length)
    if let version = peer.pointee?.schemaVersion, version < WireSchema.version {
      OlderValues.replace(in: room, for: version)
    }
    peer.pointee?.session.noteSent(now: now)
    counts.reports += 1
  }

  /// Sends a message of an area's channel to its subscribers.
  @inline(__always) func publish(_ message: FeedMessage, _ time: Timestamp) {
    let (area, sequence) = (message.area, message.sequence)
    send(to: .orders, of: area) {
      $0.marketData(message.update, area: area, sequence: sequence, time)
    }
    if !message.update.isOfOneOrder {
      send(to: .levels, of: area) {
        $0.marketData(message.update, area: area, sequence: sequence, time)
      }
    } else if let change = message.level {
      send(to: .levels, of: area) {
        $0.level(change.level, of: change.instrument, area: area, sequence: sequence)
      }
    }
  }
}
