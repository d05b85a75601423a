import MarketFile
import MarketModel
import Testing

@Suite("Market files")
struct MarketFileTests {
  private static let key = String(repeating: "ab", count: 32)

  private static let village = """
    areas:
      1: {code: "", storage-cost: 300, storage-price: 20, feed-in: 0.08, retail: 0.32, loss: 2.5%}
    instruments:
      1: {area: 1, symbol: SPOT, tick: 0.001, lot: 1kWh, lowest: 0, highest: 1, state: halted}
    participants:
      2: {name: "mueller \\"A\\""}
    sessions:
      2: {participant: 2, roles: [trading, metering], public-key: "\(key)"}
    accounts:
      10:
        participant: 2
        caps: {1: 10.5kWh}
        deposits: [100 EUR, 20 CHF]
        instructions:
          1: {sell-price: 0.1, sell-above: 5kWh, target: half}
    meters:
      100: {account: 10, area: 1, public-key: mine.pub, capacity: 10000, own-readings: yes}
    """

  private static func read(_ yaml: String) throws(MarketFileError) -> MarketDescription {
    try MarketDescription(yaml: yaml, name: "v.yaml") { (file) throws(ValueError) in
      guard file == "mine.pub" else { throw ValueError("there is no file \(file)") }
      return PublicKey(1, 2, 3, 4)
    }
  }

  private static func faults(_ yaml: String) -> [String] {
    do throws(MarketFileError) {
      _ = try read(yaml)
      return []
    } catch {
      return error.faults
    }
  }

  private static func plan(
    _ file: MarketDescription, _ there: MarketDescription = MarketDescription(name: "there"),
    posted: Bool = false
  ) -> MarketPlan {
    MarketPlan(file, comparedWith: there) { _ in posted }
  }

  @Test("A file is read, and what is written of it reads as the same.")
  func roundTrip() throws {
    let market = try Self.read(Self.village)
    #expect(market.items.count == 10)
    let again = try Self.read(market.yaml)
    #expect(again.items == market.items)
    for item in market.items {
      #expect(again.entries[item]?.definition == market.entries[item]?.definition, "\(item)")
    }
    #expect(again.yaml == market.yaml)
    #expect(market.place(of: .area(AreaId(1))) == "v.yaml:2")
    guard case .deposit(let second) = market.entries[.deposit(AccountId(10), 2)]?.definition else {
      Issue.record("the second deposit is missing")
      return
    }
    #expect(second.currency == Currency(756) && second.amount == Money(units: 2_000_000_000))
    #expect(second.reference == 10 << 16 | 2 && second.source == MarketDefinition.depositSource)
  }

  @Test(
    "Every fault is told with file, line and field.",
    arguments: [
      ("areas:\n  1: {code: A}", "v.yaml:2: area 1: storage-cost is missing"),
      ("areas:\n  0: {code: A}", "v.yaml:2: areas: the number '0' cannot be used"),
      ("area:\n  1: {}", "v.yaml:1: area is no section of a market file; its sections are areas,"),
      ("areas: 3", "v.yaml:1: areas must be a mapping"),
      ("areas:\n  1: {\n", "it is not valid YAML"),
      ("", "v.yaml:1: the file is empty"),
      ("participants:\n  2: {name: a}\n  2: {name: b}", "2 stands twice in one mapping"),
      ("participants:\n  2:\n    nam: a", "v.yaml:3: participant 2: there is no field nam"),
      ("participants:\n  2: {name: Müller}", "such as \"Mueller\""),
      ("sessions:\n  2: {roles: trader}", "session 2: roles: 'trader' cannot be used"),
      ("sessions:\n  2: {public-key: a.pub}", "public-key: 'a.pub' cannot be used: there is no"),
      ("accounts:\n  2:\n    deposits: [5]", "v.yaml:3: account 2: deposits: '5' cannot be used"),
      ("accounts:\n  2:\n    deposits: [-5 EUR]", "above 0"),
      ("accounts:\n  2:\n    caps: {1: 5}", "caps: 1 cannot be used: the unit is missing"),
      ("accounts:\n  2:\n    instructions: {1: {target: 1kWh}}", "give sell-price and sell-above"),
      ("meters:\n  1: {own-readings: maybe}", "write yes or no"),
      ("instruments:\n  1: {state: shut}", "write one of open, halted, closed"),
      ("areas:\n  1: {local-first: yes}", "local-first: 'yes' cannot be used: write on or off"),
      ("areas:\n  1: {reading-window: 3599}", "from 3600 to 34560000"),
      ("areas:\n  1: {minted-quality: good}", "write measured, substituted or estimated"),
      ("meters:\n  1: {attestation: nobody}", "write device, whose key signs"),
      ("meters:\n  1: {technology: nuclear}", "it is no technology; write one of unknown, solar"),
      ("areas:\n  1: {own-use: 3601}", "area 1: own-use: '3601' cannot be used"),
      ("areas:\n  1: {own-use: 15min}", "area 1: own-use: '15min' cannot be used"),
    ])
  func faults(yaml: String, words: String) {
    let found = Self.faults(yaml)
    #expect(found.contains { $0.contains(words) }, "\(found)")
  }

