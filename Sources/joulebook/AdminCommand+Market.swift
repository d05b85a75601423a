import ArgumentParser
import JoulebookClient
import MarketFile
import MarketModel
import Settlement

extension AdminCommand {
  struct MakeArea: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "area", abstract: "Opens a market area.",
      discussion: """
        The default cap of an account's stored energy is 2 x storage cost / (1.5 x storage price): \
        20 kWh in this example.

          joulebook admin area 1 --code 11XEXAMPLE --storage-cost 300 \\
            --storage-price 20 --feed-in 0.08 --retail 0.32
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Number of the area.", transform: Quantities.definedArea) var area: UInt16
    @Option(
      name: .long, help: "Letters such as EUR or PLN, or an ISO 4217 number; EUR unless given.",
      transform: Typed.currency)
    var currency: Currency?
    @Option(
      name: .long, help: "EIC code, at most 16 ASCII characters.", transform: Typed.symbol)
    var code: Label
    @Option(
      name: .long, help: "Target storage cost per account, such as 300 (currency).",
      transform: Typed.money)
    var storageCost: Money
    @Option(
      name: .long, help: "Storage price, such as 20 (currency per kWh of capacity).",
      transform: Typed.money)
    var storagePrice: Money
    @Option(
      name: .long, parsing: .unconditional,
      help: "Feed-in price that the grid pays, such as 0.08 (per kWh); at most the retail price.",
      transform: Typed.price)
    var feedIn: Price
    @Option(
      name: .long, parsing: .unconditional,
      help: "Retail price that the grid charges, such as 0.32 (per kWh); may be negative.",
      transform: Typed.price)
    var retail: Price
    @Option(
      name: .long, help: "Production lost before storage, in per cent, such as 2.5.",
      transform: Typed.rate)
    var loss: Rate?

    private func explanation(_ rejection: Rejection) -> String? {
      guard rejection.code == .alreadyExists else {
        return GridPrices.explanation(feedIn: feedIn, retail: retail)(rejection)
      }
      return
        "alreadyExists: there is an area \(area) already. `joulebook admin tariff` changes its prices "
        + "of the grid, `joulebook admin parameter` storage and loss; for another area choose "
        + "another number"
    }

    func run() throws {
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(
          .reference(
            .createArea(
              CreateArea(
                area: AreaId(area), currency: currency ?? .eur, code: code,
                storageCost: storageCost,
                storagePrice: storagePrice, feedInPrice: feedIn, retailPrice: retail,
                lossFactor: loss ?? .zero))))
      }
    }
  }

  struct MakeInstrument: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "instrument", abstract: "Lists a spot instrument.",
      discussion: """
        Prices are in the area's currency per kWh.

          joulebook admin instrument 1 --area 1 --symbol SPOT --tick 0.001 --lot 1kWh \\
            --lowest 0 --highest 1
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Number of the instrument.", transform: Quantities.defined)
    var instrument: UInt32
    @Option(
      name: .long, help: "Number of the area whose energy it trades.",
      transform: Quantities.definedArea)
    var area: UInt16
    @Option(name: .long, help: "Symbol, at most 16 ASCII characters.", transform: Typed.symbol)
    var symbol: Label
    @Option(name: .long, help: "Price increment, such as 0.001.", transform: Typed.price)
    var tick: Price
    @Option(
      name: .long, help: "Quantity increment, such as 1kWh or 100Wh.", transform: Typed.energy)
    var lot: Energy
    @Option(
      name: .long, parsing: .unconditional, help: "Lowest price; may be negative.",
      transform: Typed.price)
    var lowest: Price
    @Option(
      name: .long, parsing: .unconditional, help: "Highest price.", transform: Typed.price)
    var highest: Price
    @Option(
      name: .long, help: "Fee of the resting order in per cent, such as 0.1.",
      transform: Typed.rate)
    var makerFee: Rate?
    @Option(
      name: .long, help: "Fee of the incoming order in per cent, such as 0.2.",
      transform: Typed.rate)
    var takerFee: Rate?

