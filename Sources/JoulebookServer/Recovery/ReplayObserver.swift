import ExchangeCore
import MarketModel

/// Follows a replay of a journal (`ReplayReport.run`), on the thread of the replay.
public protocol ReplayObserver: AnyObject {
  /// The state from which the replay starts, when older segments were removed. Not called when it
  /// starts with the first command.
  func begin(_ exchange: borrowing Exchange)
  /// A command was applied.
  /// - Parameter events: Its events, valid during the call.
  func take(_ command: borrowing Command, _ events: UnsafeBufferPointer<Event>)
  /// The last command was applied.
  /// - Parameters:
  ///   - areas: All areas, with their present terms.
  ///   - instruments: All instruments, also closed ones, with their present terms.
  func end(
    _ exchange: borrowing Exchange, areas: [CreateArea], instruments: [CreateInstrument])
}
