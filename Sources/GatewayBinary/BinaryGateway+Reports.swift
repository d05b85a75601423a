import MarketModel
import Transport
import Wire

// What goes out: reports to the sessions that an event concerns, and the market data.

extension BinaryGateway {
  /// What an event means for the sessions themselves.
  func note(_ event: borrowing Event) {
    switch copy event {
    case .reference(.sessionRegistered(let registered)): update(registered)
    case .session(.sessionBegan(let session)):
      identities.began(session.session, version: session.version)
      if router.flow(of: session.session).version != session.version {
        recent.row(Int(session.session.rawValue)).pointee.clear()
      }
      began(session.session)
    default: break
    }
  }

  /// New roles count at once; revoked, or given to another participant, a session ends.
  private func update(_ registered: RegisterSession) {
    guard let slot = peers.slot(of: registered.session) else { return }
    let isItsOwn = peers[slot]?.participant == registered.participant
    guard isItsOwn, !registered.roles.isEmpty else {
      begins[registered.session] = nil
      return terminate(slot, Refusal(.unknownSession))
    }
    peers[slot]?.roles = registered.roles
  }

  /// Keeps a report for a while and sends it to its session.
  @inline(__always)
  fileprivate func take(_ report: Frame, _ number: UInt64, of session: SessionId, version: UInt64) {
    recent.row(Int(session.rawValue)).pointee.append(report, number)
    send(report, to: session, version: version)
  }

  /// Sends a report to its session, if it is connected in that version.
  private func send(_ report: Frame, to session: SessionId, version: UInt64) {
    guard let slot = peers.slot(of: session) else { return }
    let peer = peers.pointer(slot)
    guard let connection = peer.pointee?.connection, peer.pointee?.session.version == version,
      peer.pointee?.session.state == .established, peer.pointee?.session.isSending == true,
      let room = transport.reserve(connection, report.length)
    else { return }
    room.copyMemory(from: report.start, byteCount: report.length)
    peer.pointee?.session.noteSent(now: now)
    counts.reports += 1
  }
}

/// Hands reports to the gateway, which outlives it: nothing is counted for each report.
struct ReportDelivery: ReportSink {
  private let gateway: Unmanaged<BinaryGateway>

  init(_ gateway: BinaryGateway) { self.gateway = .passUnretained(gateway) }

  @inline(__always)
  func take(_ report: Frame, number: UInt64, of session: SessionId, version: UInt64) {
    gateway._withUnsafeGuaranteedRef {
      $0.take(report, number, of: session, version: version)
    }
  }
}

/// Sends each market-data message to the subscribers of its area. The gateway outlives it: nothing is
/// counted for each message.
struct FeedBroadcast: FeedSink {
  private let gateway: Unmanaged<BinaryGateway>
  private let time: Timestamp

  init(_ gateway: BinaryGateway, _ time: Timestamp) {
    (self.gateway, self.time) = (.passUnretained(gateway), time)
  }

  @inline(__always)
  func publish(_ update: FeedUpdate, area: AreaId, sequence: UInt64) {
    send(to: .orders, of: area) { $0.marketData(update, area: area, sequence: sequence, time) }
    if update.isOfOneOrder { return }
    send(to: .levels, of: area) { $0.marketData(update, area: area, sequence: sequence, time) }
  }

  func publish(
    _ level: FeedLevel, of instrument: InstrumentId, area: AreaId, sequence: UInt64
  ) {
    send(to: .levels, of: area) { $0.level(level, of: instrument, area: area, sequence: sequence) }
  }

  @inline(__always)
  private func send(to view: MarketView, of area: AreaId, _ write: (ReportWriter) -> Void) {
    gateway._withUnsafeGuaranteedRef { $0.send(to: view, of: area, write) }
  }
}
