// What all gateways know of the exchange: what follows from durable events alone, kept once and shared.
//
//     command ─▶ begin        ┐                      ┌ reference    who is who
//     event ───▶ take ────────┼─▶ DurableView ───────┤ flows        numbers of reports
//     end ─────▶ endCommand ──┘        │             │ feed         published book, numbers of market data
//                                      │             └ identities   session versions, who is established
//                                      └─▶ reports and market data of the command, for the gateways
//
// A snapshot holds it, so that a start goes on with the numbers that clients know.

import MarketModel

/// The state that gateways share. Owned by one thread: the live one by the I/O thread.
public final class DurableView {
  /// Who is who and what is traded.
  public private(set) var reference = ReferenceData()
  /// How far every session's flow of reports is.
  public private(set) var flows = ReportFlows()
  /// The published book of every area.
  public var feed = MarketFeed()
  /// Versions of sessions, and which are established. What is not durable of it is the gateways'.
  public var identities: SessionIdentities
  /// Time of the last command with an event; `nil`: there was none.
  public private(set) var time: Timestamp?

  /// A view of an exchange without a command.
  /// - Parameter versionFloor: Session versions must be above it; see `SessionIdentities`.
  public init(versionFloor: UInt64 = 0) {
    identities = SessionIdentities(versionFloor: versionFloor)
  }

  /// Goes on where `other` is, which is of no use any more. Before the first command.
  public func adopt(_ other: DurableView) {
    swap(&reference, &other.reference)
    swap(&flows, &other.flows)
    swap(&feed, &other.feed)
    identities.restore(other.identities.rows)
    time = other.time
  }

  /// Gives its reference data away: it is of no use any more.
  public func takeReference() -> ReferenceData {
    var taken = ReferenceData()
    swap(&taken, &reference)
    return taken
  }

  /// Names the command whose events come next. For commands that are replayed: of those that come by a gateway
  /// it knows itself how far their client is.
  public func begin(_ command: borrowing Command) {
    guard command.session != .exchange, command.clientSequence > 0 else { return }
    identities.applied(command.session, sequence: command.clientSequence)
  }

  /// Takes an event of the command in hand. Events of a command come in order, without gaps.
  /// - Returns: The reports of it, valid until the next call.
  @discardableResult public func take(
    _ event: UnsafePointer<Event>, at time: Timestamp
  ) -> UnsafeBufferPointer<Report> {
    self.time = time
    feed.note(event)
    if event.kind == .other { learn(event.pointee) }
    return flows.number(event, reference)
  }

  /// As `take`, for who wants reports only: market data are not kept.
  public func number(_ event: UnsafePointer<Event>) -> UnsafeBufferPointer<Report> {
    if event.kind == .other { learn(event.pointee) }
    return flows.number(event, reference)
  }

  /// Asks for the memory that an event will change, so that it is near when the event comes.
  public func anticipate(_ event: UnsafePointer<Event>) { feed.anticipate(event) }

  /// The command in hand is complete.
  /// - Returns: What it published, valid until the next call.
  @discardableResult public func endCommand(at time: Timestamp) -> UnsafeBufferPointer<FeedMessage>
  {
    feed.endCommand(at: time)
  }

  /// The rarer events that change who is who.
  private func learn(_ event: Event) {
    if case .session(.sessionBegan(let session)) = event {
      identities.began(session.session, version: session.version)
    }
    guard case .reference(let change) = event else { return }
    guard case .sessionRegistered(let session) = change else { return reference.note(change) }
    let former = reference.session(session.session)?.participant
    reference.note(change)
    flows.registered(session, former: former, reference)
  }

  /// Whether both know the same of what is durable.
  public func isSame(as other: DurableView) -> Bool {
    reference.isSame(as: other.reference) && flows.isSame(as: other.flows)
      && feed.isSame(as: other.feed) && identities.rows == other.identities.rows
      && time == other.time
  }
}

// MARK: - Its image

extension DurableView {
  /// Counts changes of what rows mean that their fields do not show.
  private static let imageVersion: UInt64 = 1

  private static let layout: StateLayout = {
    var layout = StateLayout(version: imageVersion)
    ReferenceData.add(to: &layout)
    ReportFlows.add(to: &layout)
    MarketFeed.add(to: &layout)
    layout.add(SessionIdentities.Row.self)
    return layout
  }()

  /// Writes all of it, between two commands, but for the counts of its reference data.
  public func write(to sink: any StateSink) {
    sink.put(Self.layout.fingerprint)
    sink.put(time?.nanoseconds ?? 0)
    reference.write(to: sink)
    flows.write(to: sink)
    feed.write(to: sink)
    sink.put(identities.rows)
  }

  /// Reads what `write` wrote; the source says whether it was whole.
  /// - Parameter counts: Those of the reference data.
  public convenience init(reading source: any StateSource, counts: ReferenceData.Counts) {
    self.init()
    source.expect(Self.layout)
    let nanoseconds = source.get(UInt64.self)
    time = nanoseconds == 0 ? nil : Timestamp(nanoseconds: nanoseconds)
    reference.read(from: source, counts: counts)
    flows.read(from: source, reference)
    feed.read(from: source)
    identities.restore(source.get(SessionIdentities.Row.self, most: 1 << 26))
  }
}
