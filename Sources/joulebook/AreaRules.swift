// What the tools say about parameters that the version of the market rules in force does not use yet.

import JoulebookClient
import MarketModel

extension OperatorConnection {
  /// Says on standard error which columns of the list of areas have no effect yet, if the market has an
  /// older version of the rules.
  /// - Parameter client: Logged on; it has no other request that is not answered.
  static func explainAreaRules(_ client: Client) throws(ClientError) {
    let version = try rulesVersion(client)
    explain("own-use and local-first", from: AreaReadings.firstRules, version)
    explain("reading-window and minted-quality", from: AreaReadings.firstRulesOfVersions, version)
  }

  /// Says on standard error that a parameter has no effect yet, if the market has an older version of the
  /// rules than `first`.
  /// - Parameter client: Logged on; it has no other request that is not answered.
  static func explain(
    _ parameter: String, from first: UInt32, _ client: Client
  ) throws(ClientError) {
    explain(parameter, from: first, try rulesVersion(client))
  }

  private static func explain(_ what: String, from first: UInt32, _ version: UInt32) {
    if version >= first { return }
    let verb = what.contains(" and ") ? "have" : "has"
    printError(
      "joulebook: \(what) \(verb) an effect from version \(first) of the rules on; "
        + "this market has version \(version) (joulebook admin rules --help)")
  }

  private static func rulesVersion(_ client: Client) throws(ClientError) -> UInt32 {
    try client.requestStatus()
    try client.flush()
    while let message = try client.poll(timeoutMilliseconds: timeoutMilliseconds) {
      if case .status(let status) = message.event { return status.rulesVersion }
    }
    throw .timedOut
  }
}
