// What became of the readings of one interval: each version with its effect in words, rejects that went to
// quarantine, and decisions.

import ArgumentParser
import ExchangeCore
import JoulebookServer
import MarketFile
import MarketModel
import Settlement

extension JournalCommand {
  /// `joulebook journal reading`.
  struct Reading: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Explains what became of a meter's readings of one interval.",
      discussion: """
        Replays the journal and prints, in words, each reading and each later version whose interval \
        contains the moment, what it booked at which prices, and what went to quarantine and was \
        decided. Energy is in kWh.

          joulebook journal reading my-exchange --meter 17 --at 2026-06-01T10:00:00Z

        Exit code 66 when there is none.
        """)
    @Argument(
      help: "Data folder; joulebook-data unless given.", completion: .directory,
      transform: folderName) var data = "joulebook-data"
    @Option(name: .long, help: "Meter number.") var meter: UInt32
    @Option(
      name: .long, help: "A moment of the interval, UTC unless it has an offset.",
      transform: Typed.time)
    var at: Timestamp

    func run() throws {
      let teller = ReadingTeller(MeterId(meter), at)
      let replay = try Replay.replay(dataFolder(data), observer: teller)
      if replay.begin > .none {
        printError(
          "joulebook: what was before command \(replay.begin.rawValue) was removed from the journal"
        )
      }
      guard !teller.lines.isEmpty else {
        throw Failure.noInput.exit("meter \(meter) has no reading of \(at.iso8601)")
      }
      print(teller.lines.joined(separator: "\n"))
    }
  }
}

/// Collects what happens to the readings of one meter whose interval contains a moment.
final class ReadingTeller: ReplayObserver {
  private let meter: MeterId
  private let moment: Timestamp
  /// Numbers of readings in quarantine.
  private var quarantined: Set<UInt64> = []
  /// One line for each thing that happened.
  private(set) var lines: [String] = []

  init(_ meter: MeterId, _ moment: Timestamp) { (self.meter, self.moment) = (meter, moment) }

  func begin(_ exchange: borrowing Exchange) {}

  func end(
    _ exchange: borrowing Exchange, areas: [CreateArea], instruments: [CreateInstrument]
  ) {}

  func take(_ command: borrowing Command, _ events: UnsafeBufferPointer<Event>) {
    let place = "\(command.time.iso8601) command \(command.sequence.rawValue)"
    let body = command.body
    for event in events {
      if let words = words(event) ?? rejected(event, body) { lines.append("\(place): \(words)") }
    }
  }

  private func rejected(_ event: Event, _ body: Command.Body) -> String? {
    guard case .meterReading(let reading) = body, isMeant(reading),
      case .rejected(let rejected) = event
    else { return nil }
    return "reading \(reading.registerSequence) rejected: \(rejected.code.rawValue) "
      + (rejected.code.entry?.name ?? "")
  }

  private func isMeant(_ reading: MeterReading) -> Bool {
    reading.meter == meter && reading.intervalStart <= moment && moment < reading.intervalEnd
  }

  private func words(_ event: Event) -> String? {
    switch event {
    case .metered(let metered) where isMeant(metered.reading): Self.words(metered)
    case .metering(.corrected(let corrected)) where isMeant(corrected.reading):
      Self.words(corrected)
    case .metering(.quarantined(let row)) where isMeant(row.reading): note(row)
    case .metering(.readingDecided(let done)) where quarantined.contains(done.decision.number):
      "number \(done.decision.number) in quarantine was "
        + (done.decision.releases ? "released" : "refused")
    default: nil
    }
  }

  private func note(_ row: Quarantined) -> String {
    quarantined.insert(row.number)
    return "reading \(row.reading.registerSequence) is number \(row.number) in quarantine"
  }

  private static func head(_ reading: MeterReading) -> String {
    "reading \(reading.registerSequence) (\(reading.quality)) of \(reading.intervalStart.iso8601) to "
      + "\(reading.intervalEnd.iso8601), produced \(reading.produced.kilowattHours), consumed "
      + reading.consumed.kilowattHours
  }

  private static func words(_ metered: Metered) -> String {
    var words = "\(head(metered.reading)), for account \(metered.account.rawValue)"
    if !metered.countsProduction { words += "; its production does not count" }
    words += part("used at once", metered.own) + part("lost", metered.lost)
    words += part("exported", metered.exported, metered.exportRevenue)
    words += part("from the balance", metered.burned)
    words += part("bought locally", metered.boughtLocally, metered.localCost)
    words += part("imported", metered.imported, metered.importCost)
    return words
  }

  private static func words(_ corrected: Corrected) -> String {
    var words =
      "\(head(corrected.reading)), corrects reading \(corrected.previousSequence) of account "
      + "\(corrected.account.rawValue) at feed-in \(corrected.feedInPrice.decimal) and retail "
      + corrected.retailPrice.decimal
    if !corrected.countsProduction { words += "; its production does not count" }
    let (feedIn, retail) = (corrected.feedInPrice, corrected.retailPrice)
    words += part("exports back", corrected.exportsBack, corrected.exportsBack.cost(at: feedIn))
    words += part("imports back", corrected.importsBack, corrected.importsBack.cost(at: retail))
    words += part("exported", corrected.exported, corrected.exported.cost(at: feedIn))
    words += part("imported", corrected.imported, corrected.imported.cost(at: retail))
    return words
  }

  private static func part(_ name: String, _ energy: Energy, _ money: Money? = nil) -> String {
    if energy == .zero { return "" }
    return "; \(name) \(energy.kilowattHours)" + (money.map { " for \($0.decimal)" } ?? "")
  }
}
