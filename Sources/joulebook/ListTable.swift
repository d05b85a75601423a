// Rows of a list as a table, CSV or JSON.

import JoulebookClient
import MarketFile
import MarketModel
import Settlement
import Wire

/// The rows of one list, as text.
struct ListTable {
  /// A value: a number is written without quotes in JSON and stands at the right of its column.
  enum Cell: Equatable {
    case number(UInt64)
    case amount(String)
    case text(String)
    case none

    var text: String {
      switch self {
      case .number(let number): "\(number)"
      case .amount(let text): text
      case .text(let text): text.printable
      case .none: ""
      }
    }

    var json: String {
      switch self {
      case .number(let number): "\(number)"
      case .amount(let text), .text(let text): Self.quoted(text)
      case .none: "null"
      }
    }

    /// A string of JSON.
    private static func quoted(_ text: String) -> String {
      let escaped = text.unicodeScalars.map { scalar in
        if scalar == "\"" || scalar == "\\" { return "\\\(scalar)" }
        if !scalar.isUnprintable { return String(scalar) }
        return String(scalar).utf16.map { unit in
          let digits = String(unit, radix: 16)
          return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
      }
      return "\"" + escaped.joined() + "\""
    }

    /// Quoted where it has a comma or a quotation mark. Text that a spreadsheet would take for a formula
    /// begins with an apostrophe, which spreadsheets do not show.
    var csv: String {
      if case .text = self, let first = text.first, "=+-@".contains(first) {
        return Self.quotedForCSV("'" + text)
      }
      return Self.quotedForCSV(text)
    }

    private static func quotedForCSV(_ text: String) -> String {
      text.contains { ",\"\n".contains($0) }
        ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
  }

  /// Names of the columns.
  let columns: [String]
  private(set) var rows: [[Cell]] = []
  /// The account whose rows arrive, with its cash that no position has told yet.
  private var account: Owner?

  /// The announced changes, with their moments.
  private var changes: [(from: Timestamp, rows: [[Cell]])] = []

  private struct Owner {
    let number: AccountId
    let participant: ParticipantId
    /// The last columns: the label, and whether the account is closed.
    let terms: [Cell]
    var cash: [(Currency, [Cell])] = []
    var hasRow = false
  }

  /// An empty table.
  init(_ list: Listed) {
    columns =
      switch list {
      case .orders:
        [
          "order", "account", "instrument", "side", "price", "quantity", "open", "executable",
          "clientOrderId", "timeInForce",
        ]
      case .accounts, .balances:
        [
          "account", "participant", "area", "currency", "free", "reserved", "energy", "cap",
          "label", "state",
        ]
      case .instructions:
        [
          "account", "instrument", "sellPrice", "sellAbove", "buyPrice", "buyBelow", "target",
        ]
      case .meters: Self.meterColumns
      case .quarantine: Self.quarantineColumns
      case .gaps: Self.gapColumns
      case .readings: Self.readingColumns
      case .limits:
        ["participant", "session", "account", "kind", "limit", "operator", "administrator"]
      case .blocks: ["participant", "session", "account", "operator", "administrator"]
      case .trades: Self.tradeColumns
      case .changes: Self.changeColumns
      case .participants: ["participant", "name"]
      case .sessions:
        [
          "session", "participant", "roles", "connectedSince", "address", "lastMessage",
          "publicKey",
        ]
      case .areas:
        [
          "area", "code", "currency", "feedIn", "retail", "storageCost", "storagePrice", "loss",
          "defaultCap", "ownUse", "localFirst", "readingWindow", "mintedQuality",
        ]
      case .instruments:
        [
          "instrument", "area", "symbol", "state", "tick", "lot", "lowest", "highest", "makerFee",
          "takerFee",
        ]
      }
  }

  /// Adds a row of the list.
  mutating func add(_ event: ClientEvent) {
    switch event {
    case .orderStatus(let order, _): rows.append(Self.cells(order))
    case .balance(let balance, _): add(balance)
    case .agentSet(let agent, _): rows.append(Self.cells(agent))
    case .area(let area, _): rows.append(Self.cells(area))
    case .instrument(let listed, let state, _): rows.append(Self.cells(listed, state))
    case .listRow(let row, _): add(row)
    default: break
    }
  }

  private mutating func add(_ row: ListRow) {
    switch row {
    case .account(let number, let participant, let label, let isClosed):
      end()
      account = Owner(
        number: number, participant: participant,
        terms: [label == .empty ? .none : .text(label.text), .text(isClosed ? "closed" : "open")])
    case .cash(let number, let currency, let free, let reserved):
      let cash = [Cell.amount(free.decimal), .amount(reserved.decimal)]
      if account?.number == number {
        account?.cash.append((currency, cash))
      } else {
        end()
        rows.append([.text(Self.name(number)), .none, .none, .text(Self.name(currency))] + cash)
        rows[rows.count - 1] += [.none, .none, .none, .none]
      }
    case .meter(let meter): rows.append(Self.cells(meter))
    case .participant(let number, let name):
      rows.append([.number(UInt64(number.rawValue)), .text(name.text)])
    case .session(let session): rows.append(Self.cells(session))
    case .limit(let limit): rows.append(Self.cells(limit))
    case .block(let block): rows.append(Self.cells(block))
    case .trade(let trade): rows.append(Self.cells(trade))
    case .parameterChange(let change): changes.append((change.change.from, [Self.cells(change)]))
    case .meterChange(let change): changes.append((change.from, Self.rows(change)))
    case .quarantined(let listed): rows.append(Self.cells(listed))
    case .gap(let gap): rows.append(Self.cells(gap))
    case .reading(let listed): rows.append(Self.cells(listed))
    }
  }

  /// Adds a row of an account's energy, with the cash in the area's currency.
  private mutating func add(_ balance: Balance) {
    guard let owner = account, owner.number == balance.account else { return }
    account?.cash.removeAll { $0.0 == balance.currency }
    account?.hasRow = true
    let cells: [Cell] = [
      .number(UInt64(balance.account.rawValue)), .number(UInt64(owner.participant.rawValue)),
      .number(UInt64(balance.area.rawValue)), .text(Self.name(balance.currency)),
      .amount(balance.free.decimal), .amount(balance.reserved.decimal),
      .amount(balance.energy.kilowattHours), .amount(balance.cap.kilowattHours),
    ]
    rows.append(cells + owner.terms)
  }

  /// Ends the list: the rows of its last account, and announced changes in the order of their moments.
  mutating func end() {
    // Sorting is stable: changes of one moment stay in the order of the list.
    rows += changes.sorted { $0.from < $1.from }.flatMap(\.rows)
    changes = []
    guard let owner = account else { return }
    let head: [Cell] = [
      .number(UInt64(owner.number.rawValue)), .number(UInt64(owner.participant.rawValue)), .none,
    ]
    for (currency, cash) in owner.cash {
      rows.append(head + [.text(Self.name(currency))] + cash + [.none, .none] + owner.terms)
    }
    if owner.cash.isEmpty, !owner.hasRow {
      rows.append(head + [.none, .none, .none, .none, .none] + owner.terms)
    }
    account = nil
  }

  // MARK: Forms

  /// Columns side by side, with a head line.
  var text: String {
    let lines = [columns] + rows.map { $0.map(\.text) }
    let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    var text = ""
    for (index, line) in lines.enumerated() {
      var out = ""
      for (column, value) in line.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - value.count)
        out += (isRight(column, index) ? padding + value : value + padding) + "  "
      }
      while out.hasSuffix(" ") { out.removeLast() }
      text += out + "\n"
    }
    return text
  }

