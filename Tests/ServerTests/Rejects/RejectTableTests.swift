import Foundation
import JoulebookClient
import MarketModel
import Testing
import Wire

@Suite("Every command has its table of rejects at the socket", .serialized, .onTableMarket)
struct RejectTableTests {
  /// Codes of the engine that no row can cause here, and why.
  private static let elsewhere: [String: String] = [
    "tooManyOrders": "shares keep accounts from filling the pool: RejectCodeTests",
    "workLimit": "depends on the time: Tests/abuse",
    "formerReadingsMissing": "before version 8 of the rules: MeterChangeTests",
    "readingTooLate": "the market is younger than its window: IntervalTests",
  ]

  /// One allowed command of each message of the schema; of a Tick its time is spoilt.
  private static func allowed(_ market: TableMarket) -> [Command.Body] {
    [
      Allowed.order(), Allowed.order { $0.minimumQuantity = Energy(wattHours: 1_000) },
      Allowed.replace(market), .cancel(CancelOrder(account: Village.ana, order: market.asked)),
      .order(.massCancel(MassCancel(account: Village.ben))), Allowed.agent(), Allowed.transfer(),
      Allowed.reading(), .cash(.deposit(Allowed.cash())), .cash(.withdraw(Allowed.cash())),
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId(9), name: .empty))),
      Allowed.session(), Allowed.account(20, of: 2), Allowed.setAccount(11, .open),
      .reference(.setCap(SetCap(account: Village.ben, area: AreaId(1), cap: .zero))),
      Allowed.area(), Allowed.tariff(1, 2), Allowed.instrument(), Allowed.state(1),
      Allowed.meter(market), .control(.tick), .control(.setRules(SetRules(version: 4))),
      .order(.cancelOrders(CancelOrders(participant: ParticipantId(2)))),
      .reference(.resetNumbers(ResetNumbers(session: SessionId(5)))),
      .reference(.setBlock(SetBlock(account: Village.ben))),
      .order(.cancelInstructions(CancelInstructions(participant: ParticipantId(2)))),
      Allowed.limit(), .session(.cutSession(CutSession(session: SessionId(5)))),
      Allowed.parameter(.lossFactor, 1), Allowed.withdrawal(.lossFactor),
      .order(.note(Note(text: NoteText(1, 0, 0, 0, 0)))),
      .metering(.decideReading(DecideReading(number: 1, releases: false))),
      .reference(.setMeterPlace(SetMeterPlace(meter: MeterId(1), place: .empty))),
      Allowed.compensation(),
    ]
  }

  /// The bits of roles in words of the schema.
  private static func bits(_ roles: String) -> Roles {
    roles.split(separator: " ").reduce(into: Roles()) { all, name in
      switch name {
      case "trading": all.insert(.trading)
      case "metering": all.insert(.metering)
      case "administration": all.insert(.administration)
      case "participantAdministration": all.insert(.participantAdministration)
      default: Issue.record("a role that this test does not know: \(name)")
      }
    }
  }

  @Test(
    "A wrong value gets its code, limit and field, and the state is as before.",
    arguments: RejectTables.all)
  func wrong(_ row: RejectRow) throws {
    let market = try #require(TableMarket.current)
    defer { market.disconnect() }
    let before = (try market.stateHash(), try market.balances())
    let rejection = try #require(
      try market.send(row.body(market), from: row.session), "it was accepted")
    #expect(rejection.code == row.code)
    if let limit = row.limit {
      #expect(rejection.limit == limit)
    } else {
      #expect(rejection.limit != 0)
    }
    #expect(rejection.field == row.field)
    // These readings are kept in quarantine.
    let isKept = [
      RejectCode.readingAboveCapacity, .intervalInFuture, .registerSequenceTooHigh,
    ].contains(row.code)
    #expect(try market.stateHash() == before.0 || isKept)
    #expect(try market.balances() == before.1)
  }

  @Test("Every command is refused to sessions without its role, and with a value outside a list.")
  func everyCommand() throws {
    let market = try #require(TableMarket.current)
    defer { market.disconnect() }
    let before = try market.stateHash()
    let schema = try CommandSchema.read()
    var untried = Dictionary(uniqueKeysWithValues: schema.commands.map { ($0.template, $0) })
    for body in Self.allowed(market) {
      let template = try market.template(of: body)
      let known = untried.removeValue(forKey: template)
      let command = try #require(known, "\(template)")
      let needed = Self.bits(schema.roles[command.command] ?? "")
      let isOfOperators = needed.contains(.administration) && !needed.contains(.trading)
      // Of readings the reject names the role that is permitted every reading.
      let isReading = needed.contains(.metering)
      let (stranger, sender) = isOfOperators ? (UInt32(3), UInt32(1)) : isReading ? (1, 4) : (4, 2)
      let refused = try market.send(body, from: stranger)
      #expect(refused?.code == .notPermitted, "\(command.name)")
      let roles = isReading ? Roles.metering : needed
      #expect(refused?.limit == Int64(roles.rawValue), "\(command.name)")
      for choice in command.choices {
        let value: UInt8 = choice.isSet ? 0x80 : 200
        let wrong = try market.send(body, from: sender) {
          $0.storeBytes(of: value, toByteOffset: choice.offset, as: UInt8.self)
        }
        #expect(wrong?.code == .badEnumValue, "\(command.name) \(choice.name)")
        #expect(wrong?.limit == Int64(value), "\(command.name) \(choice.name)")
        #expect(wrong?.field.map { "\($0)" } == choice.name, "\(command.name) \(choice.name)")
      }
    }
    #expect(untried.isEmpty, "no allowed command of \(untried.values.map(\.name))")
    #expect(try market.stateHash() == before)
  }

  @Test(
    "Every message of the schema that is a command has rows, and so has every code of the engine.")
  func complete() throws {
    let market = try #require(TableMarket.current)
    let templates = Set(try RejectTables.all.map { try market.template(of: $0.body(market)) })
    let commands = try CommandSchema.read().commands
    #expect(commands.count > 28)
    // Their rules ask for a role only: see above.
    let withoutRows = ["Tick", "Note"]
    for command in commands where !withoutRows.contains(command.name) {
      #expect(templates.contains(command.template), "no row for \(command.name)")
    }
    let rows = Set(RejectTables.all.map(\.code))
    for name in try engineCodes() where Self.elsewhere[name] == nil {
      let code = try #require(RejectCode.all.first { $0.name == name }?.code, "\(name)")
      #expect(rows.contains(code), "no row for \(name)")
    }
  }

  /// Codes that the sources of the engine name.
  private func engineCodes() throws -> Set<String> {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let sources = root.appendingPathComponent("Sources/ExchangeCore")
    var names: Set<String> = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: sources.path)
    where path.hasSuffix(".swift") {
      let text = try String(contentsOf: sources.appendingPathComponent(path), encoding: .utf8)
      for match in text.matches(of: /Refusal\(\s*\.(\w+)/) { names.insert(String(match.1)) }
    }
    return names
  }
}