    private func explanation(_ rejection: Rejection) -> String? {
      if rejection.code == .badDefinition, let band = tooWide(rejection) { return band }
      guard rejection.code == .alreadyExists else { return nil }
      return
        "alreadyExists: there is an instrument \(instrument) already. `joulebook admin parameter` "
        + "changes its tick, lot, band and fees; for another instrument choose another number"
    }

    /// The text of a reject because the price band has too many prices.
    private func tooWide(_ rejection: Rejection) -> String? {
      guard rejection.field == .highestPrice, rejection.limit != highest.ticks, tick > .zero
      else { return nil }
      return
        "badDefinition: from \(lowest.decimal) to \(highest.decimal) are \(rejection.limit) steps of "
        + "\(tick.decimal); a band has at most 16777215. Narrow the band or take a larger tick"
    }

    func run() throws {
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(
          .reference(
            .createInstrument(
              CreateInstrument(
                instrument: InstrumentId(instrument), area: AreaId(area), kind: .spot,
                symbol: symbol,
                tick: tick, lot: lot, lowestPrice: lowest, highestPrice: highest,
                makerFee: makerFee ?? .zero, takerFee: takerFee ?? .zero))))
      }
    }
  }

  /// The prices of the surrounding grid.
  enum GridPrices {
    /// The text of a reject of these prices; `nil` for the general text of its code.
    static func explanation(feedIn: Price, retail: Price) -> (Rejection) -> String? {
      { rejection in
        guard rejection.code == .badDefinition, feedIn > retail else { return nil }
        return
          "badDefinition: feed-in \(feedIn.decimal) is above retail \(retail.decimal): a "
          + "customer who imports and exports the same energy would earn money. Feed-in is at most "
          + "the retail price"
      }
    }
  }

  /// Arguments of a deposit or a withdrawal.
  struct Movement: ParsableArguments {
    @Argument(help: "Account number.") var account: AccountId
    @Argument(help: "Amount in units of the currency, such as 100.50.", transform: Typed.money)
    var amount: Money
    @Option(
      name: .long, help: "Letters such as EUR or PLN, or an ISO 4217 number; EUR unless given.",
      transform: Typed.currency)
    var currency: Currency?
    @Option(
      name: .long,
      help: "Your number of this payment, above 0; a repeated number is rejected.",
      transform: Quantities.reference)
    var reference: UInt64
    @Option(
      name: .long,
      help:
        "Where the number comes from, such as one bank: 1 to 65534. Each has its own numbers, in any order; 0: your own, one series per account.",
      transform: Quantities.source)
    var source: UInt16 = 0

    func validate() throws {
      if amount <= .zero {
        throw ValidationError(
          "an amount is above 0. `joulebook admin deposit` pays cash in, `withdraw` takes it out")
      }
    }

    /// The text of a reject of the amount, in the unit in which it was typed.
    func explanation(_ rejection: Rejection) -> String? {
      guard rejection.code == .badAmount else { return nil }
      return
        "badAmount: \(amount.decimal) is above the highest amount, "
        + Money(units: rejection.limit).decimal
    }

    var movement: CashMovement {
      CashMovement(
        account: account, currency: currency ?? .eur, amount: amount, reference: reference,
        source: source)
    }
  }

  struct Deposit: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Credits cash to an account.",
      discussion: """
          joulebook admin deposit 10 100.50 --reference 1
          joulebook admin deposit 10 20 --source 7 --reference 202606010042
        """)
    @OptionGroup var server: OperatorConnection
    @OptionGroup var what: Movement

    func run() throws {
      try server.execute(explaining: what.explanation) { client throws(ClientError) in
        try client.submit(.cash(.deposit(what.movement)))
      }
    }
  }

  struct Withdraw: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Debits free cash from an account.",
      discussion: """
        Cash that is reserved for open bids cannot be withdrawn.

          joulebook admin withdraw 10 20 --reference 2
        """)
    @OptionGroup var server: OperatorConnection
    @OptionGroup var what: Movement

    func run() throws {
      try server.execute(explaining: what.explanation) { client throws(ClientError) in
        try client.submit(.cash(.withdraw(what.movement)))
      }
    }
  }

  struct Cap: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Sets the storage cap of an account in an area.",
      discussion: """
        Without --cap the area's default cap applies again.

          joulebook admin cap 10 --area 1 --cap 10kWh
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Account number.") var account: AccountId
    @Option(name: .long, help: "Number of the area.", transform: Quantities.definedArea)
    var area: UInt16
    @Option(name: .long, help: "Most energy stored, such as 10kWh.", transform: Typed.energy)
    var cap: Energy?

    func validate() throws {
      if let cap, cap < .zero {
        throw ValidationError("--cap cannot be below zero; leave it out for the area's default cap")
      }
    }

    /// The text of a reject of the cap, in the unit in which it was typed.
    private func explanation(_ rejection: Rejection) -> String? {
      guard rejection.code == .badDefinition, let cap else { return nil }
      return
        "badDefinition: a cap of \(cap.kilowattHours)kWh is too high; the highest is "
        + "\(Energy(wattHours: 1 << 50).kilowattHours)kWh"
    }

    func run() throws {
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(
          .reference(
            .setCap(SetCap(account: account, area: AreaId(area), cap: cap ?? Energy(wattHours: -1)))
          ))
      }
    }
  }

  struct Tariff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Changes the prices of the surrounding grid.",
      discussion: """
        Prices are in the area's currency per kWh. With --from they are announced, and take effect \
        together at that moment.

          joulebook admin tariff 1 --feed-in 0.08 --retail 0.32
          joulebook admin tariff 1 --feed-in 0.09 --retail 0.35 --from 2026-12-01T00:00:00+01:00
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Area number.", transform: Quantities.definedArea) var area: UInt16
    @Option(
      name: .long, parsing: .unconditional,
      help: "Feed-in price that the grid pays, such as 0.08; at most the retail price.",
      transform: Typed.price)
    var feedIn: Price
    @Option(
      name: .long, parsing: .unconditional,
      help: "Retail price that the grid charges, such as 0.32; may be negative.",
      transform: Typed.price)
    var retail: Price
    @Option(
      name: .long, help: "UTC, such as 2026-12-01T00:00:00Z; without it, at once.",
      transform: Typed.time)
    var from: Timestamp?

    func validate() throws {
      // The exchange compares prices that are announced when they take effect.
      if from != nil, feedIn > retail {
        throw ValidationError(
          "feed-in \(feedIn.decimal) is above retail \(retail.decimal); it is at most the retail price"
        )
      }
    }

    func run() throws {
      let words = GridPrices.explanation(feedIn: feedIn, retail: retail)
      guard let from else {
        let tariff = SetTariff(area: AreaId(area), feedInPrice: feedIn, retailPrice: retail)
        return try server.execute([.reference(.setTariff(tariff))], explaining: words)
      }
      let prices = [(Parameter.retailPrice, retail), (.feedInPrice, feedIn)]
      try server.announcing(.area, UInt32(area)) {
        try server.execute(
          prices.map { parameter, price in
            .reference(
              .setParameter(
                SetParameter(
                  subject: .area, number: UInt32(area), parameter: parameter, value: price.ticks,
                  from: from)))
          }, explaining: words)
      }
    }
  }

  struct State: ParsableCommand {
    /// A state that the command line can set.
    enum Choice: String, CaseIterable, ExpressibleByArgument {
      case open, halted, closed
      var state: InstrumentState {
        switch self {
        case .open: .open
        case .halted: .halted
        case .closed: .closed
        }
      }
    }

    static let configuration = CommandConfiguration(
      abstract: "Opens, halts or closes an instrument.",
      discussion: """
        Closing cancels the open orders and is final.

          joulebook admin state 1 halted
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Instrument number.") var instrument: UInt32
    @Argument(help: "open, halted or closed.") var state: Choice

    func run() throws {
      try server.execute { client throws(ClientError) in
        try client.submit(
          .reference(
            .setInstrumentState(
              SetInstrumentState(instrument: InstrumentId(instrument), state: state.state))))
      }
    }
  }
}
