import ExchangeCore
import Foundation
import MarketModel
import Testing

/// A script in the village that ends in one reject.
struct RejectScript: CustomTestStringConvertible, Sendable {
  let name: String
  /// Steps before it; the last line is rejected.
  let script: String
  /// The table that is small, if any.
  var orders: UInt32 = 64

  var testDescription: String { name }

  init(_ name: String, _ script: String, orders: UInt32 = 64) {
    (self.name, self.script, self.orders) = (name, script, orders)
  }
}

@Suite("Every code with which the engine can reject")
struct RejectCodeTests {
  private static let noKey = String(repeating: "0", count: 64)

  /// One script a code, in the order of the codes.
  static let scripts = [
    RejectScript("unknownSession", "enter X ana bid 1kWh @ 0.10 by 9"),
    RejectScript(
      "foreignParticipant", "rules 4 by 0\nsession 7 of 1 roles 32\naccount #9 of 2 by 7"),
    RejectScript(
      "roleNotGrantable",
      "rules 4 by 0\nsession 7 of 1 roles 32\nsession 8 of 1 roles 4 by 7"),
    RejectScript(
      "participantPart",
      "rules 4 by 0\nsession 7 of 1 roles 32\nsetLimit participant 1 kind accounts value 1\n"
        + "account #9 of 1 by 7"),
    RejectScript(
      "orderLimit",
      "setLimit account 1 kind orderQuantity value 1000\nenter X ana bid 2kWh @ 0.10"),
    RejectScript(
      "openOrderLimit",
      "setLimit account 1 kind openOrders value 1\nenter A ana bid 1kWh @ 0.10\n"
        + "enter X ana bid 1kWh @ 0.10"),
    RejectScript(
      "notionalLimit",
      "setLimit account 1 kind dailyNotional value 9999999\nenter X ana bid 1kWh @ 0.10"),
    RejectScript(
      "cashLimit",
      "setLimit account 1 kind cashAtRisk value 9999999\nenter X ana bid 1kWh @ 0.10"),
    RejectScript(
      "setByOperator",
      "rules 4 by 0\nsession 7 of 1 roles 32\nsetBlock account 1\n"
        + "setBlock account 1 releases yes by 7"),
    RejectScript("blocked", "setBlock account 1\nenter X ana bid 1kWh @ 0.10"),
    RejectScript(
      "accountClosed", "account #9 of 1\nsetAccount account 9 state closed\ndeposit #9 1.00"),
    RejectScript(
      "accountOrdersLeft", "enter X ana bid 1kWh @ 0.10\nsetAccount account 1 state closed"),
    RejectScript("accountBalancesLeft", "setAccount account 1 state closed"),
    RejectScript(
      "accountMetersLeft", "withdraw ana 1000.00\nsetAccount account 1 state closed"),
    RejectScript("notPermitted", "enter X eva bid 1kWh @ 0.10 by 3"),
    RejectScript("unknownAccount", "deposit #9 1.00"),
    RejectScript("foreignAccount", "enter X eva bid 1kWh @ 0.10"),
    RejectScript("unknownParticipant", "account #9 of 3"),
    RejectScript("foreignSession", "enter X ana bid 1kWh @ 0.10 behalf 2"),
    RejectScript("unknownInstrument", "halt 7"),
    RejectScript("instrumentHalted", "halt 1\nenter X ana bid 1kWh @ 0.10"),
    RejectScript("instrumentClosed", "close 1\nopen 1"),
    RejectScript("offTick", "enter X ana bid 1kWh @ 0.101"),
    RejectScript("priceOutOfBand", "enter X ana bid 1kWh @ 1.01"),
    RejectScript("offLot", "enter X ana bid 1001Wh @ 0.10"),
    RejectScript("quantityNotPositive", "enter X ana bid -1kWh @ 0.10"),
    RejectScript("quantityTooLarge", "enter X ana bid 68719477kWh @ 0.10"),
    RejectScript(
      "notionalOverflow",
      "spot 2 tick 1.00 band 0.00 10000000.00\nenter X ana bid 68719476kWh @ 10000000.00 in 2"),
    RejectScript("marketNotImmediate", "enter X ana bid 1kWh market"),
    RejectScript("badExpireTime", "enter X ana bid 1kWh @ 0.10 gtt expires 0s"),
    RejectScript("duplicateClientOrderId", "enter X ana bid 1kWh @ 0.10 id 0"),
    RejectScript(
      "postOnlyWouldTrade",
      "meter ana +1kWh\nenter A1 ana ask 1kWh @ 0.10\nenter X ben bid 1kWh @ 0.10 post"),
    RejectScript("minimumQuantityInvalid", "enter X ana bid 2kWh @ 0.10 min 500Wh"),
    RejectScript("displayQuantityInvalid", "enter X ana bid 2kWh @ 0.10 show 3kWh"),
    RejectScript("displayQuantityTooSmall", "enter X ana bid 201kWh @ 0.10 show 2kWh"),
    RejectScript("postOnlyImmediate", "enter X ana bid 1kWh @ 0.10 post fok"),
    RejectScript("badAmount", "withdraw ana 0.00"),
    RejectScript("sameAccount", "send ana ana 1.00"),
    RejectScript("badInterval", "meter ana +1kWh seq 1 from 9s to 9s"),
    RejectScript("insufficientCash", "withdraw ana 1000.01"),
    RejectScript("capExceeded", "meter ana +2kWh\ncap ben 1kWh\nsend ana ben 2kWh"),
    RejectScript("insufficientEnergy", "send ana ben 1kWh"),
    RejectScript("balanceLimit", "deposit ana 23058430092.13693952"),
    RejectScript("unknownOrder", "cancel for ana id 1"),
    RejectScript(
      "quantityBelowExecuted",
      """
      meter ana +1kWh
      enter A1 ana ask 1kWh @ 0.10
      enter B1 ben bid 2kWh @ 0.10
      replace B1 1kWh @ 0.10
      """),
    RejectScript(
      "tooManyOrders", "enter A1 ana bid 1kWh @ 0.10\nenter X ana bid 1kWh @ 0.10", orders: 1),
    RejectScript(
      "orderShare",
      "rules 3 by 0\nenter A1 ana bid 1kWh @ 0.10\nenter X ana bid 1kWh @ 0.10", orders: 2),
    RejectScript("nothingToChange", "enter A1 ana bid 1kWh @ 0.10\nreplace A1 1kWh @ 0.10"),
    RejectScript("unknownMeter", "meter #9 +1kWh"),
    RejectScript(
      "readingReplayed",
      "meter ana +1kWh seq 2 from 0s to 9s\nmeter ana +1kWh seq 2 from 9s to 18s"),
    RejectScript("negativeReading", "meter ana +-1kWh"),
    RejectScript("readingTooLarge", "meter ana +1099511627777Wh"),
    RejectScript(
      "overlappingInterval",
      "meter ana +1kWh seq 2 from 0s to 9s\nmeter ana +1kWh seq 3 from 8s to 18s"),
    RejectScript("readingAboveCapacity", "rules 3 by 0\nmeter ana +25001Wh"),
    RejectScript(
      "intervalTooLong", "rules 3 by 0\nmeter ana +1kWh seq 1 from 0s to 86401s after 86500s"),
    RejectScript(
      "readingTooLate", "rules 8 by 0\nmeter ana +1kWh seq 1 from 0s to 900s after 3888001s"),
    RejectScript(
      "registerSequenceTooHigh",
      "rules 8 by 0\nmeter ana +1kWh seq \(UInt64(1) << 62 + 1) from 0s to 900s after 900s"),
    RejectScript("unknownQuarantine", "rules 8 by 0\ndecideReading number 1 releases no"),
    RejectScript("intervalInFuture", "rules 3 by 0\nmeter ana +1kWh seq 1 from 0s to 61s"),
    RejectScript(
      "formerReadingsMissing",
      "rules 6 by 0\nregisterMeter meter 1 account 2 area 1 publicKey \(noKey) from 100\n"
        + "meter ana +1kWh seq 1 from 0s to 60s after 200s\n"
        + "registerMeter meter 1 account 1 area 1 publicKey \(noKey) from 300"),
    RejectScript("alreadyExists", "participant 1"),
    RejectScript("outOfRange", "participant 99"),
    RejectScript("unknownArea", "tariff 3"),
    RejectScript("badDefinition", "area 2 cost 1500.00 price 0.00"),
    RejectScript(
      "capacityExhausted",
      (1...16).map { "enter A\($0) ana bid 1kWh @ -0.\($0 + 10)" }.joined(separator: "\n")
        + "\nenter X ana bid 1kWh @ -0.50"),
    RejectScript(
      "fromNotLater",
      "tick 9s\nsetParameter subject instrument number 1 parameter tick value 500 from 9"),
    RejectScript(
      "noSuchChange", "withdrawParameter subject instrument number 1 parameter tick"),
    RejectScript("referenceReplayed", "deposit ana 1.00 ref 9\ndeposit ana 1.00 ref 9"),
    RejectScript(
      "unsettledLimit",
      "setParameter subject area number 1 parameter unsettledLimit value 1\nmeter ana +1kWh\n"
        + "enter A1 ana ask 1kWh @ 0.10\nenter B1 ben bid 1kWh @ 0.10\nenter X ben bid 1kWh @ 0.10"),
    RejectScript("workLimit", "refuseWork left 0 by 0"),
    RejectScript("sessionOfAnother", "rules 4 by 0\nsession 2 of 1 roles 1"),
    RejectScript("lastAdministrator", "rules 4 by 0\nsession 1 of 1 roles 3"),
    RejectScript(
      "clientOrderIdTooHigh", "rules 4 by 0\nenter X ana bid 1kWh @ 0.10 id 4611686018427387905"),
    RejectScript(
      "accountHasOrders", "enter A1 ana bid 1kWh @ 0.10\nresetNumbers account 1"),
  ]

