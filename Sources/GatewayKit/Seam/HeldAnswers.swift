import MarketModel

/// Replies to questions that wait until what they say is durable, in the order of the questions: no client is told what
/// a power cut could undo. Owned by the I/O thread.
public struct HeldAnswers<Reply> {
  private var held: [(through: SequenceNumber, reply: Reply)] = []
  private let most: Int

  /// None waits.
  /// - Parameter most: So many may wait.
  public init(most: Int) { self.most = most }

  /// Whether no further question may be asked: who wants to is not read until it may.
  public var isFull: Bool { held.count >= most }

  /// Holds a reply, for the turn's end at least.
  /// - Parameter through: That of the exchange's answer.
  public mutating func hold(_ reply: Reply, through: SequenceNumber) {
    held.append((through, reply))
  }

  /// The reports of the command `sequence` come next (`Gateway.begin`).
  /// - Returns: What stands before them.
  public mutating func take(before sequence: SequenceNumber) -> [Reply] {
    if held.isEmpty { return [] }
    return take { $0 < sequence }
  }

  /// Everything up to `sequence` is durable and delivered (`Gateway.delivered`, once a turn at least).
  /// - Returns: What may leave.
  public mutating func take(through sequence: SequenceNumber) -> [Reply] {
    if held.isEmpty { return [] }
    return take { $0 <= sequence }
  }

  private mutating func take(_ isDue: (SequenceNumber) -> Bool) -> [Reply] {
    let due = held.prefix { isDue($0.through) }
    held.removeFirst(due.count)
    return due.map(\.reply)
  }
}
