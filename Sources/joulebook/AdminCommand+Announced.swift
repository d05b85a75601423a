import ArgumentParser
import JoulebookClient
import JoulebookServer
import MarketFile
import MarketModel

extension AdminCommand {
  /// `joulebook admin withdraw-change`.
  struct WithdrawChange: ParsableCommand {
    /// What an announced change is of.
    enum Subject: String, CaseIterable, ExpressibleByArgument {
      case area, instrument, meter
    }

    static let configuration = CommandConfiguration(
      commandName: "withdraw-change",
      abstract: "Withdraws announced changes before they take effect.",
      discussion: """
        Of an area or an instrument: the changes of one parameter, all of them or those of one \
        moment. Of a meter: its change; it stays with account, area and key as they are. What is \
        announced: joulebook admin list changes.

          joulebook admin withdraw-change area 1 retail
          joulebook admin withdraw-change instrument 1 highest --from 2026-06-01T22:00:00Z
          joulebook admin withdraw-change meter 100
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "area, instrument or meter.") var subject: Subject
    @Argument(help: "Its number.") var number: UInt32
    @Argument(help: "Name of the parameter; none of a meter.")
    var parameter: SetParameterOf.Choice?
    @Option(
      name: .long, help: "Only the changes announced for this moment, UTC; without it, all.",
      transform: Typed.time)
    var from: Timestamp?

    func validate() throws {
      if subject == .meter {
        if parameter != nil {
          throw ValidationError("a meter has no parameters; name only the meter")
        }
        if from != nil {
          throw ValidationError("a meter has one announced change at most; leave --from out")
        }
        return
      }
      guard let parameter else {
        throw ValidationError("name the parameter whose announced changes are withdrawn")
      }
      if parameter.parameter.subject != parameterSubject {
        throw ValidationError("\(parameter.rawValue) is no parameter of an \(subject.rawValue)")
      }
    }

    private var parameterSubject: ParameterSubject { subject == .area ? .area : .instrument }

    func run() throws {
      guard let parameter else { return try withdrawMeter() }
      try server.execute { client throws(ClientError) in
        try client.submit(
          .reference(
            .withdrawParameter(
              WithdrawParameter(
                subject: parameterSubject, number: number, parameter: parameter.parameter,
                from: from ?? .never))))
      }
    }

    /// Registers the meter with what it has before the change, which supersedes the change.
    private func withdrawMeter() throws {
      guard let found = try server.announcedChange(ofMeter: number) else {
        throw Failure.refused.exit("no change of meter \(number) is announced")
      }
      if found.account == .null {
        throw Failure.refused.exit(
          "meter \(number) is new and begins at \(found.from.iso8601): `joulebook admin meter "
            + "\(number) --account 0` ends it, and with another --from it begins at another moment")
      }
      let known = try server.listedMeter(number)
      try server.execute { client throws(ClientError) in
        try client.submit(
          .reference(
            .registerMeter(
              RegisterMeter(
                meter: found.meter, account: found.account, area: found.area,
                publicKey: found.key, ownReadings: found.ownReadings,
                attestation: known?.attestation ?? .device,
                technology: known?.technology ?? .unknown))))
      }
    }
  }
}

extension OperatorConnection {
  /// The announced changes.
  /// - Throws: An exit code, after printing the error on standard error.
  func announcedChanges() throws -> [ListRow] {
    var rows: [ListRow] = []
    try converse { client throws(ClientError) in
      try client.readList(.changes, scope: .all) { event in
        if case .listRow(let row, _) = event { rows.append(row) }
      }
    }
    return rows
  }

  /// A registered meter as it is now; `nil` when there is none.
  /// - Throws: An exit code, after printing the error on standard error.
  func listedMeter(_ number: UInt32) throws -> ListedMeter? {
    var found: ListedMeter?
    try converse { client throws(ClientError) in
      try client.readList(.meters, scope: .all, meter: MeterId(number)) { event in
        if case .listRow(.meter(let meter), _) = event { found = meter }
      }
    }
    return found
  }

  /// The announced change of a meter, or the beginning of a new one; `nil` when there is none.
  /// - Throws: An exit code, after printing the error on standard error.
  func announcedChange(ofMeter number: UInt32) throws -> ListedMeterChange? {
    for case .meterChange(let change) in try announcedChanges()
    where change.meter.rawValue == number {
      return change
    }
    return nil
  }

  /// Announces a change of a subject with `send`, and prints on standard error which announced changes
  /// of the subject would be rejected at their moments because of it.
  func announcing(
    _ subject: ParameterSubject, _ number: UInt32, _ send: () throws -> Void
  ) throws {
    let before = try failingChanges(subject, number)
    try send()
    for listed in try failingChanges(subject, number) where !before.contains(listed) {
      printError(
        "joulebook: \(subject) \(number): \(listed.change.parameter) "
          + "\(listed.change.valueText) would be rejected at \(listed.change.from.iso8601), as it "
          + "does not fit what else holds then; see `joulebook admin list changes`")
    }
  }

  private func failingChanges(
    _ subject: ParameterSubject, _ number: UInt32
  ) throws -> [ListedParameterChange] {
    try announcedChanges().compactMap { row in
      guard case .parameterChange(let listed) = row, !listed.fits,
        listed.change.subject == subject, listed.change.number == number
      else { return nil }
      return listed
    }
  }
}

extension ListTable {
  /// The columns of announced changes.
  static let changeColumns = [
    "from", "what", "number", "parameter", "present", "new", "unit", "fits",
  ]

  /// A row of an announced change of a parameter.
  static func cells(_ listed: ListedParameterChange) -> [Cell] {
    let change = listed.change
    return [
      .text(change.from.iso8601), .text("\(change.subject)"), .number(UInt64(change.number)),
      .text("\(change.parameter)"), .amount(change.text(of: listed.present)),
      .amount(change.valueText), .text(change.unitText), .text(listed.fits ? "yes" : "no"),
    ]
  }

  /// Rows of an announced change of a meter, one for each thing that changes.
  static func rows(_ change: ListedMeterChange) -> [[Cell]] {
    func row(_ what: String, _ present: Cell, _ new: Cell) -> [Cell] {
      [
        .text(change.from.iso8601), .text("meter"), .number(UInt64(change.meter.rawValue)),
        .text(what), present, new, .none, .text("yes"),
      ]
    }
    func name(_ flag: Bool) -> Cell { .text(flag ? "yes" : "no") }
    let (isNew, isEnd) = (change.account == .null, change.newAccount == .null)
    var rows: [[Cell]] = []
    if change.account != change.newAccount {
      rows.append(
        row(
          "account", isNew ? .text("none") : .number(UInt64(change.account.rawValue)),
          isEnd ? .text("ends") : .number(UInt64(change.newAccount.rawValue))))
    }
    if isNew || isEnd { return rows }
    if change.area != change.newArea {
      rows.append(
        row(
          "area", .number(UInt64(change.area.rawValue)), .number(UInt64(change.newArea.rawValue))))
    }
    if change.key != change.newKey {
      rows.append(row("publicKey", .text(digits(change.key)), .text(digits(change.newKey))))
    }
    if change.ownReadings != change.newOwnReadings {
      rows.append(row("ownReadings", name(change.ownReadings), name(change.newOwnReadings)))
    }
    return rows
  }
}
