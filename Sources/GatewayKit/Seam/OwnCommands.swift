import MarketModel

/// Commands of the gateways' own that wait for room in the intake, in order. Owned by the I/O thread.
public struct OwnCommands: Sendable {
  private var commands: [Command] = []

  /// None waits.
  public init() {}

  /// Whether none waits; behind one that does, no client's command is taken.
  public var isEmpty: Bool { commands.isEmpty }

  /// Puts one behind the others.
  public mutating func append(_ body: Command.Body) {
    commands.append(Command(session: .exchange, body: body))
  }

  /// Submits what waits, as far as it is taken.
  public mutating func submit(_ take: (Command) -> SubmitResult) {
    while let command = commands.first {
      switch take(command) {
      case .taken: break
      case .full: return
      // Not taken for want of room, it is tried again; an ending server takes nothing more, and its next start
      // counts as the loss of every connection.
      case .refused(let refusal) where refusal.code != .shuttingDown: return
      case .refused: break
      }
      commands.removeFirst()
    }
  }
}
