import ArgumentParser
import Community
import Foundation
import JoulebookServer
import MarketFile
import MarketModel
import Settlement

/// `joulebook report`.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes a report on the market of a data folder, as a web page.",
    discussion: """
      Replays the journal and compares the ledger with it. The page has prices, books, energy and \
      accounts of every area, and the results of the checks. It needs nothing from outside and has no \
      names of persons. Nothing in the folder is changed, and a server may be running: the journal is \
      read up to its present end.

        joulebook report my-exchange
        joulebook report my-exchange --from 2026-06-01 --to 2026-07-01 --out june.html

      The period includes --from and excludes --to; times are in UTC unless they have an offset. Exit \
      code 70 when a check fails; the page then shows which. Exit code 66 when nothing happened in \
      the period; no page is written.
      """)

  @Argument(
    help: "Data folder; joulebook-data unless given.", completion: .directory, transform: folderName
  )
  var data = "joulebook-data"
  @Option(
    name: .long, help: "Begin of the period; the first order unless given.", transform: Typed.time)
  var from: Timestamp?
  @Option(
    name: .long, help: "End of the period; the journal's end unless given.", transform: Typed.time)
  var to: Timestamp?
  @Option(name: .long, help: "Output file (HTML).", transform: newFileName)
  var out = "report.html"

  func validate() throws {
    if let from, let to, to <= from { throw ValidationError("--to is not after --from.") }
  }

  func run() throws {
    let folder = try dataFolder(data)
    let recorder = MarketRecorder(period: (from ?? Timestamp(nanoseconds: 0))..<(to ?? .never))
    let ledger = try LedgerComparison.read(folder)
    let replay = try Replay.replay(folder, against: ledger, observer: recorder)
    var notes = ["Computed from the journal up to command \(replay.lastSequence.rawValue)."]
    if replay.begin > .none {
      notes.append(
        "The commands up to \(replay.begin.rawValue) were removed from the journal, and are not in "
          + "this report; what they left is known from a snapshot.")
    }
    if !replay.refused.isEmpty {
      notes.append("An operator refused \(replay.refused.count) commands, which were skipped.")
    }
    let title = URL(fileURLWithPath: data).standardizedFileURL.lastPathComponent
    let page = MarketPage(
      recorder.result, name: title, proofs: Self.proofs(replay, ledger), notes: notes)
    if recorder.result.first == nil, page.isProven {
      throw Failure.noInput.exit("nothing to report: \(Self.emptiness(recorder, of: data))")
    }
    do {
      try Data(page.html.utf8).write(to: URL(filePath: out))
    } catch {
      throw Failure.io.exit("\(out) cannot be written: \(DataFolder.reason(error))")
    }
    for proof in page.allProofs {
      print("\(proof.holds ? "✓" : "✗") \(proof.claim): \(proof.evidence)")
    }
    print("report: \(out)")
    guard page.isProven else { throw Failure.checkFailed.exit("a check above failed") }
  }

  /// Why there is nothing in the period, and when there is something.
  private static func emptiness(_ recorder: MarketRecorder, of data: String) -> String {
    guard let span = recorder.span else { return "the journal of \(data) has no commands" }
    return "no order, trade, meter reading or payment is in the period; the commands of \(data) "
      + "are of \(span.first.iso8601) to \(span.last.iso8601) (--from, --to)"
  }

  /// What the replay says of journal and ledger.
  private static func proofs(
    _ replay: ReplayReport, _ ledger: LedgerComparison
  ) -> [DemoResult.Proof] {
    let journal = DemoResult.Proof(
      claim: "The journal is whole",
      evidence: replay.mismatch.map {
        "the replay differs at the checkpoint of command \($0.rawValue)"
      }
        ?? "the hash chain of its segments is valid, and the replay agrees with every checkpoint",
      holds: replay.mismatch == nil)
    return [journal, ledger.proof(replay)]
  }
}

extension LedgerComparison {
  /// Whether the ledger agrees with the journal, as a sentence of a report. Later batches, which a
  /// server may be settling, are no fault.
  func proof(_ replay: ReplayReport) -> DemoResult.Proof {
    let claim = "The ledger agrees with the journal"
    if replay.begin > head.last {
      return DemoResult.Proof(
        claim: claim,
        evidence: "not compared: the ledger ends with command \(head.last.rawValue), before the "
          + "oldest command of the journal", holds: false)
    }
    if let verdict = replay.batches?.verdict {
      return DemoResult.Proof(claim: claim, evidence: verdict, holds: false)
    }
    guard head.batch > 0 else {
      return DemoResult.Proof(
        claim: claim, evidence: "the ledger has no batch yet", holds: true)
    }
    let different = differences(from: replay).count
    let missing = replay.batches?.missing.map { "; \($0.count) later ones are not in it yet" }
    let batches = head.batch == 1 ? "1 batch agrees" : "\(head.batch) batches agree"
    return DemoResult.Proof(
      claim: claim,
      evidence: "\(replay.holdings.count) balances compared after command \(head.last.rawValue), "
        + "\(different) differ; \(batches)\(missing ?? "")",
      holds: different == 0)
  }
}
