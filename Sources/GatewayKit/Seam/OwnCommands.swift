import MarketModel

/// Queue of the gateways' own commands (session begins, session ends) until the intake accepts
/// them. Owned by the I/O thread.
public struct OwnCommands: Sendable {
  private var commands: [Command] = []

  /// Creates an empty queue.
  public init() {}

  /// Whether the queue is empty. While it is not, no client command may be accepted.
  public var isEmpty: Bool { commands.isEmpty }

  /// Appends a command.
  public mutating func append(_ body: Command.Body) {
    commands.append(Command(session: .exchange, body: body))
  }

  /// Submits queued commands in order, until one is not accepted.
  public mutating func submit(_ take: (Command) -> SubmitResult) {
    while let command = commands.first {
      switch take(command) {
      case .taken: break
      case .full: return
      // A command refused for lack of disk space is retried. A server that is shutting down accepts
      // no more; its next start counts as the loss of every connection.
      case .refused(let refusal) where refusal.code != .shuttingDown: return
      case .refused: break
      }
      commands.removeFirst()
    }
  }
}
