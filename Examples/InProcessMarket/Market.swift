// `in-process-market`: a market in one process, on `ExchangeCore` alone. There is no socket, no
// journal and no clock: the caller numbers the commands and says when they happen, and gets the
// events. Equal commands give equal events on every machine.

import ExchangeCore
import MarketModel

@main
struct InProcessMarket {
  static func main() {
    var market = Market()
    print("Three homes, one instrument, no energy yet")
    market.found()
    print("\nOrders that rest before their energy exists")
    market.order(.ana, .sell, 2_000, at: 18_000, id: 1)
    market.order(.ana, .sell, 3_000, at: 20_000, id: 2)
    market.order(.ben, .sell, 1_000, at: 19_000, id: 1)
    market.order(.cleo, .buy, 4_000, at: 21_000, id: 1)
    market.printBook()
    print("\nThe meters of Ana and Ben report what their roofs produced")
    market.reading(of: .ana, produced: 3_000)
    market.reading(of: .ben, produced: 500)
    market.printBook()
    print("\nCleo uses more than she bought: the grid delivers the rest")
    market.reading(of: .cleo, consumed: 4_000)
    print("\nNothing was lost, and nothing was made up")
    market.printProof()
  }
}

/// The three homes. A home's number is that of its participant, its account and its meter.
enum Home: UInt32, CaseIterable {
  case ana = 1
  case ben, cleo
  var account: AccountId { AccountId(rawValue) }
}

/// An exchange, and what a server would add: numbers and times of the commands.
struct Market: ~Copyable {
  private var exchange = Exchange(capacity: .small)
  private var printer = Printer()
  private var sequence: UInt64 = 0
  private let area = AreaId(1)
  private let instrument = InstrumentId(1)

  /// Applies a command as the exchange itself, which may act for everybody. A server passes the
  /// session of the client, whose roles and accounts the exchange then checks.
  private mutating func apply(_ body: Command.Body) {
    sequence += 1
    let command = Command(
      session: .exchange, body: body, sequence: SequenceNumber(sequence),
      time: Timestamp(nanoseconds: sequence * 900_000_000_000))
    exchange.apply(command, into: &printer)
  }

  /// Creates the area, its instrument and the homes, each with a cash balance of 10.00.
  mutating func found() {
    apply(.control(.setRules(SetRules(version: RulesVersion.newest))))
    let market = CreateArea(
      area: area, currency: .eur, code: Self.label("11XEXAMPLE"),
      storageCost: Money(units: 300), storagePrice: Money(units: 20),
      feedInPrice: Price(ticks: 8_000), retailPrice: Price(ticks: 32_000))
    create(.createArea(market))
    let spot = CreateInstrument(
      instrument: instrument, area: area, symbol: Self.label("SPOT"), tick: Price(ticks: 100),
      lot: Energy(wattHours: 100), lowestPrice: .zero, highestPrice: Price(ticks: 100_000))
    create(.createInstrument(spot))
    for home in Home.allCases {
      let (participant, name) = (ParticipantId(home.rawValue), Self.label("\(home)"))
      create(.createParticipant(CreateParticipant(participant: participant, name: name)))
      create(.createAccount(CreateAccount(account: home.account, participant: participant)))
      // The core checks no signature, so that any key will do: gateways check them.
      let meter = RegisterMeter(
        meter: MeterId(home.rawValue), account: home.account, area: area,
        publicKey: PublicKey(0, 0, 0, 0))
      create(.registerMeter(meter))
      let amount = Money(units: 1_000_000_000)
      apply(
        .cash(
          .deposit(
            CashMovement(account: home.account, currency: .eur, amount: amount, reference: 1))))
    }
  }

  private mutating func create(_ what: ReferenceCommand) { apply(.reference(what)) }

  /// Enters a limit order; quantity in Wh, price in 1e-5 per kWh.
  mutating func order(_ home: Home, _ side: Side, _ quantity: Int64, at price: Int64, id: UInt64) {
    apply(
      .enter(
        NewOrder(
          account: home.account, instrument: instrument, side: side,
          clientOrderId: ClientOrderId(id), price: Price(ticks: price),
          quantity: Energy(wattHours: quantity))))
  }

  /// A quarter of an hour according to the meter of a home, in Wh.
  mutating func reading(of home: Home, produced: Int64 = 0, consumed: Int64 = 0) {
    apply(
      .meterReading(
        MeterReading(
          meter: MeterId(home.rawValue), registerSequence: sequence,
          intervalStart: Timestamp(nanoseconds: sequence * 900_000_000_000),
          intervalEnd: Timestamp(nanoseconds: (sequence + 1) * 900_000_000_000),
          produced: Energy(wattHours: produced), consumed: Energy(wattHours: consumed))))
  }

  /// Prints the asks above the bids: what can trade now (live), and what waits for energy.
  func printBook() {
    print("  book      price   live  waiting")
    let orders = exchange.openOrders().sorted {
      ($0.side.rawValue, $0.price) > ($1.side.rawValue, $1.price)
    }
    for order in orders {
      let side = order.side == .sell ? "sell" : "buy "
      let live = Words.right(order.covered.wattHours, 5)
      let waiting = Words.right(order.waiting.wattHours, 7)
      print(
        "  \(side)    \(Words.price(order.price))  \(live)  \(waiting)  \(Words.name(order.account))"
      )
    }
  }

  /// Proves the conservation of energy and of cash from the exchange's own sums.
  func printProof() {
    guard let area = exchange.totals(of: area) else { return }
    print(
      "  energy  produced \(area.produced.wattHours) + imported \(area.imported.wattHours)"
        + " = held \(area.held.wattHours) + consumed \(area.consumed.wattHours)"
        + " + exported \(area.exported.wattHours) + lost \(area.lost.wattHours) Wh: "
        + (area.isConserved ? "true" : "FALSE"))
    let homes = exchange.cash().reduce(0) { $0 + $1.free.units + $1.reserved.units }
    let (deposits, fees, grid) = (exchange.supply(of: .eur), area.fees, area.grid)
    print(
      "  cash    deposited \(Words.money(deposits)) = homes \(Words.money(Money(units: homes)))"
        + " + fees \(Words.money(fees)) + grid \(Words.money(grid)): "
        + (deposits.units == homes + fees.units + grid.units ? "true" : "FALSE"))
    print("  hash    of all events \(String(exchange.eventHash, radix: 16))")
  }

  private static func label(_ text: String) -> Label { Label(text) ?? Label(low: 0, high: 0) }
}
