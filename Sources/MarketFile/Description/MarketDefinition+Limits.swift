import MarketModel

extension MarketDefinition {
  /// Why an exchange rejects the value of a field as unusable, in the words of market files.
  /// - Parameter field: The field that the reject names.
  /// - Returns: `nil` when the definition has no such field.
  public func explanation(ofUnusable field: RejectField) -> String? {
    if case .deposit = self {
      return field == .source
        ? "deposits of market files need version 4 of the market rules: joulebook admin rules 4"
        : nil
    }
    guard let (_, name, rule) = limited.first(where: { $0.field == field }) else { return nil }
    let text = fields.first { $0.name == name }?.text ?? "the value"
    return "\(name): \(text) cannot be used: \(rule)"
  }

  /// Fields that have limits: name in a market file, and what its value must be.
  private var limited: [(field: RejectField, name: String, rule: String)] {
    switch self {
    case .area:
      let grid = "feed-in is at most retail, and both are within the limits of docs/MARKET-RULES.md"
      return [
        (.storageCost, "storage-cost", "it is at least 0, and the default cap in range"),
        (.storagePrice, "storage-price", "it is above 0"),
        (.feedInPrice, "feed-in", grid), (.retailPrice, "retail", grid),
        (.lossFactor, "loss", "it is at most 50%"),
      ]
    case .instrument:
      let band = "lowest and highest are multiples of the tick, and highest is not below lowest"
      return [
        (.lowestPrice, "lowest", band), (.highestPrice, "highest", band),
        (.tickSize, "tick", "it is above 0"), (.lot, "lot", "it is above 0"),
        (.makerFee, "maker-fee", "it is at most 50%"),
        (.takerFee, "taker-fee", "it is at most 50%"),
      ]
    case .cap:
      return [(.energyCap, "cap", "it is within the limits of docs/MARKET-RULES.md")]
    case .meter: return [(.capacity, "capacity", "it is at least 0")]
    case .participant, .session, .account, .deposit, .instruction, .limit: return []
    }
  }
}
