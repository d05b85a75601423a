import MarketModel

/// One report: an event as one session receives it, with its number in the session's flow. The
/// gateway that the session uses encodes it.
public struct Report: BitwiseCopyable, Equatable, Sendable {
  /// The part of an event that a report contains.
  public enum Part: UInt8, BitwiseCopyable, Sendable {
    /// The whole event.
    case event
    /// A trade, from the buyer's view.
    case buyer
    /// A trade, from the seller's view.
    case seller
    /// A notice that the next report is a copy of report `originNumber` of session `origin`.
    case copyNotice
  }

  /// The session that receives the report.
  public var session: SessionId
  /// The part of the event that it contains.
  public var part: Part
  /// The most recent version of the session.
  public var version: UInt64
  /// The report's number in the flow of this session version, from 1.
  public var number: UInt64
  /// For a `copyNotice`: the session whose report is copied.
  public var origin = SessionId.exchange
  /// For a `copyNotice`: the number of the copied report in that session's flow.
  public var originNumber: UInt64 = 0
  /// For a `copyNotice`: the version of that session to which the number belongs.
  public var originVersion: UInt64 = 0

  /// Report `number` of a session version, containing `part` of an event.
  public init(_ part: Part, of session: SessionId, version: UInt64, number: UInt64) {
    (self.part, self.session, self.version, self.number) = (part, session, version, number)
  }
}

/// An earlier report with its event, read back from the journal.
public struct PastReport: BitwiseCopyable, Sendable {
  /// The report: its session and number.
  public var report: Report
  /// The event that it reports.
  public var event: Event
  /// Time of the command that caused the event.
  public var time: Timestamp

  /// Report `report` of `event`, which happened at `time`.
  public init(_ report: Report, _ event: Event, _ time: Timestamp) {
    (self.report, self.event, self.time) = (report, event, time)
  }
}
