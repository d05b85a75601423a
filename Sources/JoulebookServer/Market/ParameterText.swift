import MarketModel
import Settlement

extension SetParameter {
  /// The value in the unit in which people type it, such as 0.35 per kWh or 2.5 percent.
  public var valueText: String { text(of: value) }

  /// A value of the parameter in the unit in which people type it.
  public func text(of value: Int64) -> String {
    switch parameter {
    case .lowestPrice, .highestPrice, .tick, .feedInPrice, .retailPrice: Price(ticks: value).decimal
    case .lot: Energy(wattHours: value).kilowattHours
    case .makerFee, .takerFee, .lossFactor: Self.percent(value)
    case .storageCost, .storagePrice, .unsettledLimit: Money(units: value).decimal
    case .ownUse, .readingWindow: "\(value) s"
    case .mintedQuality: ReadingQuality(rawValue: UInt8(clamping: value)).map { "\($0)" } ?? "none"
    case .localFirst: value == 0 ? "off" : "on"
    }
  }

  /// The unit of `valueText`: of prices and costs that of the area's currency.
  public var unitText: String {
    switch parameter {
    case .lowestPrice, .highestPrice, .tick, .feedInPrice, .retailPrice, .storagePrice: "per kWh"
    case .storageCost: "per user"
    case .lot: "kWh"
    case .makerFee, .takerFee, .lossFactor: "%"
    case .ownUse, .readingWindow: "s"
    case .localFirst, .mintedQuality, .unsettledLimit: ""
    }
  }

  /// Parts per million, 0 or more, as percent: 25,000 is 2.5.
  private static func percent(_ partsPerMillion: Int64) -> String {
    var digits = "\(partsPerMillion % 10_000 + 10_000)".dropFirst()
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(partsPerMillion / 10_000)" + (digits.isEmpty ? "" : ".\(digits)")
  }
}
