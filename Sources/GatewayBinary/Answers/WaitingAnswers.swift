// Answers to questions between the exchange, which has applied more than is durable, and their clients:
//
//     question ─▶ exchange, after command 7 ─▶ [ 7 | 7 | 9 ] ─▶ client, when 7 is durable and delivered
//
// So no client is told what a power cut could undo, and an answer stands among a session's reports where
// its question stood among the session's commands.

import GatewayKit
import MarketModel
import Transport

/// An answer that waits until what it says is durable.
struct WaitingAnswer {
  /// What came of the question.
  enum Outcome {
    /// What the exchange says. What the gateway knows (who may ask, what there is) is added when the answer
    /// leaves: then it knows exactly as much as the exchange did.
    case found(Answer.Finding)
    /// It may not be asked.
    case refused(Refusal)
  }

  let connection: ConnectionId
  /// Sequence number of the question.
  let reference: UInt64
  let question: Question
  /// The account that is named in the question; null: none.
  let account: AccountId
  let outcome: Outcome
  /// The last command that had been applied.
  let through: SequenceNumber
}

/// The answers that wait, in the order of their questions. Owned by the I/O thread. Bounded by what each
/// connection may have in it (`BinaryGateway.mostWaitingAnswers`).
struct WaitingAnswers {
  private var answers: [WaitingAnswer] = []
  /// The first that has not left.
  private var head = 0
  /// What the first one waits for; when there is none, more than any command's number.
  private(set) var first = SequenceNumber(.max)

  /// What the last one waits for; `nil`: none waits.
  var last: SequenceNumber? { answers.last?.through }

  /// Puts an answer behind the others.
  mutating func append(_ answer: WaitingAnswer) {
    invariant(
      answers.last.map { $0.through <= answer.through } ?? true,
      "answers are true of the exchange in the order of their questions")
    answers.append(answer)
    first = min(first, answer.through)
  }

  /// Takes the first one, if what it waits for is at or below `sequence`.
  mutating func take(through sequence: SequenceNumber) -> WaitingAnswer? {
    guard head < answers.count, answers[head].through <= sequence else { return nil }
    defer { leave() }
    return answers[head]
  }

  private mutating func leave() {
    head += 1
    if head == answers.count {
      answers.removeAll(keepingCapacity: answers.capacity <= 1024)
      head = 0
    }
    first = head < answers.count ? answers[head].through : SequenceNumber(.max)
  }

  /// Drops what waits for a connection that is gone.
  mutating func drop(_ connection: ConnectionId) {
    answers.removeSubrange(..<head)
    head = 0
    answers.removeAll { $0.connection == connection }
    first = answers.first?.through ?? SequenceNumber(.max)
  }
}
