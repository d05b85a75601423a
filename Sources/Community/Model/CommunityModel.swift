import MarketModel

/// Input of a run: the customers of a community, the readings of their meters and the market's
/// terms.
public struct CommunityModel: Sendable {
  /// Name of the community in the report.
  public var title: String
  /// A sentence that says which data are measured and which are computed.
  public var story: String
  /// Origin and licence of the data, in the form that the licence asks for.
  public var attribution: String
  /// Start of the first interval.
  public var start: Timestamp
  /// Length of an interval in seconds.
  public var intervalSeconds: UInt64
  /// The customers. Account and meter `i + 1` belong to customer `i`.
  public var customers: [Customer]
  /// Number of vehicles that charge at the charging station.
  public var vehicles: Int
  /// The terms of the area.
  public var terms: MarketTerms

  /// Number of intervals of a day.
  public var intervalsPerDay: Int { Int(86_400 / intervalSeconds) }
  /// Number of intervals of the run.
  public var intervals: Int { customers.first?.consumption.count ?? 0 }
  /// Number of whole days of the run.
  public var days: Int { intervals / intervalsPerDay }

  /// Start of interval `index`; `index` may be one past the last.
  public func time(of index: Int) -> Timestamp {
    Timestamp(nanoseconds: start.nanoseconds + UInt64(index) * intervalSeconds * 1_000_000_000)
  }

  /// Storage cap of customer `index`: the default cap of market rules 3 plus its own storage.
  public func cap(of index: Int) -> Energy {
    Energy(
      wattHours: terms.defaultCap.wattHours + customers[index].ownStorage.wattHours)
  }

  /// Rated power of customer `index`, W: what its highest reading needs, rounded up.
  public func power(of index: Int) -> Int64 {
    let customer = customers[index]
    let most = (0..<intervals).reduce(Int64(0)) {
      max($0, customer.production[$1].wattHours, customer.consumption[$1].wattHours)
    }
    let seconds = Int64(intervalSeconds)
    return max(1, (most * 3_600 + seconds - 1) / seconds)
  }

  /// Capacity of the whole storage: the sum of all caps.
  public var capacity: Energy {
    Energy(wattHours: customers.indices.reduce(0) { $0 + cap(of: $1).wattHours })
  }

  /// The community with only its first `days` days.
  /// - Precondition: `days` is in `1...self.days`.
  public func first(days: Int) -> CommunityModel {
    precondition(days >= 1 && days <= self.days, "the data has \(self.days) days")
    var shorter = self
    let range = 0..<(days * intervalsPerDay)
    for index in shorter.customers.indices {
      shorter.customers[index].consumption = customers[index].consumption[range]
      shorter.customers[index].production = customers[index].production[range]
    }
    return shorter
  }
}

/// Tariff, increments and fees of an area and its spot instrument.
public struct MarketTerms: Sendable, Equatable {
  /// Currency of all prices and payments.
  public var currency: Currency
  /// Sign of the currency in the report, such as "€".
  public var currencySign: String
  /// EIC-style code of the area.
  public var areaCode: Label
  /// Symbol of the spot instrument.
  public var symbol: Label
  /// Price per kWh that the surrounding grid pays for exports.
  public var feedIn: Price
  /// Price per kWh that the surrounding grid charges for imports.
  public var retail: Price
  /// Target storage cost per user, Cu (market rules 3).
  public var storageCost: Money
  /// Storage price per kWh of capacity, P (market rules 3).
  public var storagePrice: Money
  /// Price increment.
  public var tick: Price
  /// Quantity increment.
  public var lot: Energy
  /// Highest price of the instrument; the lowest is 0.
  public var highestPrice: Price
  /// Fee of the resting order.
  public var makerFee: Rate
  /// Fee of the incoming order.
  public var takerFee: Rate

  /// Bmax = 2 Cu / (1.5 P) of market rules 3, in whole Wh, rounded down: 4 Cu x 1000 / 3 P.
  public var defaultCap: Energy {
    Energy(wattHours: 4_000 * storageCost.units / (3 * storagePrice.units))
  }

  /// Retail price less feed-in price, in 1e-5 per kWh.
  public var spread: Int64 { retail.ticks - feedIn.ticks }

  /// Mean of feed-in price and retail price.
  public var middle: Price { Price(ticks: (feedIn.ticks + retail.ticks) / 2) }

  /// Terms of a European community: Cu = 300 and P = 200 give a default cap of 2 kWh (market rules
  /// 3).
  public static let european = MarketTerms(
    currency: .eur, currencySign: "€", areaCode: Label(ascii: "10YJOULEBOOK-LV3"),
    symbol: Label(ascii: "SPOT.LV3"), feedIn: Price(ticks: 8_000), retail: Price(ticks: 32_000),
    storageCost: Money(units: 300 * 100_000_000), storagePrice: Money(units: 200 * 100_000_000),
    tick: Price(ticks: 10), lot: Energy(wattHours: 1), highestPrice: Price(ticks: 40_000),
    makerFee: Rate(partsPerMillion: 2_000), takerFee: Rate(partsPerMillion: 5_000))
}

extension Label {
  /// A label of a literal.
  /// - Precondition: `text` is printable ASCII of at most 16 bytes.
  init(ascii text: StaticString) {
    guard let label = Label(text.description) else {
      preconditionFailure("\(text) is not a label")
    }
    self = label
  }
}
