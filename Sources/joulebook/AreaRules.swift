// What the tools say about parameters that the version of the market rules in force does not use yet.

import JoulebookClient
import MarketModel

extension OperatorConnection {
  /// Says on standard error that own use and local first have no effect yet, if the market has an
  /// older version of the rules.
  /// - Parameter client: Logged on; it has no other request that is not answered.
  static func explainAreaRules(_ client: Client) throws(ClientError) {
    try client.requestStatus()
    try client.flush()
    while let message = try client.poll(timeoutMilliseconds: timeoutMilliseconds) {
      guard case .status(let status) = message.event else { continue }
      let first = AreaReadings.firstRules
      if status.rulesVersion < first {
        printError(
          "joulebook: own-use and local-first have an effect from version \(first) of the rules on; "
            + "this market has version \(status.rulesVersion) (joulebook admin rules --help)")
      }
      return
    }
    throw .timedOut
  }
}
