// Answers to questions between the exchange, which has applied more than is durable, and their clients:
//
//     question ─▶ exchange, after command 7 ─▶ [ 7 | 7 | 9 ] ─▶ client, when 7 is durable and delivered
//
// So no client is told what a power cut could undo, and an answer stands among a session's reports where
// its question stood among the session's commands.

import MarketModel

/// Replies that wait until what they say is durable, in the order of their questions. Owned by the I/O thread. Each
/// gateway bounds how many there can be.
public struct HeldAnswers<Reply> {
  private var held: [(through: SequenceNumber, reply: Reply)] = []
  /// The first that has not left.
  private var head = 0
  /// The command that the first reply waits for; `.max` when none waits.
  public private(set) var first = SequenceNumber(.max)

  /// None waits.
  public init() {}

  /// How many wait.
  public var count: Int { held.count - head }

  /// The command that the last reply waits for; `nil`: none waits.
  public var last: SequenceNumber? { held.last?.through }

  /// Puts a reply behind the others.
  /// - Parameter through: That of the exchange's answer: never below the one before.
  public mutating func append(_ reply: Reply, through: SequenceNumber) {
    invariant(
      held.last.map { $0.through <= through } ?? true,
      "answers are true of the exchange in the order of their questions")
    held.append((through, reply))
    first = min(first, through)
  }

  /// Takes the first reply, if the command that it waits for is at or below `sequence`.
  public mutating func take(through sequence: SequenceNumber) -> Reply? {
    guard head < held.count, held[head].through <= sequence else { return nil }
    defer { leave() }
    return held[head].reply
  }

  /// Sends the replies that wait for commands at or below `sequence`.
  /// - Parameter send: Must not come back to this.
  public mutating func release(through sequence: SequenceNumber, _ send: (Reply) -> Void) {
    while let reply = take(through: sequence) { send(reply) }
  }

  /// Sends the replies that stand before the reports of the command `sequence`.
  public mutating func release(before sequence: SequenceNumber, _ send: (Reply) -> Void) {
    release(through: SequenceNumber(max(1, sequence.rawValue) - 1), send)
  }

  /// Drops the replies to clients that are gone.
  public mutating func drop(where isGone: (Reply) -> Bool) {
    held.removeSubrange(..<head)
    head = 0
    held.removeAll { isGone($0.reply) }
    first = held.first?.through ?? SequenceNumber(.max)
  }

  private mutating func leave() {
    head += 1
    if head == held.count {
      held.removeAll(keepingCapacity: held.capacity <= 1024)
      head = 0
    }
    first = head < held.count ? held[head].through : SequenceNumber(.max)
  }
}
