import GatewayKit
import MarketModel
import Transport

/// An answer that waits until the state it describes is durable (`HeldAnswers`).
struct WaitingAnswer {
  /// The content of the answer.
  enum Outcome {
    /// The exchange's finding. Permissions and counts are added when the answer is sent, because
    /// only then the gateway's reference data match the exchange's state at the question.
    case found(Answer.Finding)
    /// The question is not allowed.
    case refused(Refusal)
  }

  let connection: ConnectionId
  /// Sequence number of the question.
  let reference: UInt64
  let question: Question
  /// The account named in the question; `.null` if none.
  let account: AccountId
  let outcome: Outcome
  /// The last command before it.
  let through: SequenceNumber

  /// The number of waiting answers for which it counts: a page is as long as many others.
  var weight: Int {
    if case .list = question { Self.weightOfPage } else { 1 }
  }

  /// The number of answers for which a page counts.
  static let weightOfPage = 16
}
