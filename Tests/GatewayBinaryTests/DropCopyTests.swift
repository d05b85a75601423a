import GatewayKit
import MarketModel
import Testing
import Wire

@testable import GatewayBinary

/// Reports as sessions would receive them, by template.
private struct Collected {
  struct Report: Equatable {
    var session: UInt32
    var number: UInt64
    var template: UInt16
    /// Session and number in each ReportCopy.
    var origin: [UInt64] = []
  }
  private let view = DurableView()
  var reports: [Report] = []

  mutating func route(_ event: Event, _ time: Timestamp) {
    withUnsafePointer(to: event) { event in
      for report in view.take(event, at: time) {
        let bytes = ReportWriter.frames(of: [PastReport(report, event.pointee, time)])
        bytes.withUnsafeBytes { bytes in
          guard let start = bytes.baseAddress else { return }
          take(Frame(finished: start), report)
        }
      }
    }
  }

  private mutating func take(_ frame: Frame, _ report: GatewayKit.Report) {
    #expect(frame.sequenceNumber == report.number)
    var taken = Report(
      session: report.session.rawValue, number: report.number, template: frame.templateId)
    if let copy = ReportCopyDecoder(frame) {
      taken.origin = [
        UInt64(copy.originSession.rawValue), copy.originVersion, copy.originSeqNo,
      ]
    }
    reports.append(taken)
  }
}

@Suite("Drop copies") struct DropCopyTests {
  private static let time = Timestamp(nanoseconds: 5)

  /// Participant 1 trades with session 7 and receives drop copies on session 9. Participant 2
  /// trades with session 8, without drop copies.
  private static func register(_ sink: inout Collected) {
    for (session, participant, roles) in [
      (UInt32(7), UInt32(1), Roles.trading), (8, 2, .trading), (9, 1, .dropCopy),
    ] {
      sink.route(
        .reference(
          .sessionRegistered(
            RegisterSession(
              session: SessionId(session), participant: ParticipantId(participant), roles: roles,
              publicKey: PublicKey(0, 0, 0, 0)))), time)
      sink.route(
        .session(
          .sessionBegan(
            BeginSession(session: SessionId(session), version: 1, cancelAfter: BeginSession.never))),
        time)
    }
  }

  private static func rejected(_ session: UInt32) -> Event {
    .rejected(
      Rejected(
        code: .unknownOrder, limit: 0, session: SessionId(session), clientSequence: 3))
  }

  @Test("A drop copy gets its firm's reports with their sessions, under its own numbers.")
  func copies() {
    var sink = Collected()
    Self.register(&sink)
    sink.route(Self.rejected(7), Self.time)
    sink.route(Self.rejected(8), Self.time)
    sink.route(Self.rejected(7), Self.time)
    let (reject, copy) = (RejectedEncoder.templateId, ReportCopyEncoder.templateId)
    #expect(
      sink.reports == [
        .init(session: 7, number: 1, template: reject),
        .init(session: 9, number: 1, template: copy, origin: [7, 1, 1]),
        .init(session: 9, number: 2, template: reject),
        .init(session: 8, number: 1, template: reject),
        .init(session: 7, number: 2, template: reject),
        .init(session: 9, number: 3, template: copy, origin: [7, 1, 2]),
        .init(session: 9, number: 4, template: reject),
      ])
  }

  @Test("A drop copy does not get copies of its own reports, and none after it was revoked.")
  func ownAndRevoked() {
    var sink = Collected()
    Self.register(&sink)
    sink.route(Self.rejected(9), Self.time)
    sink.route(
      .reference(
        .sessionRegistered(
          RegisterSession(
            session: SessionId(9), participant: ParticipantId(1), roles: [],
            publicKey: PublicKey(0, 0, 0, 0)))), Self.time)
    sink.route(Self.rejected(7), Self.time)
    #expect(sink.reports.map(\.session) == [9, 7])
  }

  @Test("A settled batch is reported to drop copies only.")
  func settlement() {
    var sink = Collected()
    Self.register(&sink)
    sink.route(
      .control(
        .settlementConfirmed(SettlementConfirmed(batch: 4, lastSequence: SequenceNumber(99)))),
      Self.time)
    #expect(
      sink.reports == [
        .init(session: 9, number: 1, template: SettlementNoticeEncoder.templateId)
      ])
  }

  @Test("A balance goes to every session of the participant once, not as a copy.")
  func balances() {
    var sink = Collected()
    Self.register(&sink)
    sink.route(
      .reference(
        .accountCreated(CreateAccount(account: AccountId(3), participant: ParticipantId(1)))),
      Self.time)
    sink.route(
      .balance(
        Balance(
          account: AccountId(3), area: AreaId(1), currency: .eur, free: .zero, reserved: .zero,
          energy: .zero, cap: .zero, coveredAsks: .zero, coveredBids: .zero, openAsks: .zero,
          openBids: .zero)), Self.time)
    #expect(sink.reports.map(\.session) == [7, 9])
    #expect(sink.reports.allSatisfy { $0.template == BalanceUpdateEncoder.templateId })
  }
}
