// Reads reports back from the journal when a session requests them and the gateway's cache no
// longer has them.
//
//     ask ─▶ questions ─▶ snapshot, replay ─▶ report numbering ─▶ requested reports ─▶ answers
//
// A replay assigns every report its original number, so report numbers need not be stored. The
// replay starts from the newest snapshot before the first requested report, or from command 1. One
// pass answers all queued queries and ends with the last requested report. The matching thread is
// not involved.

import ExchangeCore
import GatewayKit
import Journaling
import Logging
import MarketModel
import Rings
import Synchronization

/// Answers retransmission queries from the journal. `run` is the body of a thread; all other
/// methods may be called from any thread.
final class RetransmissionService: Service {
  /// Source and environment of the replay.
  struct Setting: Sendable {
    /// Path of the journal's directory.
    var journal: String
    /// File system that contains the journal.
    var disk: any Disk = SystemDisk()
    /// Capacity and settlement rules of the replayed exchange.
    var market: MarketState.Setting
    /// Tells how far the log can be read.
    var log: any CommitProgress
    /// Wakes the I/O thread when answers are ready.
    var wake: @Sendable () -> Void
    /// Protects the segments being read from removal.
    var retention: JournalRetention
  }

  /// Pause before a retry while old segments are being removed, ns.
  private static let pauseNanoseconds: UInt64 = 1_000_000

  /// A query with the reports that answer it, in order; `nil` if it cannot be answered.
  typealias Answer = (query: RetransmitQuery, reports: [PastReport]?)

  private let setting: Setting
  private let log: Logger
  private let queue: AnswerQueue<RetransmitQuery, Answer>
  private let failed = Atomic<UInt64>(0)
  /// Whether the journal could not be read for the last queries; the service's thread alone uses it.
  private let isAway = Atomic<Bool>(false)

  /// Number of queries not yet begun.
  var waiting: Int { queue.waiting }
  /// Number of queries since the start that could not be answered.
  var failures: UInt64 { failed.load(ordering: .relaxed) }

  let name = "retransmission"
  let priority = ServiceThread.Priority.background

  init(_ setting: Setting, log: Logger) {
    (self.setting, self.log) = (setting, log)
    queue = AnswerQueue(wake: setting.wake)
  }

  /// Queues a query. Its answer is returned by `takeAnswers` after a wake.
  func ask(_ query: RetransmitQuery) { queue.ask(query) }

  /// Whether answers are ready.
  var hasAnswered: Bool { queue.hasAnswered }

  /// Removes and returns the answers that are ready.
  func takeAnswers() -> [Answer] { queue.takeAnswers() }

  func end() { queue.end() }

  func run() {
    while !queue.isEnding {
      queue.awaitQuestion()
      if !work() { queue.pause(nanoseconds: Self.pauseNanoseconds) }
    }
  }

  /// Answers all queued queries.
  /// - Returns: `false` if old segments are being removed at the moment; call again later.
  @discardableResult func work() -> Bool {
    guard queue.isAsked else { return true }
    guard setting.retention.beginReports() else { return false }
    defer { setting.retention.endReports() }
    let answers = read(queue.takeQuestions())
    failed.add(UInt64(answers.count { $0.reports == nil }), ordering: .relaxed)
    queue.give(answers)
    return true
  }

  private func read(_ questions: [RetransmitQuery]) -> [Answer] {
    var sink = ReportSearch(questions)
    do throws(JournalError) {
      let bound = setting.log.durable
      let snapshot = try MarketState.newest(
        in: setting.journal, setting.market, disk: setting.disk, log: log
      ) { history in
        questions.allSatisfy { history.view.flows.flow(of: $0.session).isBefore($0) }
      }
      setting.retention.readReports(after: snapshot.sequence)
      var replay = try JournalReplay(
        sink.begin(snapshot), for: .reports, directory: setting.journal,
        verification: .checksums, disk: setting.disk)
      while !sink.isComplete, !queue.isEnding,
        try replay.step(through: bound, into: &sink) != nil
      {}
      if isAway.exchange(false, ordering: .relaxed) { log.notice("reports can be read again") }
    } catch {
      // Once, however often clients ask.
      if !isAway.exchange(true, ordering: .relaxed) {
        log.error("a retransmission cannot be read from the journal", metadata: error.fields)
      }
    }
    return sink.answers()
  }
}

/// Collects the requested reports from the events of a replay.
private struct ReportSearch: ~Copyable, CommandEventSink {
  private var view = DurableView()
  private var searches: [(query: RetransmitQuery, reports: [PastReport], next: UInt64)]
  private var open: Int
  private var time = Timestamp(nanoseconds: 0)

  init(_ queries: [RetransmitQuery]) {
    searches = queries.map { ($0, [], $0.from) }
    open = queries.count
  }

  /// Starts from a recovered state.
  /// - Returns: its exchange.
  mutating func begin(_ history: consuming MarketState) -> Exchange {
    view = history.view
    return history.exchange
  }

  /// Whether every requested report was found.
  var isComplete: Bool { open == 0 }

  mutating func begin(_ command: borrowing Command) { time = command.time }

  mutating func emit(_ event: Event) {
    withUnsafePointer(to: event) {
      for report in view.number($0) { take(report, event) }
    }
  }

  private mutating func take(_ report: Report, _ event: Event) {
    for index in searches.indices {
      let query = searches[index].query
      let end = query.from + UInt64(query.count)
      guard query.session == report.session, query.version == report.version,
        report.number == searches[index].next, report.number < end
      else { continue }
      searches[index].reports.append(PastReport(report, event, time))
      searches[index].next += 1
      if searches[index].next == end { open -= 1 }
    }
  }

  /// The result per query: all of its reports, or `nil` if any is missing.
  func answers() -> [RetransmissionService.Answer] {
    searches.map {
      ($0.query, $0.next == $0.query.from + UInt64($0.query.count) ? $0.reports : nil)
    }
  }
}

extension ReportFlow {
  /// Whether this flow, of an earlier state, ends before the first report of `query`. A query is of
  /// the newest flow; another version is an earlier one, which is higher if it was reset since.
  fileprivate func isBefore(_ query: RetransmitQuery) -> Bool {
    version != query.version || last < query.from
  }
}
