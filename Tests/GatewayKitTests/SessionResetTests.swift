import MarketModel
import Testing

@testable import GatewayKit

@Suite("Keys that change, versions that are reset")
struct SessionResetTests {
  private let session = SessionId(7)

  private func feed(_ event: Event, _ view: DurableView) {
    withUnsafePointer(to: event) { _ = view.take($0, at: Timestamp(nanoseconds: 9)) }
  }

  private func register(_ view: DurableView, roles: Roles = .trading, key: UInt64 = 1) {
    feed(
      .reference(
        .sessionRegistered(
          RegisterSession(
            session: session, participant: ParticipantId(1), roles: roles,
            publicKey: PublicKey(key, 0, 0, 0)))), view)
  }

  private func begin(_ version: UInt64, _ view: DurableView) {
    feed(
      .session(
        .sessionBegan(BeginSession(session: session, version: version, cancelAfter: 500))), view)
  }

  @Test("Another key, or none, ends the session, and its orders are no longer exposed.")
  func keys() {
    let view = DurableView()
    register(view)
    #expect(view.ended == nil, "a new session ends nothing")
    begin(3, view)
    register(view, roles: [.trading, .metering])
    #expect(view.ended == nil, "roles apply to the session as it is")
    #expect(view.flows.exposed == [session])
    for (roles, key) in [(Roles.trading, UInt64(2)), ([], 2)] {
      begin(3, view)
      #expect(view.ended == nil)
      register(view, roles: roles, key: key)
      #expect(view.ended?.session == session)
      #expect(view.ended?.refusal == Refusal(roles.isEmpty ? .unknownSession : .keyChanged))
      #expect(view.flows.exposed.isEmpty)
    }
  }

  @Test("A reset version is 0, also in an image; the next one numbers its reports from 1.")
  func image() {
    let (view, bytes) = (DurableView(versionFloor: 100), Bytes())
    register(view)
    begin(900, view)
    feed(
      .control(.acknowledged(Acknowledged(session: session, clientSequence: 1))), view)
    #expect(view.flows.flow(of: session).next(in: 900) == 2)
    feed(.reference(.numbersReset(ResetNumbers(account: AccountId(3)))), view)
    #expect(view.ended == nil && view.identities.lastVersion(session) == 900)
    feed(.reference(.numbersReset(ResetNumbers(session: session))), view)
    #expect(view.ended?.session == session && view.ended?.refusal == Refusal(.versionReset))
    #expect(view.identities.lastVersion(session) == 0)
    #expect(view.identities.openVersion(session) == 0)
    #expect(view.flows.exposed == [session], "cancel on disconnect goes on")
    view.write(to: bytes)
    let read = DurableView(reading: bytes, counts: view.reference.counts)
    #expect(bytes.isWhole && bytes.isDone && read.isSame(as: view))
    let restarted = DurableView(versionFloor: 1_000)
    restarted.adopt(read)
    #expect(restarted.identities.lastVersion(session) == 0)
    #expect(restarted.identities.lastVersion(SessionId(8)) == 1_000)
    for view in [view, restarted] {
      begin(900, view)
      #expect(view.identities.lastVersion(session) == 900)
      #expect(view.flows.flow(of: session).next(in: 900) == 1)
    }
  }
}
