// What the gateway knows from the journal alone, without a connection: who is who, how far every flow of
// reports and every channel of market data is, which session versions began. A snapshot holds it, so that
// a start goes on with the numbers that clients know:
//
//     commands, events ──▶ GatewayHistory ──write──▶ snapshot ──read──▶ GatewayHistory ──▶ BinaryGateway

import MarketModel
import Wire

/// The gateway's part of a history. Owned by one thread.
public struct GatewayHistory: ~Copyable {
  var identities = SessionIdentities(versionFloor: 0)
  var feed = MarketFeed()
  var router = ReportRouter()
  /// Time of the last command with an event.
  var time: Timestamp?

  /// A history without a command.
  public init() {}

  /// The flow of reports of a session identity.
  public func flow(of session: SessionId) -> ReportFlow { router.flow(of: session) }

  /// Who is who.
  public var directory: Directory { router.directory }

  /// Gives the router away: it goes on from here.
  public consuming func takeRouter() -> ReportRouter { router }

  /// Names the command whose events come next.
  public mutating func begin(_ command: borrowing Command) {
    guard command.session != .exchange, command.clientSequence > 0 else { return }
    identities.applied(command.session, sequence: command.clientSequence)
  }

  /// Takes an event of the command in hand.
  public mutating func take(_ event: borrowing Event, at time: Timestamp) {
    self.time = time
    feed.note(event)
    if case .session(.sessionBegan(let session)) = copy event {
      identities.began(session.session, version: session.version)
    }
    var nowhere = Nowhere()
    router.route(event, time, into: &nowhere)
  }

  /// The command in hand is complete.
  public mutating func endCommand(at time: Timestamp) {
    var nowhere = Nowhere()
    feed.endCommand(at: time, into: &nowhere)
  }

  /// Whether both know the same.
  package func isSame(as other: borrowing GatewayHistory) -> Bool {
    identities.rows == other.identities.rows && feed.isSame(as: other.feed)
      && router.isSame(as: other.router) && time == other.time
  }

  /// Nobody is connected.
  private struct Nowhere: ReportSink, FeedSink {
    func take(_ report: Frame, number: UInt64, of session: SessionId, version: UInt64) {}
    func publish(_ update: FeedUpdate, area: AreaId, sequence: UInt64) {}
    func publish(
      _ level: FeedLevel, of instrument: InstrumentId, area: AreaId, sequence: UInt64
    ) {}
  }
}

extension GatewayHistory {
  /// Counts changes of what rows mean that their fields do not show.
  private static let imageVersion: UInt64 = 1

  private static let layout: StateLayout = {
    var layout = StateLayout(version: imageVersion)
    ReportRouter.add(to: &layout)
    MarketFeed.add(to: &layout)
    layout.add(SessionIdentities.Row.self)
    return layout
  }()

  /// Writes all of it, between two commands.
  public func write(to sink: any StateSink) {
    sink.put(Self.layout.fingerprint)
    sink.put(time?.nanoseconds ?? 0)
    router.write(to: sink)
    feed.write(to: sink)
    sink.put(identities.rows)
  }

  /// Reads what `write` wrote; the source says whether it was whole.
  public init(reading source: any StateSource) {
    source.expect(Self.layout)
    let nanoseconds = source.get(UInt64.self)
    time = nanoseconds == 0 ? nil : Timestamp(nanoseconds: nanoseconds)
    router.read(from: source)
    feed.read(from: source)
    identities.restore(source.get(SessionIdentities.Row.self, most: 1 << 26))
  }
}
