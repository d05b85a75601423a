// The operator's commands about meters' readings: decisions about the quarantine, and where a meter stands.

import ArgumentParser
import JoulebookClient
import MarketFile
import MarketModel

extension AdminCommand {
  /// `joulebook admin decide-reading`.
  struct Decide: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "decide-reading",
      abstract: "Releases a reading from quarantine, or refuses it.",
      discussion: """
        A reading above the meter's rated power, ahead of the exchange's time, or with a register sequence \
        above 2^62 is rejected and kept in quarantine, because it may be true. Released, it counts \
        whatever the rated power and the register sequence; refused, it is removed.

          joulebook admin list quarantine
          joulebook admin decide-reading --number 1 --release
          joulebook admin decide-reading --number 2 --refuse
        """)
    @OptionGroup var server: OperatorConnection
    @Option(
      name: .long, help: "Number of the reading in `joulebook admin list quarantine`.",
      transform: Self.number)
    var number: UInt64
    @Flag(name: .long, help: "The reading counts.") var release = false
    @Flag(name: .long, help: "The reading is removed.") var refuse = false

    private static func number(_ text: String) throws(ValueError) -> UInt64 {
      try Typed.number(text, in: 1...UInt64.max)
    }

    func validate() throws {
      if release == refuse { throw ValidationError("give --release or --refuse") }
    }

    /// The text of a reject: the general texts of these codes are about a reading's sender.
    private func explanation(_ rejection: Rejection) -> String? {
      switch rejection.code {
      case .unknownQuarantine:
        "unknownQuarantine: there is no reading \(number) in quarantine, where \(rejection.limit) are; "
          + "see `joulebook admin list quarantine`"
      case .intervalInFuture:
        "intervalInFuture: the interval ends after the exchange's time and cannot count yet; refuse the "
          + "reading, or release it when its interval is over"
      default: nil
      }
    }

    func run() throws {
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(
          .metering(.decideReading(DecideReading(number: number, releases: release))))
      }
    }
  }

  /// `joulebook admin set-meter-place`.
  struct SetMeterPlaceOf: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set-meter-place", abstract: "Says where a meter stands.",
      discussion: """
        The place is listed with the meter, and means nothing to the exchange. Without --place none is \
        told.

          joulebook admin set-meter-place 100 --place "Hof 3, roof"
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Number of the meter.", transform: Quantities.defined) var meter: UInt32
    @Option(name: .long, help: "At most 16 ASCII characters.", transform: Typed.place)
    var place = Label.empty

    func run() throws {
      try server.execute { client throws(ClientError) in
        try client.submit(
          .reference(.setMeterPlace(SetMeterPlace(meter: MeterId(meter), place: place))))
      }
    }
  }
}
