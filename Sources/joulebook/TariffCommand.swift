// From a tariff file to announced changes of an area's prices. The exchange knows UTC and single changes
// only; this command expands the table of the tariff's time zone and keeps the horizon filled.

import ArgumentParser
import Foundation
import JoulebookClient
import JoulebookServer
import MarketFile
import MarketModel
import Settlement

/// `joulebook tariff`.
struct TariffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tariff",
    abstract: "Expands a tariff's time-of-use table into dated changes of prices.",
    discussion: """
      A tariff file (YAML) has the prices of an area by kind of day and time of day in its own time \
      zone; docs/TARIFFS.md explains it. Without --apply the command prints the changes from --from \
      to --to, with local time and UTC, and asks no server. With --apply it announces those to a \
      running server that are not announced yet, so it can be run every day; a market takes \
      \(Self.mostAnnounced) announced changes in all.

        joulebook tariff village-tariff.yaml
        joulebook tariff village-tariff.yaml --from 2026-10-24T22:00:00Z --to 2026-10-26
        joulebook tariff village-tariff.yaml --apply --data my-exchange

      Exit code 70 when other prices are announced for the same time; --replace withdraws them.
      """)

  /// How many changes may be announced in a market (market rules 2, "Parameters").
  static let mostAnnounced = 1_024
  /// The span of changes without --to.
  private static let usualSpan: UInt64 = 45 * 86_400 * 1_000_000_000

  @Argument(help: "Tariff file (YAML).", completion: .file()) var file: String
  @Option(
    name: .long, help: "Begin, UTC unless it has an offset; now unless given.",
    transform: Typed.time)
  var from: Timestamp?
  @Option(
    name: .long, help: "End, UTC unless it has an offset; 45 days after the begin unless given.",
    transform: Typed.time)
  var to: Timestamp?
  @Flag(name: .long, help: "Announce what is not announced yet to a running server.")
  var apply = false
  @Flag(
    name: .long, help: "With --apply, withdraw prices that are announced and not in the tariff.")
  var replace = false
  @Option(
    name: .long, help: "With --apply, the most changes that are announced in the market afterwards."
  )
  var most = 512
  @OptionGroup var server: OperatorConnection

  func validate() throws {
    if let from, let to, to <= from { throw ValidationError("--to is not after --from.") }
    if replace, !apply { throw ValidationError("--replace goes with --apply.") }
    guard (1...Self.mostAnnounced).contains(most) else {
      throw ValidationError("--most is from 1 to \(Self.mostAnnounced).")
    }
  }

  func run() throws {
    let tariff = try Self.read(file)
    let now =
      apply
      ? try server.marketTime()
      : Timestamp(nanoseconds: UInt64(Date().timeIntervalSince1970) * 1_000_000_000)
    let begin = from ?? now
    let end = to ?? Timestamp(nanoseconds: begin.nanoseconds + Self.usualSpan)
    guard begin < end else { throw Failure.usage.exit("--to \(end.iso8601) has passed") }
    let plan = TariffPlan(tariff, span: begin..<end, now: now)
    guard !plan.changes.isEmpty else {
      throw Failure.noInput.exit(
        "the tariff has no prices from \(begin.iso8601) to \(end.iso8601)")
    }
    if apply { try announce(plan) } else { print(plan.table) }
  }

  /// Reads a tariff file.
  /// - Throws: Exit code 78 after printing all its faults, 66 when it is missing.
  static func read(_ file: String) throws -> Tariff {
    guard let text = FileManager.default.contents(atPath: file) else {
      throw Failure.noInput.exit("\(file) does not exist; name a tariff file")
    }
    do throws(MarketFileError) {
      return try Tariff(yaml: String(decoding: text, as: UTF8.self), name: file)
    } catch {
      throw Failure.configuration.exit("\(error)")
    }
  }

  /// Announces what is missing, in the order of time.
  private func announce(_ plan: TariffPlan) throws {
    var listed = try announced()
    let strangers = listed.filter { plan.contradicts($0.change) }
    if !strangers.isEmpty {
      for stranger in strangers {
        let change = stranger.change
        printError(
          "joulebook: announced and not in the tariff: \(change.parameter) \(change.valueText) from "
            + change.from.iso8601)
      }
      guard replace else {
        throw Failure.checkFailed.exit(
          "nothing was sent; --replace withdraws these, `joulebook admin withdraw-change` one by one"
        )
      }
      try server.execute(
        strangers.map { stranger in
          .reference(
            .withdrawParameter(
              WithdrawParameter(
                subject: .area, number: stranger.change.number,
                parameter: stranger.change.parameter, from: stranger.change.from)))
        })
      listed = try announced()
    }
    let (commands, filled) = plan.missing(
      besides: listed.map(\.change), room: max(0, most - listed.count))
    if !commands.isEmpty {
      try server.execute(commands.map { .reference(.setParameter($0)) })
    }
    print("\(commands.count) changes announced, \(listed.count + commands.count) in all")
    print("prices are announced up to \(filled.iso8601); run it again before")
    try warn(plan, try announced())
  }

  private func announced() throws -> [ListedParameterChange] {
    try server.announcedChanges().compactMap { row in
      if case .parameterChange(let listed) = row { listed } else { nil }
    }
  }

  /// Says where the present prices are not the tariff's, and what would be rejected.
  private func warn(_ plan: TariffPlan, _ listed: [ListedParameterChange]) throws {
    let own = listed.filter { plan.concerns($0.change) }
    let area = plan.tariff.area.rawValue
    if let rate = plan.tariff.rate(at: plan.now) {
      let isOther = own.contains { listed in
        listed.present
          != (listed.change.parameter == .retailPrice ? rate.retail : rate.feedIn).ticks
      }
      if isOther {
        printError(
          "joulebook: the prices in force are not the tariff's of now; `joulebook admin tariff \(area) "
            + "--feed-in \(rate.feedIn.decimal) --retail \(rate.retail.decimal)` sets them")
      }
    }
    for listed in own where !listed.fits {
      printError(
        "joulebook: \(listed.change.parameter) \(listed.change.valueText) would be rejected at "
          + "\(listed.change.from.iso8601); see `joulebook admin list changes`")
    }
  }
}

