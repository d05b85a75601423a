import MarketFile
import MarketModel
import Testing

@Suite("Limits in market files")
struct LimitFileTests {
  private static let yaml = """
    participants:
      2: {name: firm, limits: {accounts: 20, sessions: 3}}
    sessions:
      2:
        participant: 2
        roles: [trading]
        public-key: "\(String(repeating: "ab", count: 32))"
        limits: {messages-per-second: 500}
    accounts:
      10:
        participant: 2
        limits:
          order-quantity: 50kWh
          open-orders: 100
          daily-notional: 200
          cash-at-risk: 150.5
    """

  private static func read(_ yaml: String) throws(MarketFileError) -> MarketDescription {
    try MarketDescription(yaml: yaml, name: "v.yaml") { (file) throws(ValueError) in
      throw ValueError("there is no file \(file)")
    }
  }

  private static func plan(_ file: MarketDescription, _ there: MarketDescription) -> MarketPlan {
    MarketPlan(file, comparedWith: there) { _ in false }
  }

  @Test("Limits are read in their units, written so, and made after what has them.")
  func roundTrip() throws {
    let file = try Self.read(Self.yaml)
    #expect(try Self.read(file.yaml).yaml == file.yaml)
    let steps = Self.plan(file, MarketDescription(name: "there")).steps
    let set = steps.compactMap { step -> SetLimit? in
      if case .reference(.setLimit(let limit)) = step.body { limit } else { nil }
    }
    #expect(set.count == 7 && steps.suffix(7).count { "\($0.item)".hasPrefix("limit") } == 7)
    let account = AccountId(10)
    for (kind, value) in [
      (LimitKind.orderQuantity, Int64(50_000)), (.openOrders, 100),
      (.dailyNotional, 20_000_000_000), (.cashAtRisk, 15_050_000_000),
    ] {
      #expect(set.contains(SetLimit(account: account, kind: kind, value: value)), "\(kind)")
    }
    #expect(
      set.contains(SetLimit(session: SessionId(2), kind: .messagesPerSecond, value: 500)))
    #expect(
      set.contains(SetLimit(participant: ParticipantId(2), kind: .accounts, value: 20)))
    #expect(Self.plan(file, file).isDone)
  }

  @Test("Another value there is a difference; one that is missing there is set.")
  func differences() throws {
    let file = try Self.read(Self.yaml)
    let other = try Self.read(Self.yaml.replacing("open-orders: 100", with: "open-orders: 90"))
    #expect(
      Self.plan(file, other).differences == [
        "v.yaml:14: limit open-orders of account 10: open-orders is 90 there, 100 here"
      ])
    let without = try Self.read(Self.yaml.replacing("      open-orders: 100\n", with: ""))
    #expect(
      Self.plan(file, without).steps.map { "\($0.item)" } == ["limit open-orders of account 10"])
    #expect(
      Self.plan(without, file).unlisted.map { "\($0)" } == ["limit open-orders of account 10"])
  }

  @Test(
    "A limit that cannot be is told with its line.",
    arguments: [
      (
        "order-quantity: 50kWh", "order-quantity: 50",
        "v.yaml:13: account 10: limits: order-quantity"
      ),
      ("open-orders: 100", "open-orders: 0", "v.yaml:14: account 10: limits: open-orders: '0'"),
      ("daily-notional: 200", "daily-notional: 0", "above 0; leave it out"),
      ("{messages-per-second: 500}", "{open-orders: 5}", "there is no field open-orders"),
      ("{messages-per-second: 500}", "7", "session 2: limits must be a mapping"),
    ])
  func faults(right: String, wrong: String, words: String) throws {
    do throws(MarketFileError) {
      _ = try Self.read(Self.yaml.replacing(right, with: wrong))
      Issue.record("no fault")
    } catch {
      #expect(error.faults.contains { $0.contains(words) }, "\(error.faults)")
    }
  }

  @Test("What no file can define stands as comments at the head.")
  func remarks() throws {
    var market = try Self.read(Self.yaml)
    market.remarks = ["account 10 is blocked"]
    #expect(market.yaml.hasPrefix("# account 10 is blocked\nparticipants:\n"))
    #expect(try Self.read(market.yaml).items == market.items)
  }
}
