import ArgumentParser
import JoulebookClient
import MarketModel

extension AdminCommand {
  struct MakeArea: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "area", abstract: "Opens a market area.",
      discussion: "The default cap is 2 x storage cost / (1.5 x storage price), in kWh.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Its number.") var area: UInt16
    @Option(name: .long, help: "EUR, CHF, USD, GBP or an ISO 4217 number.")
    var currency = Currency.eur
    @Option(name: .long, help: "EIC code, up to 16 characters.") var code: Label
    @Option(name: .long, help: "Target storage cost per user.") var storageCost: Money
    @Option(name: .long, help: "Storage price per kWh of capacity.") var storagePrice: Money
    @Option(name: .long, help: "What the grid pays per kWh.") var feedIn: Price
    @Option(name: .long, help: "What the grid charges per kWh.") var retail: Price
    @Option(name: .long, help: "Per cent of production lost on its way into the storage.")
    var loss: Rate?

    func run() throws {
      try server.tell { client throws(ClientError) in
        try client.submit(
          .reference(
            .createArea(
              CreateArea(
                area: AreaId(area), currency: currency, code: code, storageCost: storageCost,
                storagePrice: storagePrice, feedInPrice: feedIn, retailPrice: retail,
                lossFactor: loss ?? .zero))))
      }
    }
  }

  struct MakeInstrument: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "instrument", abstract: "Lists a spot instrument.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Its number.") var instrument: UInt32
    @Option(name: .long, help: "Whose energy.") var area: UInt16
    @Option(name: .long, help: "Symbol, up to 16 characters.") var symbol: Label
    @Option(name: .long, help: "Price step per kWh.") var tick: Price
    @Option(name: .long, help: "Quantity step: 1kWh, 100Wh.") var lot: Energy
    @Option(name: .long, parsing: .unconditional, help: "Lowest price; may be negative.")
    var lowest: Price
    @Option(name: .long, parsing: .unconditional, help: "Highest price.") var highest: Price
    @Option(name: .long, help: "Fee of the resting side, per cent.") var makerFee: Rate?
    @Option(name: .long, help: "Fee of the entering side, per cent.") var takerFee: Rate?

    func run() throws {
      try server.tell { client throws(ClientError) in
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

  /// What a deposit and a withdrawal name.
  struct Movement: ParsableArguments {
    @Argument(help: "Account number.") var account: AccountId
    @Argument(help: "How much, such as 100.50.") var amount: Money
    @Option(name: .long, help: "EUR, CHF, USD, GBP or an ISO 4217 number.")
    var currency = Currency.eur
    @Option(
      name: .long, help: "Your number for it, higher than the account's last: resending is safe.")
    var reference: UInt64

    var movement: CashMovement {
      CashMovement(account: account, currency: currency, amount: amount, reference: reference)
    }
  }

  struct Deposit: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Credits cash to an account.")
    @OptionGroup var server: OperatorConnection
    @OptionGroup var what: Movement

    func run() throws {
      try server.tell { client throws(ClientError) in
        try client.submit(.cash(.deposit(what.movement)))
      }
    }
  }

  struct Withdraw: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Debits free cash of an account.")
    @OptionGroup var server: OperatorConnection
    @OptionGroup var what: Movement

    func run() throws {
      try server.tell { client throws(ClientError) in
        try client.submit(.cash(.withdraw(what.movement)))
      }
    }
  }

  struct Cap: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Gives an account its own storage cap in an area.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Account number.") var account: AccountId
    @Option(name: .long, help: "Where.") var area: UInt16
    @Option(name: .long, help: "Such as 10kWh; the area's default unless given.") var cap: Energy?

    func run() throws {
      try server.tell { client throws(ClientError) in
        try client.submit(
          .reference(
            .setCap(SetCap(account: account, area: AreaId(area), cap: cap ?? Energy(wattHours: -1)))
          ))
      }
    }
  }

  struct Tariff: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Changes what the surrounding grid pays and charges.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Area number.") var area: UInt16
    @Option(name: .long, help: "What the grid pays per kWh.") var feedIn: Price
    @Option(name: .long, help: "What the grid charges per kWh.") var retail: Price

    func run() throws {
      try server.tell { client throws(ClientError) in
        try client.submit(
          .reference(
            .setTariff(SetTariff(area: AreaId(area), feedInPrice: feedIn, retailPrice: retail))))
      }
    }
  }

  struct State: ParsableCommand {
    /// What an instrument can be.
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
      abstract: "Opens, halts or closes an instrument; closed is final.")
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Instrument number.") var instrument: UInt32
    @Argument(help: "open, halted or closed.") var state: Choice

    func run() throws {
      try server.tell { client throws(ClientError) in
        try client.submit(
          .reference(
            .setInstrumentState(
              SetInstrumentState(instrument: InstrumentId(instrument), state: state.state))))
      }
    }
  }
}