  /// The events of engine and model for the last step; all earlier steps must be accepted.
  private func reject(_ script: RejectScript) throws -> RejectCode? {
    var capacity = Capacity.script
    (capacity.orders, capacity.priceLevels) = (script.orders, 16)
    var market = Market(capacity: capacity)
    let lines = (Script.lines(Script.village) + Script.lines(script.script)).map(\.action)
    for (index, line) in lines.enumerated() {
      let state = market.exchange.stateHash()
      let outcome = market.apply(try StepParser.step(line))
      #expect(outcome.differences.isEmpty, "\(script.name), \(line)")
      guard case .rejected(let rejected)? = outcome.events.first else { continue }
      if case .metering(.quarantined)? = outcome.events.dropFirst().first {
        #expect(index == lines.count - 1 && outcome.events.count == 2, "\(script.name), \(line)")
        return rejected.code
      }
      #expect(index == lines.count - 1 && outcome.events.count == 1, "\(script.name), \(line)")
      #expect(market.exchange.stateHash() == state, "\(script.name) changed something")
      return rejected.code
    }
    return nil
  }

  @Test(
    "A script is rejected with the code that names it, and nothing has changed.", arguments: scripts
  )
  func code(script: RejectScript) throws {
    let code = try #require(RejectCode.all.first { $0.name == script.name }).code
    #expect(try reject(script) == code)
  }