  @Test("A plan for an empty market makes everything, what others refer to first.")
  func first() throws {
    let plan = Self.plan(try Self.read(Self.village))
    #expect(plan.differences.isEmpty && plan.notes.isEmpty && !plan.isDone)
    let made = plan.steps.map { "\($0.item)" }
    #expect(
      made == [
        "area 1", "instrument 1", "instrument 1", "participant 2", "session 2", "account 10",
        "meter 100", "cap of account 10 in area 1", "deposit 1 of account 10",
        "deposit 2 of account 10", "instruction of account 10 for instrument 1",
      ])
    #expect(plan.steps.map(\.session.rawValue) == Array(repeating: 0, count: 10) + [2])
  }

  @Test("A plan for a market that has everything is empty; a changed field is a difference.")
  func second() throws {
    let file = try Self.read(Self.village)
    #expect(Self.plan(file, file, posted: true).isDone)
    let other = try Self.read(
      Self.village.replacing("retail: 0.32", with: "retail: 0.3")
        .replacing("halted", with: "open").replacing("sell-price: 0.1", with: "sell-price: 0.2")
        .replacing("  2: {name", with: "  3: {name: c}\n  2: {name"))
    let plan = Self.plan(file, other, posted: true)
    #expect(plan.steps.isEmpty)
    #expect(
      plan.differences == [
        "v.yaml:2: area 1: retail is 0.3 there, 0.32 here",
        "v.yaml:4: instrument 1: state is open there, halted here",
      ])
    #expect(plan.unlisted == [.participant(ParticipantId(3))])
    #expect(plan.notes.count == 1 && plan.notes[0].contains("the participant changes it"))
  }

  @Test("What an area's readings do is set where the file says it, and compared only there.")
  func areaReadings() throws {
    let bare = try Self.read(Self.village)
    #expect(!bare.yaml.contains("own-use") && !bare.yaml.contains("local-first"))
    let file = try Self.read(
      Self.village.replacing("loss: 2.5%", with: "loss: 2.5%, own-use: 0, local-first: off"))
    #expect(file.yaml.contains("    own-use: 0\n    local-first: off\n"))
    let again = try Self.read(file.yaml)
    #expect(again.entries.mapValues(\.definition) == file.entries.mapValues(\.definition))
    let set = Self.plan(file).steps.compactMap { step -> SetParameter? in
      if case .reference(.setParameter(let set)) = step.body { set } else { nil }
    }
    #expect(
      set == [
        SetParameter(subject: .area, number: 1, parameter: .ownUse, value: 0),
        SetParameter(subject: .area, number: 1, parameter: .localFirst, value: 0),
      ])
    #expect(Self.plan(bare, file, posted: true).isDone)
    let on = try Self.read(
      Self.village.replacing("loss: 2.5%", with: "loss: 2.5%, own-use: 900, local-first: on"))
    #expect(
      Self.plan(file, on, posted: true).differences == [
        "v.yaml:2: area 1: own-use is 900 there, 0 here",
        "v.yaml:2: area 1: local-first is on there, off here",
      ])
  }

  @Test("Window and quality of an area, and the site of a meter, are written, compared, and set.")
  func readingTerms() throws {
    let file = try Self.read(
      Self.village.replacing(
        "loss: 2.5%", with: "loss: 2.5%, reading-window: 7200, minted-quality: estimated"
      ).replacing("own-readings: yes", with: "own-readings: yes, technology: solar, place: Roof 3"))
    #expect(file.yaml.contains("    reading-window: 7200\n    minted-quality: estimated\n"))
    #expect(file.yaml.contains("    technology: solar\n    place: \"Roof 3\"\n"))
    let again = try Self.read(file.yaml)
    #expect(again.entries.mapValues(\.definition) == file.entries.mapValues(\.definition))
    let bodies = Self.plan(file).steps.map { "\($0.body)" }
    #expect(bodies.contains { $0.contains("readingWindow") && $0.contains("7200") })
    #expect(bodies.contains { $0.contains("mintedQuality") && $0.contains("value: 2") })
    #expect(bodies.contains { $0.contains("SetMeterPlace") })
    // A meter without a place gets it; another technology is a difference.
    let bare = try Self.read(Self.village)
    let plan = Self.plan(file, bare, posted: true)
    #expect(plan.steps.map { "\($0.item)" } == ["meter 100"])
    #expect(
      plan.differences == ["v.yaml:17: meter 100: technology is unknown there, solar here"])
    // A metering operator's meter needs no key.
    let attested = try Self.read(
      Self.village.replacing("public-key: mine.pub", with: "attestation: operator"))
    #expect(attested.yaml.contains("    attestation: operator\n"))
    #expect(try Self.read(attested.yaml).yaml == attested.yaml)
    #expect(Self.faults(Self.village.replacing("public-key: mine.pub, ", with: "")).count == 1)
  }

  @Test("Accounts have labels and may be closed; who lacks a label gets it, other ones are noted.")
  func accounts() throws {
    let people = "participants:\n  2: {name: a}\naccounts:\n"
    let file = try Self.read(people + "  10: {participant: 2, label: \"Flat 3\", state: closed}")
    let label = try #require(Label("Flat 3"))
    let set = Self.plan(file).steps.compactMap { step -> SetAccount? in
      if case .reference(.setAccount(let set)) = step.body { set } else { nil }
    }
    #expect(set == [SetAccount(account: AccountId(10), state: .closed)])
    let opened = Self.plan(file).steps.compactMap { step -> Label? in
      if case .reference(.createAccount(let new)) = step.body { new.label } else { nil }
    }
    #expect(opened == [label])
    #expect(
      try Self.read(file.yaml).entries[.account(AccountId(10))]?.definition
        == file.entries[.account(AccountId(10))]?.definition)
    let bare = try Self.read(people + "  10: {participant: 2}")
    #expect(!bare.yaml.contains("label") && !bare.yaml.contains("state"))
    let later = Self.plan(file, bare)
    #expect(later.steps.count == 1 && later.differences.isEmpty)
    #expect(later.notes.count == 1 && later.notes[0].contains("state is open there, closed here"))
    #expect(Self.plan(bare, file).steps.isEmpty && Self.plan(bare, file).differences.isEmpty)
  }

  @Test("What a participant's administrator changed is a note, and its account gets no deposit.")
  func administered() throws {
    let other = String(repeating: "cd", count: 32)
    let file = try Self.read(Self.village)
    let administrator = """
      sessions:
        3: {participant: 3, roles: [participantAdministration], public-key: "\(Self.key)"}
      """
    let changed = Self.village
      .replacing("public-key: \"\(Self.key)\"", with: "public-key: \"\(other)\"")
    let there = try Self.read(changed)
    #expect(Self.plan(file, there).differences.count == 1, "the operator's own is a difference")
    let taken = try Self.read(
      changed.replacing("participant: 2, roles", with: "participant: 3, roles")
        .replacing("    participant: 2\n", with: "    participant: 3\n")
        .replacing("participants:\n", with: "participants:\n  3: {name: firm}\n")
        .replacing("sessions:\n", with: administrator + "\n"))
    let plan = Self.plan(file, taken)
    #expect(plan.differences.isEmpty, "\(plan.differences)")
    #expect(plan.notes.contains { $0.contains("account 10: participant is 3 there") })
    #expect(!plan.steps.contains { if case .cash = $0.body { true } else { false } })
  }

  @Test("A session that was revoked and a meter that was ended differ: nothing brings them back.")
  func ended() throws {
    let file = try Self.read(Self.village)
    var there = MarketDescription(name: "there")
    for item in file.items {
      guard let definition = file.entries[item]?.definition else { continue }
      switch item {
      case .session, .meter: there.end(item)
      default: there.add(definition)
      }
    }
    let plan = Self.plan(file, there, posted: true)
    #expect(plan.steps.isEmpty && plan.differences.count == 2)
    #expect(plan.differences[0].hasPrefix("v.yaml:8: session 2: it is revoked there"))
    #expect(plan.differences[1].contains("meter 100: it is without an account there"))
  }

  @Test("What the file refers to must be in the file or in the market.")
  func references() throws {
    let file = try Self.read("accounts:\n  10: {participant: 2, deposits: [5 EUR]}")
    #expect(
      Self.plan(file).differences == [
        "v.yaml:2: account 10: participant 2 is neither in the file nor in the market"
      ])
    let there = try Self.read("participants:\n  2: {name: a}")
    #expect(Self.plan(file, there).differences.isEmpty)
    #expect(Self.plan(file, there).steps.count == 2)
  }

  @Test("An instruction needs a trading session of its participant.")
  func traders() throws {
    let file = try Self.read(Self.village.replacing("[trading, metering]", with: "metering"))
    #expect(Self.plan(file).differences.first?.contains("needs a session with the role") == true)
  }
}