  private func isRight(_ column: Int, _ line: Int) -> Bool {
    let row = line == 0 ? rows.first : rows[line - 1]
    switch row?[column] {
    case .number, .amount: return true
    case .text, .none?, nil: return false
    }
  }

  /// Comma-separated values, with a head line.
  var csv: String {
    ([columns.joined(separator: ",")]
      + rows.map { $0.map(\.csv).joined(separator: ",") }).joined(separator: "\n") + "\n"
  }

  /// A JSON array of objects.
  var json: String {
    let objects = rows.map { row in
      "  {" + zip(columns, row).map { "\"\($0)\": \($1.json)" }.joined(separator: ", ") + "}"
    }
    return objects.isEmpty ? "[]\n" : "[\n" + objects.joined(separator: ",\n") + "\n]\n"
  }
}

// MARK: - Cells

extension ListTable {
  private static func cells(_ order: OrderReport) -> [Cell] {
    [
      .number(order.order.rawValue), .number(UInt64(order.account.rawValue)),
      .number(UInt64(order.instrument.rawValue)), .text("\(order.side)"),
      .amount(order.price.decimal), .amount(order.quantity.kilowattHours),
      .amount(order.leaves.kilowattHours), .amount(order.covered.kilowattHours),
      .number(order.clientOrderId.rawValue), .text("\(order.timeInForce)"),
    ]
  }