  /// The engine's sources.
  private func sources() throws -> [String] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources/ExchangeCore")
    return try FileManager.default.subpathsOfDirectory(atPath: root.path)
      .filter { $0.hasSuffix(".swift") }
      .map { try String(contentsOf: root.appendingPathComponent($0), encoding: .utf8) }
  }

  /// Codes that the sources of the engine name.
  private func engineCodes() throws -> Set<String> {
    Set(
      try sources().flatMap {
        $0.matches(of: /Refusal\(\s*\.(\w+)/).map { String($0.1) }
      })
  }

  @Test("Whoever refuses a definition names the field.")
  func fields() throws {
    let refusals = try sources().flatMap {
      $0.matches(of: /\.badDefinition,(?:UInt32\([^)]*\)|[^)])*/)
    }
    #expect(refusals.count > 20)
    let named = /, (\.\w+|new\.parameter\.field|participant \? .*)$/
    for refusal in refusals { #expect(refusal.0.contains(named), "\(refusal.0)") }
  }

  @Test("There is a script for every code that the engine's sources name, and for no other.")
  func everyCode() throws {
    let scripted = Set(Self.scripts.map(\.name))
    let named = try engineCodes()
    #expect(named.count > 40)
    #expect(named.subtracting(scripted).isEmpty, "no script for these")
    #expect(scripted.subtracting(named).isEmpty, "the engine does not name these")
  }
}
