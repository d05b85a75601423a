import JoulebookClient
import JoulebookServer
import MarketModel

/// Why a load did not run to its end.
public enum LoadError: Error, CustomStringConvertible {
  /// The options contradict themselves; the text says what is possible.
  case options(String)
  /// A session ended or did not come about.
  case client(ClientError)
  /// The embedded server did not start.
  case server(StartError)
  /// The exchange did not take what the load needs to begin.
  case setUp(RejectCode, limit: Int64)
  /// A flow file cannot be used; the text says which and why.
  case flow(String)
  /// A file cannot be written.
  case file(String)
  /// Messages were never answered.
  case unanswered(Int)

  /// What happened and what to do about it.
  public var description: String {
    switch self {
    case .options(let text): text
    case .client(let error): "\(error)"
    case .server(let error): "\(error)"
    case .setUp(let code, let limit):
      "the exchange does not take the load's accounts: code \(code.rawValue), limit \(limit). Their "
        + "numbers are above the server's capacity (8002) or somebody else's: choose others with --base, "
        + "fewer --connections, or a larger capacity.accounts and so on"
    case .flow(let text), .file(let text): text
    case .unanswered(let count): "\(count) messages were not answered within five seconds"
    }
  }
}
