import MarketModel

/// One report: an event as one session is told of it, with its number in the session's flow. The bytes are the
/// gateway's that the session came by.
public struct Report: BitwiseCopyable, Equatable, Sendable {
  /// What of an event a report tells.
  public enum Part: UInt8, BitwiseCopyable, Sendable {
    /// All of it.
    case event
    /// A trade, for its buyer.
    case buyer
    /// A trade, for its seller.
    case seller
    /// That the next report is a copy of report `originNumber` of `origin`.
    case copyNotice
  }

  /// Who is told.
  public var session: SessionId
  /// What.
  public var part: Part
  /// The session version that began last.
  public var version: UInt64
  /// The report's number in the flow of the session's version, from 1.
  public var number: UInt64
  /// Of a `copyNotice`: whose report is copied.
  public var origin = SessionId.exchange
  /// Of a `copyNotice`: the number that it has there.
  public var originNumber: UInt64 = 0

  /// The report `number` of a session's version.
  public init(_ part: Part, of session: SessionId, version: UInt64, number: UInt64) {
    (self.part, self.session, self.version, self.number) = (part, session, version, number)
  }
}

/// A report of the past, with the event that it tells of.
public struct PastReport: BitwiseCopyable, Sendable {
  /// Whose, and which number.
  public var report: Report
  /// What happened.
  public var event: Event
  /// When.
  public var time: Timestamp

  /// All fields.
  public init(_ report: Report, _ event: Event, _ time: Timestamp) {
    (self.report, self.event, self.time) = (report, event, time)
  }
}
