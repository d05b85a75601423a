import GatewayKit
import MarketModel
import Transport
import Wire

// Outgoing messages: reports and market data.

extension BinaryGateway {
  /// Applies the effects of an event on sessions of this gateway.
  func note(_ event: borrowing Event) {
    switch copy event {
    case .reference(.sessionRegistered(let registered)): update(registered)
    case .reference(.limitSet(let set)): update(set)
    case .session(.sessionBegan(let session)): began(session.session)
    case .session(.sessionCut(let cut)):
      if let slot = peers.slot(of: cut.session) { terminate(slot, Refusal(.sessionCut)) }
    default: break
    }
  }

  /// A session with a new limit of messages obeys it at once.
  private func update(_ set: LimitSet) {
    guard set.request.kind == .messagesPerSecond, let slot = peers.slot(of: set.request.session)
    else { return }
    peers[slot]?.session.limitMessages(to: UInt32(clamping: set.inForce))
  }

  /// A session that was revoked or moved to another participant is terminated; changed roles apply
  /// immediately.
  private func update(_ registered: RegisterSession) {
    guard let slot = peers.slot(of: registered.session) else { return }
    let isItsOwn = peers[slot]?.participant == registered.participant
    guard isItsOwn, !registered.roles.isEmpty else {
      begins[registered.session] = nil
      return terminate(slot, Refusal(.unknownSession))
    }
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
