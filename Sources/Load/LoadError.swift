import JoulebookClient
import JoulebookServer
import MarketModel

/// Why a load did not complete.
public enum LoadError: Error, CustomStringConvertible {
  /// An option is invalid; the text names the allowed values.
  case options(String)
  /// A session could not be opened, or ended.
  case client(ClientError)
  /// The embedded server did not start.
  case server(StartError)
  /// The exchange rejected a command that creates the load's market.
  case setUp(RejectCode, limit: Int64)
  /// A flow file cannot be used; the text names the file and the fault.
  case flow(String)
  /// A file cannot be written.
  case file(String)
  /// The associated number of messages was not answered in time.
  case unanswered(Int)

  /// The fault and its remedy, for a user.
  public var description: String {
    switch self {
    case .options(let text): text
    case .client(let error): "\(error)"
    case .server(let error): "\(error)"
    case .setUp(let code, let limit):
      "the exchange rejects the load's accounts: code \(code.rawValue), limit \(limit). Their "
        + "numbers exceed the server's capacity (8002) or are in use by others: choose other numbers with "
        + "--base, fewer --connections, or a larger capacity.accounts and so on"
    case .flow(let text), .file(let text): text
    case .unanswered(let count): "\(count) messages were not answered within five seconds"
    }
  }
}
