import MarketModel
import Testing

@testable import GatewayKit

/// A state image in memory.
final class Bytes: StateSink, StateSource {
  private var bytes: [UInt8] = []
  private var offset = 0
  private(set) var isWhole = true

  func write(_ bytes: UnsafeRawBufferPointer) { self.bytes += bytes }
  func read(into room: UnsafeMutableRawBufferPointer) {
    guard isWhole, offset + room.count <= bytes.count else {
      isWhole = false
      for index in room.indices { room[index] = 0 }
      return
    }
    room.copyBytes(from: bytes[offset..<offset + room.count])
    offset += room.count
  }
  func reject(_ what: String) { isWhole = false }
  var isDone: Bool { offset == bytes.count }
}

@Suite("The shared view of the gateways")
struct DurableViewTests {
  private static let time = Timestamp(nanoseconds: 77)

  /// Delivers one event and returns its reports, each as "session number part".
  @discardableResult private func feed(_ event: Event, _ view: DurableView) -> [String] {
    withUnsafePointer(to: event) { event in
      view.take(event, at: Self.time).map { "\($0.session.rawValue) \($0.number) \($0.part)" }
    }
  }

  private func register(
    _ session: UInt32, _ participant: UInt32, _ roles: Roles, _ view: DurableView,
    version: UInt64 = 1
  ) {
    feed(
      .reference(
        .sessionRegistered(
          RegisterSession(
            session: SessionId(session), participant: ParticipantId(participant), roles: roles,
            publicKey: PublicKey(1, 2, 3, UInt64(session))))), view)
    feed(
      .session(
        .sessionBegan(
          BeginSession(
            session: SessionId(session), version: version, cancelAfter: BeginSession.never))), view)
  }

  private func trade(_ buyer: UInt32, _ seller: UInt32) -> Event {
    func party(_ session: UInt32) -> TradeParty {
      TradeParty(
        order: OrderId(slot: session, generation: 1), account: AccountId(session),
        session: SessionId(session), clientOrderId: ClientOrderId(1), fee: .zero, leaves: .zero,
        covered: .zero)
    }
    return .trade(
      Trade(
        trade: TradeId(1), instrument: InstrumentId(1), aggressor: .buy, price: Price(ticks: 1),
        quantity: Energy(wattHours: 1), notional: .zero, buyer: party(buyer),
        seller: party(seller)))
  }

  private func market(_ view: DurableView) {
    let area = CreateArea(
      area: AreaId(1), currency: .eur, code: .empty, storageCost: Money(units: 1),
      storagePrice: Money(units: 1), feedInPrice: .zero, retailPrice: .zero)
    feed(.reference(.areaCreated(AreaState(definition: area, defaultCap: .zero))), view)
    feed(
      .reference(
        .instrumentCreated(
          CreateInstrument(
            instrument: InstrumentId(1), area: AreaId(1), symbol: .empty, tick: Price(ticks: 1),
            lot: Energy(wattHours: 1), lowestPrice: .zero, highestPrice: Price(ticks: 100)))), view)
  }

  private func accepted(_ session: UInt32) -> Event {
    .accepted(
      OrderState(
        order: OrderId(slot: session, generation: 1), account: AccountId(session),
        instrument: InstrumentId(1), session: SessionId(session), clientOrderId: ClientOrderId(1),
        side: .buy, type: .limit, timeInForce: .goodTillCancel, waitReason: .none,
        price: Price(ticks: 3), quantity: Energy(wattHours: 5), leaves: Energy(wattHours: 5),
        covered: Energy(wattHours: 5)))
  }

