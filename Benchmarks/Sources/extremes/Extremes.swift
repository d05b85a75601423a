// Two extremes that averages do not show: the commands that take longest, and the largest book.

import ArgumentParser
import ExchangeCore
import Glibc
import MarketModel
import OrderFlow

@main
struct Extremes: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures the commands that can take longest, and fills an exchange to its capacity.",
    discussion: """
      A command is never interrupted. Each of those below does constant work for every order that it
      names, trades with or re-covers, and emits an event for each: its time is the number of those
      orders times the figure shown.
      """)

  @Option(help: "Numbers of orders that the long commands affect.") var orders: [UInt32] = [1_000, 100_000]
  @Option(help: "Number of instruments of the large exchange; 0: skip it.") var instruments: UInt32 =
    10_000
  @Option(help: "Number of orders of the large exchange, at most 2^24.") var resting: UInt32 = 10_000_000
  @Option(help: "Number of runs of each long command; the median is printed.") var passes = 5

  func run() throws {
    print("| command | orders | ms | ns an order | events |\n| --- | --: | --: | --: | --: |")
    for count in orders {
      for command in LongCommand.allCases { measure(command, count) }
    }
    print("\n| a lack that is bought from 100 asks | us | events |\n| --- | --: | --: |")
    for instruments: UInt32 in [1, 4, 32] { measureLack(asks: 100, instruments) }
    if instruments > 0 { print("\n" + fill()) }
  }

  private func measure(_ long: LongCommand, _ count: UInt32) {
    var times: [UInt64] = []
    var events = 0
    for _ in 0..<passes {
      var market = Market(instruments: 1, orders: count + 1, accounts: 2)
      long.prepare(&market, count)
      let command = long.command(count, number: market.next)
      let start = now()
      events = market.send(command)
      times.append(now() - start)
    }
    let time = times.sorted()[passes / 2]
    print(
      "| \(long.rawValue) | \(grouped(count)) | \(decimals(Double(time) / 1e6)) "
        + "| \(time / UInt64(count)) | \(grouped(UInt32(events))) |")
  }

  /// Measures a reading of an account that holds nothing, whose consumption is bought from asks of one
  /// lot, each dearer than the one before it and in the next instrument.
  private func measureLack(asks: UInt32, _ instruments: UInt32) {
    var market = Market(instruments: instruments, orders: asks + 1, accounts: 2)
    market.produce(account: 2, 1 << 40)
    var times: [UInt64] = []
    var events = 0
    for _ in 0..<max(passes, 1) * 100 {
      for number in 0..<asks {
        market.enter(
          account: 2, instrument: number % instruments + 1, sells: true,
          price: 2_000 + Int64(number))
      }
      let start = now()
      events = market.consume(account: 1, Int64(asks))
      times.append(now() - start)
    }
    let name = instruments == 1 ? "in one instrument" : "in \(instruments) instruments in turn"
    print("| \(name) | \(decimals(Double(times.sorted()[times.count / 2]) / 1e3)) | \(events) |")
  }

  /// Enters resting orders on both sides of all instruments, most of them near the best price of a band of two
  /// million ticks, and prints the memory used.
  private func fill() -> String {
    let before = residentBytes()
    var market = Market(instruments: instruments, orders: resting, accounts: 10_000)
    var random = SeededRandom(seed: 1)
    let start = now()
    for number in 0..<resting {
      let sells = number % 2 == 1
      // Buyers have odd accounts and sellers even ones. The density halves every 100 ticks from the best price.
      let account = UInt32(random.next() % 5_000) * 2 + (sells ? 2 : 1)
      let far = Int64(min(random.next().trailingZeroBitCount, 40)) * 100
      let distance = Int64(random.next() % 100) + far + 1
      market.enter(
        account: account, instrument: number % instruments + 1, sells: sells,
        price: 1_000_000 + (sells ? distance : -distance))
    }
    let seconds = Double(now() - start) / 1e9
    let mebibytes = (residentBytes() - before) >> 20
    let counts = market.exchange.counts
    return """
      \(grouped(UInt32(counts.openOrders))) resting orders of 10,000 accounts on \(grouped(instruments)) \
      instruments with bands of 2,000,000 ticks, \(grouped(UInt32(counts.priceLevels))) price levels: \
      \(grouped(UInt32(mebibytes))) MiB resident, \(decimals(Double(mebibytes) * 1_048_576 / Double(resting))) \
      bytes an order, entered in \(decimals(seconds)) s.
      """
  }
}

/// The commands whose work grows with the number of orders.
enum LongCommand: String, CaseIterable {
  case cover = "a reading that gives an account cover for all its asks"
  case displace = "a better ask that takes the cover of all its owner's others"
  case massCancel = "a mass cancel of an account"
  case halt = "halting an instrument"
  case sweep = "an order that trades with all others"

  /// Enters `count` resting asks of account 2, one lot each, at up to 1,000 prices.
  func prepare(_ market: inout Market, _ count: UInt32) {
    switch self {
    case .cover: break
    case .displace: market.produce(account: 2, Int64(count))
    case .massCancel, .halt, .sweep: market.produce(account: 2, 1 << 40)
    }
    for number in 0..<count {
      market.enter(account: 2, instrument: 1, sells: true, price: 2_000 + Int64(number * 7 % 1_000))
    }
  }

  /// - Parameter number: The sequence number of the command.
  func command(_ count: UInt32, number: UInt64) -> Command.Body {
    switch self {
    case .cover: Market.reading(account: 2, Int64(count), number: number)
    case .displace:
      .enter(
        NewOrder(
          account: AccountId(2), instrument: InstrumentId(1), side: .sell,
          clientOrderId: ClientOrderId(1 << 40), price: Price(ticks: 1_000),
          quantity: Energy(wattHours: Int64(count))))
    case .massCancel:
      .order(.massCancel(MassCancel(account: AccountId(2), instrument: .null, sides: .both)))
    case .halt:
      .reference(
        .setInstrumentState(SetInstrumentState(instrument: InstrumentId(1), state: .halted)))
    case .sweep:
      .enter(
        NewOrder(
          account: AccountId(1), instrument: InstrumentId(1), side: .buy,
          clientOrderId: ClientOrderId(1 << 40), price: Price(ticks: 4_000),
          quantity: Energy(wattHours: Int64(count))))
    }
  }
}
