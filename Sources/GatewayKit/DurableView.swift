// The state that all gateways share. It follows from durable events alone and is kept once.
//
//     command ─▶ begin        ┐                      ┌ reference    participants, sessions, ...
//     event ───▶ take ────────┼─▶ DurableView ───────┤ flows        report numbers
//     end ─────▶ endCommand ──┘        │             │ feed         published books, numbers
//                                      │             └ identities   session versions, connections
//                                      └─▶ reports and market data of the command, for the gateways
//
// Snapshots contain it, so that after a start the numbering that clients know continues.

import MarketModel

/// The shared state of the gateways. Owned by one thread; the live one by the I/O thread.
public final class DurableView {
  /// Participants, sessions, accounts, meters, areas and instruments.
  public private(set) var reference = ReferenceData()
  /// The numbered report flows of all sessions.
  public private(set) var flows = ReportFlows()
  /// The published books of all areas.
  public var feed = MarketFeed()
  /// Versions of sessions, and which sessions are established. The gateways also write to it what
  /// is not durable.
  public var identities: SessionIdentities
  /// The most messages per second of each session that has a limit of its own (market rules 14).
  private var messageLimits = DirectTable<UInt32>(0)
  /// Time of the last command that had an event; `nil` if there was none.
  public private(set) var time: Timestamp?
  /// The session that the last event of kind `other` ends wherever it is established, and why: its
  /// key was replaced (1024), it was revoked (1001), its version was reset (1025), or it was cut (3013).
  public private(set) var ended: (session: SessionId, refusal: Refusal)?

  /// The view of an exchange before its first command.
  /// - Parameter versionFloor: Lower bound of new session versions; see `SessionIdentities`.
  public init(versionFloor: UInt64 = 0) {
    identities = SessionIdentities(versionFloor: versionFloor)
  }

  /// Takes over the state of `other`, which must not be used afterwards. Called before the first
  /// command.
  public func adopt(_ other: DurableView) {
    swap(&reference, &other.reference)
    swap(&flows, &other.flows)
    swap(&feed, &other.feed)
    swap(&messageLimits, &other.messageLimits)
    identities.restore(other.identities.rows)
    time = other.time
  }

  /// Moves the reference data out; the view must not be used afterwards.
  public func takeReference() -> ReferenceData {
    var taken = ReferenceData()
    swap(&taken, &reference)
    return taken
  }

  /// Sets the terms of all meters, which the image of the view does not have.
  package func setMeterTerms(
    _ terms: (MeterId) -> (last: ReferenceData.MeterTerms, now: ReferenceData.MeterTerms)?
  ) {
    reference.setMeterTerms(terms)
  }

  /// Sets what readings do in all areas, which the image of the view does not have.
  package func setAreaReadings(_ readings: (AreaId) -> AreaReadings?) {
    reference.setAreaReadings(readings)
  }

  /// The most messages per second of a session; 0: only the limit of all sessions applies.
  public func messageLimit(of session: SessionId) -> UInt32 {
    messageLimits[Int(session.rawValue)]
  }

  /// Announces the command whose events follow. Only for replayed commands: of live ones the
  /// gateway itself records the client's sequence number.
  public func begin(_ command: borrowing Command) {
    guard command.session != .exchange, command.clientSequence > 0 else { return }
    identities.applied(command.session, sequence: command.clientSequence)
  }

  /// Processes an event of the current command. Events must come in order, without gaps.
  /// - Returns: its reports, valid until the next call.
  @discardableResult public func take(
    _ event: UnsafePointer<Event>, at time: Timestamp
  ) -> UnsafeBufferPointer<Report> {
    self.time = time
    feed.note(event)
    if event.kind == .other { learn(event.pointee) }
    return flows.number(event, reference)
  }

  /// Like `take`, without updating market data.
  public func number(_ event: UnsafePointer<Event>) -> UnsafeBufferPointer<Report> {
    if event.kind == .other { learn(event.pointee) }
    return flows.number(event, reference)
  }

  /// Prefetches the memory that an event will change.
  public func anticipate(_ event: UnsafePointer<Event>) { feed.anticipate(event) }

