// Reports from the journal: what a session asks for again and the gateway no longer keeps.
//
//     ask ─▶ questions ─▶ snapshot, replay ─▶ the same numbering ─▶ reports asked for ─▶ answers
//
// A replay gives a session's reports the numbers that they had, so nothing about them is stored. It begins
// with the newest snapshot before the first report asked for, or with command 1. All
// questions that wait are answered by one pass, which ends with the last report asked for. The exchange
// thread is never held up.

import ExchangeCore
import GatewayKit
import Journaling
import Logging
import MarketModel
import Rings
import Synchronization

/// Reads reports again. `run` is the body of a thread; everything else may be called by any.
final class RetransmissionService: Service {
  /// What it reads.
  struct Setting: Sendable {
    /// The journal's directory.
    var journal: String
    /// Where it is.
    var disk: any Disk = SystemDisk()
    /// What its history is made with.
    var market: MarketState.Setting
    /// How far the log is that it reads.
    var log: any CommitProgress
    /// Wakes the I/O thread.
    var wake: @Sendable () -> Void
    /// Keeps what it reads from being removed.
    var retention: JournalRetention
  }

  /// How long it waits while old segments are being removed.
  private static let pauseNanoseconds: UInt64 = 1_000_000

  /// A question, and the reports that answer it, in order; `nil`: it cannot be answered.
  typealias Answer = (query: RetransmitQuery, reports: [PastReport]?)

  private struct State {
    var questions: [RetransmitQuery] = []
    var answers: [Answer] = []
  }

  private let setting: Setting
  private let log: Logger
  private let state = Mutex(State())
  private let bell = Doorbell()
  private let hasQuestions = Atomic<Bool>(false)
  private let hasAnswers = Atomic<Bool>(false)
  private let isEnding = Atomic<Bool>(false)
  private let failed = Atomic<UInt64>(0)

  /// Questions that nobody has begun to answer.
  var waiting: Int { state.withLock { $0.questions.count } }
  /// Questions since the start that could not be answered.
  var failures: UInt64 { failed.load(ordering: .relaxed) }

  let name = "retransmission"

  init(_ setting: Setting, log: Logger) { (self.setting, self.log) = (setting, log) }

  /// Takes a question; its answer comes with `takeAnswers`, after a wake.
  func ask(_ query: RetransmitQuery) {
    state.withLock { $0.questions.append(query) }
    hasQuestions.store(true, ordering: .releasing)
    bell.ring()
  }

  /// Whether there are answers to take.
  var hasAnswered: Bool { hasAnswers.load(ordering: .relaxed) }

  /// What was answered since the last call.
  func takeAnswers() -> [Answer] {
    // Pairs with the release in `work`; the lock orders the answers themselves.
    guard hasAnswers.exchange(false, ordering: .acquiring) else { return [] }
    return state.withLock { state in
      defer { state.answers = [] }
      return state.answers
    }
  }

  func end() {
    isEnding.store(true, ordering: .releasing)
    bell.ring()
  }

  func run() {
    while !isEnding.load(ordering: .acquiring) {
      _ = bell.wait {
        hasQuestions.load(ordering: .acquiring) || isEnding.load(ordering: .acquiring)
      }
      if !work() {
        _ = bell.wait(timeoutNanoseconds: Self.pauseNanoseconds) {
          isEnding.load(ordering: .acquiring)
        }
      }
    }
  }

  /// Answers what was asked.
  /// - Returns: `false` when old segments are being removed just now.
  @discardableResult func work() -> Bool {
    guard hasQuestions.load(ordering: .acquiring) else { return true }
    guard setting.retention.beginReports() else { return false }
    defer { setting.retention.endReports() }
    hasQuestions.store(false, ordering: .sequentiallyConsistent)
    let questions = state.withLock { state in
      defer { state.questions = [] }
      return state.questions
    }
    let answers = read(questions)
    failed.add(UInt64(answers.count { $0.reports == nil }), ordering: .relaxed)
    state.withLock { $0.answers += answers }
    hasAnswers.store(true, ordering: .releasing)
    setting.wake()
    return true
  }

  private func read(_ questions: [RetransmitQuery]) -> [Answer] {
    var sink = HistorySearch(questions)
    do throws(JournalError) {
      let bound = setting.log.durable
      let snapshot = try MarketState.newest(
        in: setting.journal, setting.market, disk: setting.disk, log: log
      ) { history in
        questions.allSatisfy { history.view.flows.flow(of: $0.session).isBefore($0) }
      }
      setting.retention.readReports(behind: snapshot.sequence)
      var replay = try JournalReplay(
        sink.begin(snapshot), for: .reports, directory: setting.journal,
        verification: .checksums, disk: setting.disk)
      while !sink.isComplete, !isEnding.load(ordering: .relaxed),
        try replay.step(through: bound, into: &sink) != nil
      {}
    } catch {
      log.error("a retransmission cannot be read from the journal", metadata: error.fields)
    }
    return sink.answers()
  }
}

/// Collects the reports asked for from the events of a replay.
private struct HistorySearch: ~Copyable, CommandEventSink {
  private var view = DurableView()
  private var searches: [(query: RetransmitQuery, reports: [PastReport], next: UInt64)]
  private var open: Int
  private var time = Timestamp(nanoseconds: 0)

  init(_ queries: [RetransmitQuery]) {
    searches = queries.map { ($0, [], $0.from) }
    open = queries.count
  }

  /// Goes on behind a history.
  /// - Returns: its exchange.
  mutating func begin(_ history: consuming MarketState) -> Exchange {
    view = history.view
    return history.exchange
  }

  /// Whether every report asked for was found.
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

  /// What was found; of a question that was not answered in full, nothing.
  func answers() -> [RetransmissionService.Answer] {
    searches.map {
      ($0.query, $0.next == $0.query.from + UInt64($0.query.count) ? $0.reports : nil)
    }
  }
}

extension ReportFlow {
  /// Whether everything that `query` asks for came later.
  fileprivate func isBefore(_ query: RetransmitQuery) -> Bool {
    version < query.version || (version == query.version && last < query.from)
  }
}