/// The changes of a tariff in a span of time.
struct TariffPlan {
  let tariff: Tariff
  let span: Range<Timestamp>
  let now: Timestamp
  /// The first one says what holds at the begin.
  let changes: [TariffChange]

  /// The plan of `span`; what begins at `now` or before is not announced.
  init(_ tariff: Tariff, span: Range<Timestamp>, now: Timestamp) {
    (self.tariff, self.span, self.now) = (tariff, span, now)
    changes = tariff.changes(in: span)
  }

  /// The table of the changes: local time, UTC, rate and prices.
  var table: String {
    var rows = [["local", "UTC", "rate", "feed-in", "retail", "network"]]
    for change in changes {
      let rate = change.rate
      rows.append([
        change.local, change.from.iso8601, rate.name, rate.feedIn.decimal, rate.retail.decimal,
        rate.network.decimal,
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = rows.map { row in
      row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column < 3 ? row[column] + space : space + row[column]
      }.joined(separator: "  ")
    }
    lines.append("")
    lines.append(
      "area \(tariff.area.rawValue), \(tariff.zone.identifier): \(changes.count - 1) changes; --apply "
        + "announces them")
    if let expires = tariff.expires, expires <= span.upperBound {
      lines.append("the tariff ends at \(expires.iso8601); the prices then stay as they are")
    }
    return lines.joined(separator: "\n")
  }

  /// Whether an announced change is of the area's prices, in this span.
  func concerns(_ change: SetParameter) -> Bool {
    change.subject == .area && change.number == UInt32(tariff.area.rawValue)
      && (change.parameter == .retailPrice || change.parameter == .feedInPrice)
      && span.contains(change.from)
  }

  /// Whether an announced change is of the area's prices, in this span, and not what the tariff says.
  func contradicts(_ change: SetParameter) -> Bool {
    guard concerns(change), let rate = tariff.rate(at: change.from) else { return false }
    return change.value != (change.parameter == .retailPrice ? rate.retail : rate.feedIn).ticks
  }

  /// The commands that are not announced yet, in the order of time, as many as there is room for; both
  /// prices of a moment, or none.
  /// - Returns: The commands, and the moment up to which prices are then announced.
  func missing(
    besides announced: [SetParameter], room: Int
  ) -> (commands: [SetParameter], filled: Timestamp) {
    let known = Set(announced.filter(concerns).map { Moment($0) })
    var commands: [SetParameter] = []
    var before: Tariff.Rate?
    for change in changes {
      defer { before = change.rate }
      if change.from <= now { continue }
      let prices: [(Parameter, Price, Price?)] = [
        (.retailPrice, change.rate.retail, before?.retail),
        (.feedInPrice, change.rate.feedIn, before?.feedIn),
      ]
      let due = prices.filter { $0.1 != $0.2 }.map { parameter, price, _ in
        SetParameter(
          subject: .area, number: UInt32(tariff.area.rawValue), parameter: parameter,
          value: price.ticks, from: change.from)
      }.filter { !known.contains(Moment($0)) }
      guard commands.count + due.count <= room else { return (commands, change.from) }
      commands += due
    }
    return (commands, min(span.upperBound, tariff.expires ?? span.upperBound))
  }

  /// A parameter and the moment of its change.
  private struct Moment: Hashable {
    var parameter: Parameter
    var from: Timestamp
    init(_ change: SetParameter) { (parameter, from) = (change.parameter, change.from) }
  }
}

extension Tariff {
  /// What a bill for `span` shows of the tariff.
  func terms(in span: Range<Timestamp>) -> BillTerms {
    BillTerms(
      area: area, networkPrice: { self.rate(at: $0)?.network },
      charges: charges(in: span).map { found in
        BillTerms.Charge(
          name: found.charge.name, quantity: found.days == 1 ? "1 day" : "\(found.days) days",
          units: found.units)
      })
  }
}