  /// Ends the current command.
  /// - Returns: the market data it published, valid until the next call.
  @discardableResult public func endCommand(at time: Timestamp) -> UnsafeBufferPointer<FeedMessage>
  {
    feed.endCommand(at: time)
  }

  /// Processes the less frequent events, which change reference data.
  private func learn(_ event: Event) {
    ended = nil
    if case .session(.sessionBegan(let session)) = event {
      identities.began(session.session, version: session.version)
    }
    if case .session(.sessionCut(let cut)) = event {
      ended = (cut.session, Refusal(.sessionCut))
    }
    guard case .reference(let change) = event else { return }
    switch change {
    case .sessionRegistered(let session): learn(session)
    case .limitSet(let set) where set.request.kind == .messagesPerSecond:
      messageLimits[Int(set.request.session.rawValue)] = UInt32(clamping: set.inForce)
    case .numbersReset(let which) where which.session != .exchange:
      identities.reset(which.session)
      flows.reset(which.session)
      ended = (which.session, Refusal(.versionReset))
    default: reference.note(change, at: now)
    }
  }

  /// The time of the last command; 0 before the first one.
  private var now: Timestamp { time ?? Timestamp(nanoseconds: 0) }

  private func learn(_ session: RegisterSession) {
    let former = reference.session(session.session)
    reference.note(.sessionRegistered(session), at: now)
    flows.registered(session, former: former?.participant, reference)
    guard let former, let now = reference.session(session.session),
      now.roles.isEmpty || now.key != former.key || now.participant != former.participant
    else { return }
    flows.keyChanged(session.session)
    ended = (session.session, Refusal(now.roles.isEmpty ? .unknownSession : .keyChanged))
  }

  /// Whether both are equal in everything that is durable.
  public func isSame(as other: DurableView) -> Bool {
    reference.isSame(as: other.reference) && flows.isSame(as: other.flows)
      && feed.isSame(as: other.feed) && identities.rows == other.identities.rows
      && messageLimits.all == other.messageLimits.all && time == other.time
  }
}

extension RejectCode {
  /// Whether a session that ends with this code has lost its key, so that what becomes of its orders
  /// was the operator's decision.
  public var endsKey: Bool { self == .keyChanged || self == .unknownSession }
}

// MARK: - State image

extension DurableView {
  /// Raised when the meaning of a row changes without a change of its fields.
  private static let imageVersion: UInt64 = 1

  /// The fingerprint of the layout before meters had former keys and accounts, and sessions limits of messages.
  private static let former: UInt64 = 0x43F5_55B0_89F8_F445

  private static let layout: StateLayout = {
    var layout = StateLayout(version: imageVersion)
    ReferenceData.add(to: &layout)
    ReportFlows.add(to: &layout)
    MarketFeed.add(to: &layout)
    layout.add(SessionIdentities.Row.self)
    ReferenceData.addFormerMeters(to: &layout)
    layout.add(UInt32.self)
    return layout
  }()

  /// Writes the state, except the counts of the reference data. Called between two commands.
  package func write(to sink: any StateSink) {
    sink.put(Self.layout.fingerprint)
    sink.put(time?.nanoseconds ?? 0)
    reference.write(to: sink)
    flows.write(to: sink)
    feed.write(to: sink)
    sink.put(identities.rows)
    reference.writeFormerMeters(to: sink)
    sink.put(messageLimits.all)
  }

  /// Reads what `write` wrote. The source records whether it was complete.
  /// - Parameter counts: Number of rows of the reference data.
  package convenience init(reading source: any StateSource, counts: ReferenceData.Counts) {
    self.init()
    let former = source.expect(Self.layout, or: [Self.former])
    let nanoseconds = source.get(UInt64.self)
    time = nanoseconds == 0 ? nil : Timestamp(nanoseconds: nanoseconds)
    reference.read(from: source, counts: counts)
    flows.read(from: source, reference)
    feed.read(from: source)
    identities.restore(source.get(SessionIdentities.Row.self, most: 1 << 26))
    if former == nil {
      reference.readFormerMeters(from: source)
      messageLimits = DirectTable(0, source.get(UInt32.self, most: 1 << 26))
    }
  }
}