  @Test("Reports are numbered by session and version, both sides of a trade, own copies apart.")
  func numbers() {
    let view = DurableView()
    market(view)
    register(7, 1, .trading, view)
    register(8, 2, .trading, view)
    register(9, 1, .dropCopy, view)
    #expect(feed(accepted(7), view) == ["7 1 event", "9 1 copyNotice", "9 2 event"])
    #expect(feed(accepted(8), view) == ["8 1 event"])
    #expect(
      feed(trade(8, 7), view) == [
        "8 2 buyer", "7 2 seller", "9 3 copyNotice", "9 4 seller",
      ])
    // A session that never began has no flow.
    #expect(feed(accepted(11), view).isEmpty)
    // A new version starts at 1; the old version, begun again, would continue.
    register(7, 1, .trading, view, version: 2)
    #expect(feed(accepted(7), view).first == "7 1 event")
    register(7, 1, .trading, view, version: 2)
    #expect(feed(accepted(7), view).first == "7 2 event")
  }

  @Test("An event with more reports than the initial capacity loses none.")
  func many() {
    let view = DurableView()
    for session in UInt32(1)...50 { register(session, session, .dropCopy, view) }
    let reports = feed(
      .control(.settlementConfirmed(SettlementConfirmed(batch: 1, lastSequence: .none))), view)
    #expect(reports == (1...50).map { "\($0) 1 event" })
  }

  @Test("A session moved to another participant receives no reports of the former one.")
  func moved() {
    let view = DurableView()
    for account in UInt32(1)...2 {
      feed(
        .reference(
          .accountCreated(
            CreateAccount(account: AccountId(account), participant: ParticipantId(account)))), view)
    }
    func balance(_ account: UInt32) -> Event {
      .balance(
        Balance(
          account: AccountId(account), area: AreaId(1), currency: .eur, free: .zero,
          reserved: .zero, energy: .zero, cap: .zero, coveredAsks: .zero, coveredBids: .zero,
          openAsks: .zero, openBids: .zero))
    }
    register(7, 1, .trading, view)
    #expect(feed(balance(1), view) == ["7 1 event"] && feed(balance(2), view).isEmpty)
    register(7, 2, .trading, view, version: 2)
    #expect(feed(balance(1), view).isEmpty && feed(balance(2), view) == ["7 1 event"])
    #expect(view.reference.roles(of: SessionId(7)) == .trading)
    #expect(view.reference.counts.accounts == 2)
  }

  @Test("The image is read back equal, and numbering continues.")
  func image() {
    let (view, bytes) = (DurableView(), Bytes())
    market(view)
    register(7, 1, .trading, view)
    register(9, 1, .dropCopy, view)
    feed(accepted(7), view)
    #expect(view.endCommand(at: Self.time).map(\.sequence) == [1])
    view.write(to: bytes)
    let read = DurableView(reading: bytes, counts: view.reference.counts)
    #expect(bytes.isWhole && bytes.isDone && read.isSame(as: view))
    let adopted = DurableView(versionFloor: 100)
    adopted.adopt(read)
    #expect(adopted.isSame(as: view) && !read.isSame(as: view))
    #expect(adopted.identities.lastVersion(SessionId(12)) == 100)
    #expect(feed(accepted(8), adopted) == feed(accepted(8), view))
    #expect(feed(trade(7, 8), adopted) == feed(trade(7, 8), view))
    #expect(
      adopted.endCommand(at: Self.time).map(\.sequence)
        == view.endCommand(at: Self.time).map(\.sequence))
  }

  @Test("Numbering reports only gives equal numbers and publishes no market data.")
  func reportsOnly() {
    let (view, quick) = (DurableView(), DurableView())
    for target in [view, quick] {
      market(target)
      register(7, 1, .trading, target)
    }
    view.endCommand(at: Self.time)
    quick.endCommand(at: Self.time)
    let event = accepted(7)
    let numbers = withUnsafePointer(to: event) { quick.number($0).map(\.number) }
    #expect(feed(event, view) == ["7 \(numbers[0]) event"])
    #expect(quick.endCommand(at: Self.time).isEmpty && !view.endCommand(at: Self.time).isEmpty)
  }
}
