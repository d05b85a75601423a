import MarketModel

extension MarketDefinition {
  /// The field whose value an exchange rejects as unusable, with the reason as far as it is known.
  /// - Parameter value: The value that the reject names, in the unit of the field.
  /// - Returns: `nil` when no field has this value.
  public func explanation(ofUnusable value: Int64) -> String? {
    if case .deposit = self {
      return value == Int64(Self.depositSource)
        ? "deposits of market files need version 4 of the market rules: joulebook admin rules 4"
        : nil
    }
    guard let field = limited.first(where: { $0.value == value }) else { return nil }
    let text = fields.first { $0.name == field.name }?.text ?? "\(value)"
    return "\(field.name): \(text) cannot be used: \(field.rule)"
  }

  /// Fields that have limits: name, value in the unit of the command, and what it must be.
  private var limited: [(name: String, value: Int64, rule: String)] {
    switch self {
    case .area(let area):
      let grid = "feed-in is at most retail, and both are within the limits of docs/MARKET-RULES.md"
      return [
        ("storage-cost", area.storageCost.units, "it is at least 0, and the default cap in range"),
        ("storage-price", area.storagePrice.units, "it is above 0"),
        ("feed-in", area.feedInPrice.ticks, grid), ("retail", area.retailPrice.ticks, grid),
        ("loss", Int64(area.lossFactor.partsPerMillion), "it is at most 50%"),
      ]
    case .instrument(let new, _):
      let band = "lowest and highest are multiples of the tick, and highest is not below lowest"
      return [
        ("lowest", new.lowestPrice.ticks, band), ("highest", new.highestPrice.ticks, band),
        ("tick", new.tick.ticks, "it is above 0"), ("lot", new.lot.wattHours, "it is above 0"),
        ("maker-fee", Int64(new.makerFee.partsPerMillion), "it is at most 50%"),
        ("taker-fee", Int64(new.takerFee.partsPerMillion), "it is at most 50%"),
      ]
    case .cap(let cap):
      return [("cap", cap.cap.wattHours, "it is within the limits of docs/MARKET-RULES.md")]
    case .meter(let meter): return [("capacity", meter.capacity, "it is at least 0")]
    case .participant, .session, .account, .deposit, .instruction, .limit: return []
    }
  }
}
