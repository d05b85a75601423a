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
}