  private static func cells(_ agent: SetAgent) -> [Cell] {
    [
      .number(UInt64(agent.account.rawValue)), .number(UInt64(agent.instrument.rawValue)),
      agent.sells ? .amount(agent.sellPrice.decimal) : .none,
      agent.sells ? threshold(agent.sellAbove, "3/4 of the cap") : .none,
      agent.buys ? .amount(agent.buyPrice.decimal) : .none,
      agent.buys ? threshold(agent.buyBelow, "1/4 of the cap") : .none,
      agent.target < .zero ? .text("half the cap") : .amount(agent.target.kilowattHours),
    ]
  }

  private static func threshold(_ energy: Energy, _ usual: String) -> Cell {
    energy < .zero ? .text(usual) : .amount(energy.kilowattHours)
  }

  private static func cells(_ area: AreaState) -> [Cell] {
    let definition = area.definition
    return [
      .number(UInt64(definition.area.rawValue)), .text(definition.code.text),
      .text(name(definition.currency)), .amount(definition.feedInPrice.decimal),
      .amount(definition.retailPrice.decimal), .amount(definition.storageCost.decimal),
      .amount(definition.storagePrice.decimal), .amount(percent(definition.lossFactor)),
      .amount(area.defaultCap.kilowattHours), .number(UInt64(area.readings.ownUse)),
      .text(area.readings.isLocalFirst ? "on" : "off"),
      .number(UInt64(area.readings.readingWindow)), .text("\(area.readings.mintedQuality)"),
    ]
  }

  private static func cells(_ listed: CreateInstrument, _ state: InstrumentState) -> [Cell] {
    [
      .number(UInt64(listed.instrument.rawValue)), .number(UInt64(listed.area.rawValue)),
      .text(listed.symbol.text), .text("\(state)"), .amount(listed.tick.decimal),
      .amount(listed.lot.kilowattHours), .amount(listed.lowestPrice.decimal),
      .amount(listed.highestPrice.decimal), .amount(percent(listed.makerFee)),
      .amount(percent(listed.takerFee)),
    ]
  }

  /// A rate as `joulebook admin` takes it: "0.25%".
  private static func percent(_ rate: Rate) -> String {
    DecimalText.text(Int64(rate.partsPerMillion), places: 4) + "%"
  }

  private static func cells(_ session: ListedSession) -> [Cell] {
    let roles = Typed.names(of: session.roles).joined(separator: " ")
    let connection = session.connection
    return [
      .number(UInt64(session.session.rawValue)), .number(UInt64(session.participant.rawValue)),
      .text(roles.isEmpty ? "revoked" : roles),
      connection.map { .text($0.since.iso8601) } ?? .none,
      connection.map { .text($0.address) } ?? .none,
      connection.map { .text($0.lastMessage.iso8601) } ?? .none,
      .text(digits(session.key)),
    ]
  }

  /// The name of a house account: "fees of area 1"; the number of another.
  private static func name(_ account: AccountId) -> String {
    guard account.isHouse, let role = HouseRole(rawValue: UInt8(account.rawValue & 0xFF)) else {
      return "\(account.rawValue)"
    }
    return "\(role) of area \(account.rawValue >> 8 & 0xFFFF)"
  }

  private static func name(_ currency: Currency) -> String { currency.name }

  static func digits(_ key: PublicKey) -> String {
    [key.word0, key.word1, key.word2, key.word3].map { word in
      hexadecimal(word.byteSwapped)
    }.joined()
  }
}
