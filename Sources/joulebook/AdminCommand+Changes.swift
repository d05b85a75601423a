import ArgumentParser
import JoulebookClient
import MarketFile
import MarketModel

extension AdminCommand {
  struct SetParameterOf: ParsableCommand {
    /// A kind of subject that the command line can name.
    enum Subject: String, CaseIterable, ExpressibleByArgument {
      case area, instrument
      var subject: ParameterSubject { self == .area ? .area : .instrument }
    }

    /// A parameter in the words of the command line.
    enum Choice: String, CaseIterable, ExpressibleByArgument {
      case lowest, highest, tick, lot
      case makerFee = "maker-fee"
      case takerFee = "taker-fee"
      case storageCost = "storage-cost"
      case storagePrice = "storage-price"
      case loss
      case feedIn = "feed-in"
      case retail
      case ownUse = "own-use"
      case localFirst = "local-first"
      case readingWindow = "reading-window"
      case mintedQuality = "minted-quality"
      case unsettled

      var parameter: Parameter {
        switch self {
        case .lowest: .lowestPrice
        case .highest: .highestPrice
        case .tick: .tick
        case .lot: .lot
        case .makerFee: .makerFee
        case .takerFee: .takerFee
        case .storageCost: .storageCost
        case .storagePrice: .storagePrice
        case .loss: .lossFactor
        case .feedIn: .feedInPrice
        case .retail: .retailPrice
        case .ownUse: .ownUse
        case .localFirst: .localFirst
        case .readingWindow: .readingWindow
        case .mintedQuality: .mintedQuality
        case .unsettled: .unsettledLimit
        }
      }

      /// The first version of the market rules under which the parameter has an effect, where it can be
      /// set before.
      var firstRules: UInt32? {
        switch self {
        case .ownUse, .localFirst: AreaReadings.firstRules
        case .readingWindow, .mintedQuality: AreaReadings.firstRulesOfVersions
        default: nil
        }
      }

      private static func isOn(_ text: String) throws(ValueError) -> Bool {
        switch text {
        case "on": true
        case "off": false
        default: throw ValueError("write on or off")
        }
      }

      /// The value in the parameter's unit.
      func value(_ text: String) throws(ValueError) -> Int64 {
        switch self {
        case .lowest, .highest, .tick, .feedIn, .retail: try Typed.price(text).ticks
        case .lot: try Typed.energy(text).wattHours
        case .makerFee, .takerFee, .loss: Int64(try Typed.rate(text).partsPerMillion)
        case .storageCost, .storagePrice, .unsettled: try Typed.money(text).units
        case .ownUse: try Typed.number(text, in: 0...3_600)
        case .localFirst: try Self.isOn(text) ? 1 : 0
        case .readingWindow: try Typed.number(text, in: AreaReadings.windows)
        case .mintedQuality: Int64(try Typed.quality(text).rawValue)
        }
      }
    }

    static let configuration = CommandConfiguration(
      commandName: "parameter",
      abstract: "Changes a parameter of an instrument or an area, now or from a moment on.",
      discussion: """
        Of an instrument: lowest, highest, tick, lot, maker-fee, taker-fee. Of an area: \
        storage-cost, storage-price, loss, feed-in, retail, own-use (seconds, 0 to 3600), local-first \
        (on or off), reading-window (seconds, 3600 to 34560000: how long after its beginning an \
        interval can be read and corrected), minted-quality (measured, substituted or estimated: the \
        worst quality of a reading whose production counts), unsettled (while the trades that the \
        ledger has not confirmed are worth more, bids and asks that would wait are refused; 0: no \
        limit). Resting orders stay unless they no longer \
        fit tick, band or lot, and keep the fees at which they reserved cash. own-use and local-first \
        have an effect from version \(AreaReadings.firstRules) of the rules on, reading-window and \
        minted-quality from version \(AreaReadings.firstRulesOfVersions). Both prices of the grid \
        together: joulebook admin tariff.

          joulebook admin parameter instrument 1 highest --to 4 --from 2026-06-01T22:00:00Z
          joulebook admin parameter area 1 loss --to 2.5
          joulebook admin parameter area 1 local-first --to off
          joulebook admin parameter area 1 minted-quality --to measured
          joulebook admin parameter area 1 unsettled --to 250000
          joulebook admin parameter area 1 retail --to 0.35 --from 2026-12-01T00:00:00+01:00
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "instrument or area.") var subject: Subject
    @Argument(help: "Its number.") var number: UInt32
    @Argument(help: "Name of the parameter.") var parameter: Choice
    @Option(
      name: .customLong("to"), parsing: .unconditional,
      help: "The new value, in the unit in which the subject was defined; may be negative.")
    var value: String
    @Option(
      name: .long, help: "UTC, such as 2026-06-01T22:00:00Z; without it, at once.",
      transform: Typed.time)
    var from: Timestamp?

    func validate() throws {
      do throws(ValueError) {
        _ = try parameter.value(value)
      } catch {
        throw ValidationError("\(parameter.rawValue) cannot be '\(value)': \(error)")
      }
      if parameter.parameter.subject != subject.subject {
        throw ValidationError("\(parameter.rawValue) is no parameter of an \(subject.rawValue)")
      }
    }

    func run() throws {
      let change = SetParameter(
        subject: subject.subject, number: number, parameter: parameter.parameter,
        value: try parameter.value(value), from: from ?? .never)
      if from == nil {
        try send(change)
      } else {
        try server.announcing(subject.subject, number) { try send(change) }
      }
      if let first = parameter.firstRules {
        try server.converse { client throws(ClientError) in
          try OperatorConnection.explain(parameter.rawValue, from: first, client)
        }
      }
    }

    private func send(_ change: SetParameter) throws {
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(.reference(.setParameter(change)))
      }
    }

    /// The text of a reject whose general text does not say what to do.
    private func explanation(_ rejection: Rejection) -> String? {
      guard rejection.code == .badDefinition, parameter == .feedIn || parameter == .retail else {
        return nil
      }
      return
        "badDefinition: feed-in would be above retail; `joulebook admin tariff` changes both prices "
        + "together"
    }
  }
}
