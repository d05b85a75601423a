import MarketModel
import Testing

@testable import GatewayKit

/// A state image in memory.
private final class Image: StateSink, StateSource {
  var bytes: [UInt8] = []
  private var offset = 0
  private(set) var isWhole = true

  func write(_ bytes: UnsafeRawBufferPointer) { self.bytes += bytes }
  func read(into room: UnsafeMutableRawBufferPointer) {
    isWhole = isWhole && offset + room.count <= bytes.count
    for index in room.indices { room[index] = isWhole ? bytes[offset + index] : 0 }
    offset += isWhole ? room.count : 0
  }
  func reject(_ what: String) { isWhole = false }
}

@Suite("Surveillance, and limits of messages")
struct SurveillanceTests {
  private let view = DurableView()

  /// Delivers one event and returns its reports, each as "session number part".
  @discardableResult private func feed(_ event: Event) -> [String] {
    withUnsafePointer(to: event) { event in
      view.take(event, at: Timestamp(nanoseconds: 77)).map {
        "\($0.session.rawValue) \($0.number) \($0.part)"
      }
    }
  }

  private func register(_ session: UInt32, _ participant: UInt32, _ roles: Roles) {
    feed(
      .reference(
        .sessionRegistered(
          RegisterSession(
            session: SessionId(session), participant: ParticipantId(participant), roles: roles,
            publicKey: PublicKey(0, 0, 0, 0)))))
  }

  private func begin(_ session: UInt32) {
    feed(
      .session(
        .sessionBegan(
          BeginSession(session: SessionId(session), version: 1, cancelAfter: BeginSession.never))))
  }

  private func rejected(_ session: UInt32) -> Event {
    .rejected(
      Rejected(code: .unknownOrder, limit: 0, session: SessionId(session), clientSequence: 3))
  }

  private func balance(_ account: UInt32) -> Event {
    .balance(
      Balance(
        account: AccountId(account), area: AreaId(1), currency: .eur, free: .zero, reserved: .zero,
        energy: .zero, cap: .zero, coveredAsks: .zero, coveredBids: .zero, openAsks: .zero,
        openBids: .zero))
  }

  @Test("It gets the reports of all participants as copies, each once, and none of its own.")
  func copies() {
    register(7, 1, .trading)
    register(8, 2, .trading)
    register(9, 3, [.surveillance, .dropCopy])
    for session in [UInt32(7), 8] { begin(session) }
    #expect(feed(rejected(7)) == ["7 1 event"])
    begin(9)
    #expect(feed(rejected(7)) == ["7 2 event", "9 1 copyNotice", "9 2 event"])
    #expect(feed(rejected(8)) == ["8 1 event", "9 3 copyNotice", "9 4 event"])
    #expect(feed(rejected(9)) == ["9 5 event"])
    register(9, 3, .trading)
    #expect(feed(rejected(7)) == ["7 3 event"])
    register(9, 3, .surveillance)
    #expect(feed(rejected(7)) == ["7 4 event", "9 6 copyNotice", "9 7 event"])
  }

  @Test("It gets the balances of all accounts once, also of participants without a session.")
  func balances() {
    for account in [UInt32(1), 2, 3] {
      feed(
        .reference(
          .accountCreated(
            CreateAccount(account: AccountId(account), participant: ParticipantId(account)))))
    }
    register(7, 1, .trading)
    register(9, 3, [.surveillance, .trading])
    begin(7)
    #expect(feed(balance(1)) == ["7 1 event"])
    begin(9)
    #expect(feed(balance(1)) == ["7 2 event", "9 1 event"])
    #expect(feed(balance(2)) == ["9 2 event"])
    #expect(feed(balance(3)) == ["9 3 event"])
    #expect(
      feed(
        .control(
          .settlementConfirmed(SettlementConfirmed(batch: 4, lastSequence: SequenceNumber(9)))))
        == ["9 4 event"])
  }

  private func limit(_ session: UInt32, _ inForce: Int64) {
    let set = SetLimit(session: SessionId(session), kind: .messagesPerSecond, value: inForce)
    feed(.reference(.limitSet(LimitSet(request: set, inForce: inForce))))
  }

  @Test("Limits of messages are in the image; an image from before them has none.")
  func image() throws {
    register(9, 3, .surveillance)
    begin(9)
    let before = Image()
    view.write(to: before)
    limit(9, 50)
    limit(3, 1 << 40)
    #expect(view.messageLimit(of: SessionId(9)) == 50)
    #expect(view.messageLimit(of: SessionId(3)) == .max)
    let after = Image()
    view.write(to: after)
    let read = DurableView(reading: after, counts: view.reference.counts)
    #expect(after.isWhole && read.isSame(as: view))
    #expect(read.messageLimit(of: SessionId(9)) == 50)
    limit(9, 0)
    #expect(view.messageLimit(of: SessionId(9)) == 0)
    #expect(!read.isSame(as: view))

    // The former layout ends before the limits, of which there are none here.
    let former = Image()
    former.bytes = Array(before.bytes.dropLast(8))
    former.bytes.replaceSubrange(
      0..<8, with: withUnsafeBytes(of: UInt64(0x43F5_55B0_89F8_F445)) { Array($0) })
    let old = DurableView(reading: former, counts: view.reference.counts)
    #expect(former.isWhole && old.messageLimit(of: SessionId(9)) == 0)
    #expect(old.flows.flow(of: SessionId(9)) == view.flows.flow(of: SessionId(9)))
  }
}
