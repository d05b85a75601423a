import GatewayKit
import MarketModel
import Transport
import Wire

// The end of sessions, and retransmission.

extension BinaryGateway {
  /// Ends the session in `slot`: its identity is free again, and cancel on disconnect begins.
  func release(_ slot: Int) {
    dropAnswers(slot)
    dropLongAnswers(slot)
    guard let peer = peers[slot], let identity = peers.ended(slot) else { return }
    view.identities.release(identity, nextIncoming: peer.nextIncoming)
    seat.places.leave(identity)
    lost.lose(
      identity, version: peer.session.version, cancelAfter: peer.cancelAfter,
      isOrderly: peer.session.isTerminatedByClient)
  }

  // MARK: Retransmission

  /// Answers a RetransmitRequest from recent reports, or forwards it to the journal service.
  func retransmit(_ frame: Frame, _ slot: Int) {
    guard let message = RetransmitRequestDecoder(frame) else { return }
    switch peers[slot]?.session.request(now: now) {
    case .terminate(let refusal): return endForFault(refusal, slot)
    case .process: break
    default: return
    }
    guard let peer = peers[slot] else { return }
    let query = RetransmitQuery(
      session: peer.session.identity, version: peer.session.version, from: message.fromSeqNo,
      count: message.count, timestamp: message.timestamp, gateway: number,
      connection: peer.connection.rawValue)
    if let refusal = refusal(of: query, message.sessionVersion, peer) {
      counts.rejects += 1
      writer(slot)?.retransmitReject(query, refusal)
      return
    }
    peers[slot]?.isAwaitingRetransmission = true
    let row = recent.row(Int(query.session.rawValue))
    guard let first = row.pointee.first(of: query.version), first <= query.from else {
      // Costs no thread that serves others: the service reads for all who ask, in the background.
      return exchange.retransmit(query)
    }
    guard payForRecent(query, slot) else { return }
    var frames: [UInt8] = []
    row.pointee.forEach(from: query.from, count: UInt64(query.count)) { frames += $0.bytes }
    enqueue(query, frames)
  }

  /// Takes the cost of recent reports from the session's budget, or rejects the query. Queries are
  /// few, one at a time, and no faster than the client reads, so that they never wait for a turn.
  private func payForRecent(_ query: RetransmitQuery, _ slot: Int) -> Bool {
    let cost = WorkBudget.Cost.retransmission + Int64(query.count) / 16
    guard case .refuse(let left)? = peers[slot]?.work?.pointee.spend(cost, at: now, turn: turn)
    else { return true }
    counts.overworked += 1
    peers[slot]?.isAwaitingRetransmission = false
    writer(slot)?.retransmitReject(query, Refusal(.workLimit, limit: left))
    return false
  }

  /// The journal service's answer to a query.
  public func retransmit(_ query: RetransmitQuery, _ reports: [PastReport]?) {
    guard let slot = slot(of: query) else { return }
    guard let reports else {
      peers[slot]?.isAwaitingRetransmission = false
      writer(slot)?.retransmitReject(query, Refusal(.historyUnavailable))
      return
    }
    enqueue(query, ReportWriter.frames(of: reports))
  }

  private func enqueue(_ query: RetransmitQuery, _ frames: [UInt8]) {
    queuedRetransmissions.append(QueuedRetransmission(query, frames))
    sendQueuedRetransmissions()
  }

  /// Sends queued retransmissions. Each client receives at most half of its send queue's bound at a
  /// time, so that new reports still fit.
  func sendQueuedRetransmissions() {
    if queuedRetransmissions.isEmpty { return }
    var index = 0
    while index < queuedRetransmissions.count {
      if send(&queuedRetransmissions[index]) {
        queuedRetransmissions.remove(at: index)
      } else {
        index += 1
      }
    }
  }

  /// - Returns: whether the answer is sent completely, or its client is gone.
  private func send(_ answer: inout QueuedRetransmission) -> Bool {
    let query = answer.query
    guard let slot = slot(of: query) else { return true }
    let connection = ConnectionId(rawValue: query.connection)
    repeat {
      let room = transport.sendBound / 2 - transport.queued(connection)
      guard room > QueuedRetransmission.longestFrame else { return false }
      if answer.sent == 0 { writer(slot)?.retransmission(query) }
      let piece = answer.takePiece(min(room, QueuedRetransmission.longestPiece))
      guard let target = transport.reserve(connection, piece.count) else { return true }
      answer.reports.withUnsafeBytes { bytes in
        UnsafeMutableRawBufferPointer(start: target, count: piece.count).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: bytes[piece]))
      }
      replaceNewValues(target, piece.count, slot)
    } while !answer.isSent
    peers[slot]?.isAwaitingRetransmission = false
    counts.retransmitted += Int(query.count)
    return true
  }

  /// Replaces enum values that the client's version of the schema does not have, in `count` bytes of whole frames.
  private func replaceNewValues(_ frames: UnsafeMutableRawPointer, _ count: Int, _ slot: Int) {
    guard let version = peers[slot]?.schemaVersion, version < WireSchema.version else { return }
    var offset = 0
    while offset < count {
      let frame = Frame(finished: frames + offset)
      OlderValues.replace(in: frames + offset, for: version)
      offset += frame.length
    }
  }

  /// Slot of the client that asked; `nil` if its connection or session has ended.
  private func slot(of query: RetransmitQuery) -> Int? {
    guard let slot = peers.slot(of: query.session), let peer = peers[slot],
      peer.connection.rawValue == query.connection, peer.session.version == query.version
    else { return nil }
    return slot
  }

  private func refusal(
    of query: RetransmitQuery, _ version: UInt64, _ peer: Peer
  ) -> Refusal? {
    guard version == query.version else {
      return Refusal(.unknownSessionVersion, limit: Int64(clamping: query.version))
    }
    if peer.isAwaitingRetransmission { return Refusal(.retransmitBusy) }
    return view.flows.flow(of: query.session)
      .refusal(of: query, most: configuration.session.retransmission)
  }
}

/// A retransmission being sent: whole frames, in pieces.
struct QueuedRetransmission {
  /// Upper bound of a report's length in bytes.
  static let longestFrame = 256
  /// Greatest number of bytes that are reserved at once.
  static let longestPiece = 32 << 10

  let query: RetransmitQuery
  let reports: [UInt8]
  private(set) var sent = 0

  init(_ query: RetransmitQuery, _ reports: [UInt8]) {
    (self.query, self.reports) = (query, reports)
  }

  /// Whether all frames were sent.
  var isSent: Bool { sent == reports.count }

  /// The next whole frames that fit into `room` bytes; at least one.
  mutating func takePiece(_ room: Int) -> Range<Int> {
    let start = sent
    repeat {
      sent += Int(reports[sent]) | Int(reports[sent + 1]) << 8
    } while sent < reports.count
      && sent - start + (Int(reports[sent]) | Int(reports[sent + 1]) << 8) <= room
    return start..<sent
  }
}
