import MarketModel
import Testing
import Wire

@testable import GatewayBinary

/// Reports as a session would get them, told apart by template.
private struct Collected: ReportSink {
  struct Report: Equatable {
    var session: UInt32
    var number: UInt64
    var template: UInt16
    /// What a ReportCopy says: session and number.
    var origin: [UInt64] = []
  }
  var reports: [Report] = []

  mutating func take(_ report: Frame, number: UInt64, of session: SessionId, version: UInt64) {
    #expect(report.sequenceNumber == number)
    var taken = Report(session: session.rawValue, number: number, template: report.templateId)
    if let copy = ReportCopyDecoder(report) {
      taken.origin = [UInt64(copy.originSession.rawValue), copy.originSeqNo]
    }
    reports.append(taken)
  }
}

@Suite("Drop copies") struct DropCopyTests {
  private static let time = Timestamp(nanoseconds: 5)

  /// Participant 1 trades with session 7 and has its reports copied to session 9; so has participant 2
  /// with session 8 and nobody.
  private static func register(_ router: inout ReportRouter, _ sink: inout Collected) {
    for (session, participant, roles) in [
      (UInt32(7), UInt32(1), Roles.trading), (8, 2, .trading), (9, 1, .dropCopy),
    ] {
      router.route(
        .reference(
          .sessionRegistered(
            RegisterSession(
              session: SessionId(session), participant: ParticipantId(participant), roles: roles,
              publicKey: PublicKey(0, 0, 0, 0)))), time, into: &sink)
      router.route(
        .session(
          .sessionBegan(
            BeginSession(session: SessionId(session), version: 1, cancelAfter: BeginSession.never))),
        time, into: &sink)
    }
  }

  private static func rejected(_ session: UInt32) -> Event {
    .rejected(
      Rejected(
        code: .unknownOrder, limit: 0, session: SessionId(session), clientSequence: 3))
  }

  @Test("A broker's drop copy gets its firm's reports, whose they are, in its own numbers.")
  func copies() {
    var router = ReportRouter()
    var sink = Collected()
    Self.register(&router, &sink)
    router.route(Self.rejected(7), Self.time, into: &sink)
    router.route(Self.rejected(8), Self.time, into: &sink)
    router.route(Self.rejected(7), Self.time, into: &sink)
    let (reject, copy) = (RejectedEncoder.templateId, ReportCopyEncoder.templateId)
    #expect(
      sink.reports == [
        .init(session: 7, number: 1, template: reject),
        .init(session: 9, number: 1, template: copy, origin: [7, 1]),
        .init(session: 9, number: 2, template: reject),
        .init(session: 8, number: 1, template: reject),
        .init(session: 7, number: 2, template: reject),
        .init(session: 9, number: 3, template: copy, origin: [7, 2]),
        .init(session: 9, number: 4, template: reject),
      ])
  }

  @Test("Its own reports are not copied to it, and a revoked one gets nothing.")
  func ownAndRevoked() {
    var router = ReportRouter()
    var sink = Collected()
    Self.register(&router, &sink)
    router.route(Self.rejected(9), Self.time, into: &sink)
    router.route(
      .reference(
        .sessionRegistered(
          RegisterSession(
            session: SessionId(9), participant: ParticipantId(1), roles: [],
            publicKey: PublicKey(0, 0, 0, 0)))), Self.time, into: &sink)
    router.route(Self.rejected(7), Self.time, into: &sink)
    #expect(sink.reports.map(\.session) == [9, 7])
  }

  @Test("A settled batch is told to drop copies, and to nobody else.")
  func settlement() {
    var router = ReportRouter()
    var sink = Collected()
    Self.register(&router, &sink)
    router.route(
      .control(
        .settlementConfirmed(SettlementConfirmed(batch: 4, lastSequence: SequenceNumber(99)))),
      Self.time, into: &sink)
    #expect(
      sink.reports == [
        .init(session: 9, number: 1, template: SettlementNoticeEncoder.templateId)
      ])
  }

  @Test("A balance goes to every listener of the firm once, not as a copy.")
  func balances() {
    var router = ReportRouter()
    var sink = Collected()
    Self.register(&router, &sink)
    router.route(
      .reference(
        .accountCreated(CreateAccount(account: AccountId(3), participant: ParticipantId(1)))),
      Self.time, into: &sink)
    router.route(
      .balance(
        Balance(
          account: AccountId(3), area: AreaId(1), currency: .eur, free: .zero, reserved: .zero,
          energy: .zero, cap: .zero, coveredAsks: .zero, coveredBids: .zero, openAsks: .zero,
          openBids: .zero)), Self.time, into: &sink)
    #expect(sink.reports.map(\.session) == [7, 9])
    #expect(sink.reports.allSatisfy { $0.template == BalanceUpdateEncoder.templateId })
  }
}
