// Questions from the I/O thread to a service's thread, and its answers back:
//
//     ask ─▶ questions ─▶ takeQuestions ─▶ the service ─▶ give ─▶ answers ─▶ takeAnswers

import Rings
import Synchronization

/// The questions that a service has not begun, and its answers that nobody has taken. All methods
/// may be called from any thread; the service's thread alone waits and takes questions.
final class AnswerQueue<Question: Sendable, Answer: Sendable>: Sendable {
  private struct State {
    var questions: [Question] = []
    var answers: [Answer] = []
  }

  private let wake: @Sendable () -> Void
  private let state = Mutex(State())
  private let doorbell = Doorbell()
  private let hasQuestions = Atomic<Bool>(false)
  private let hasAnswers = Atomic<Bool>(false)
  private let ending = Atomic<Bool>(false)

  /// - Parameter wake: Wakes the I/O thread when answers are ready.
  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  /// Queues a question. Its answer is returned by `takeAnswers` after a wake.
  func ask(_ question: Question) {
    state.withLock { $0.questions.append(question) }
    hasQuestions.store(true, ordering: .releasing)
    doorbell.ring()
  }

  /// Whether answers are ready.
  var hasAnswered: Bool { hasAnswers.load(ordering: .relaxed) }

  /// Removes and returns the answers that are ready, in the order in which they were given.
  func takeAnswers() -> [Answer] {
    // Pairs with the release in `give`; the lock orders the answers.
    guard hasAnswers.exchange(false, ordering: .acquiring) else { return [] }
    return state.withLock { state in
      defer { state.answers = [] }
      return state.answers
    }
  }

  /// Ends the service: its thread no longer waits.
  func end() {
    ending.store(true, ordering: .releasing)
    doorbell.ring()
  }

  // MARK: For the service's thread

  /// Number of questions not yet begun.
  var waiting: Int { state.withLock { $0.questions.count } }

  /// Whether the service ends.
  var isEnding: Bool { ending.load(ordering: .acquiring) }

  /// Whether questions wait.
  var isAsked: Bool { hasQuestions.load(ordering: .acquiring) }

  /// Waits for a question, or for the end.
  func awaitQuestion() { _ = doorbell.wait { isAsked || isEnding } }

  /// Waits for the end, at most `nanoseconds`.
  func pause(nanoseconds: UInt64) {
    _ = doorbell.wait(timeoutNanoseconds: nanoseconds) { isEnding }
  }

  /// Removes and returns the questions that wait.
  func takeQuestions() -> [Question] {
    hasQuestions.store(false, ordering: .sequentiallyConsistent)
    return state.withLock { state in
      defer { state.questions = [] }
      return state.questions
    }
  }

  /// Gives answers to the I/O thread, and wakes it.
  func give(_ answers: [Answer]) {
    state.withLock { $0.answers += answers }
    hasAnswers.store(true, ordering: .releasing)
    wake()
  }
}
