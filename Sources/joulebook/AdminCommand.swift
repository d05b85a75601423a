import ArgumentParser
import JoulebookClient
import JoulebookServer
import MarketFile
import MarketModel

/// `joulebook admin`.
struct AdminCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "admin",
    abstract: "Administers a running server.",
    discussion: """
      Sets up a market in seven lines, with the operator key that serve made in its data folder:

        joulebook admin area 1 --currency EUR --code 11XEXAMPLE --storage-cost 300 \\
          --storage-price 20 --feed-in 0.08 --retail 0.32
        joulebook admin instrument 1 --area 1 --symbol SPOT --tick 0.001 --lot 1kWh \\
          --lowest 0 --highest 1
        joulebook admin keygen ana.key
        joulebook admin participant 2 --name ana
        joulebook admin session 2 --participant 2 --public-key ana.pub --role trading
        joulebook admin account 10 --participant 2
        joulebook admin deposit 10 100 --currency EUR --reference 1
      """,
    subcommands: [
      Keygen.self, Status.self, MakeParticipant.self, MakeSession.self, MakeAccount.self,
      ResetNumbers.self, CompensateLedger.self,
      MakeArea.self, MakeInstrument.self, MakeMeter.self, Deposit.self, Withdraw.self, Cap.self,
      Tariff.self, SetParameterOf.self, WithdrawChange.self, State.self, TickTo.self, Rules.self,
      SetMeterPlaceOf.self, Decide.self, Block.self,
      Release.self, Cancel.self, Cut.self, Limit.self, Send.self, List.self,
    ])

  /// `joulebook admin keygen`.
  struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes an Ed25519 key pair for a session or a meter.",
      discussion: """
        Writes the private key to FILE (mode 0600) and the public key beside it, with the \
        extension .pub, each as 64 hexadecimal digits. Needs no server. Existing files are not \
        replaced.

          joulebook admin keygen ana.key
        """)
    @Argument(help: "File of the private key, such as ana.key.") var file: String

    func run() throws {
      do throws(ConfigurationError) {
        print("public key in \(try KeyPairFile.generate(at: file).file)")
      } catch {
        throw Failure.io.exit("\(error)")
      }
    }
  }

  /// `joulebook admin status`.
  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints the state of the server.",
      discussion: """
        Prints how many commands are applied, durable and settled, trades, open orders, \
        connections, the version of the market rules, and the hashes of events and state.

        With --ready it prints only "ready" and ends with 0, or with 69 when no exchange answers. \
        This takes no session, so that it disturbs nobody who is logged on. Whether the journal's \
        disk keeps up is on the page /ready of the health server.

          joulebook admin status --data my-exchange
        """)
    @OptionGroup var server: OperatorConnection
    @Flag(name: .long, help: "Only check whether the server is ready.")
    var ready = false

    func run() throws {
      if ready {
        if let obstacle = try server.obstacle() { throw Failure.unavailable.exit(obstacle) }
        print("ready")
        return
      }
      var market: MarketId?
      let status = try server.ask { client throws(ClientError) in
        market = client.market
        return try client.requestStatus(withStateHash: true)
      } _: { event, _ in
        if case .status(let status) = event { status } else { nil }
      }
      print(
        "commands     \(status.lastSequence.rawValue), \(status.durableSequence.rawValue) durable")
      print("settled      \(status.settledSequence.rawValue), batch \(status.settledBatch)")
      if status.historyLag < .max {
        print("history      \(status.historyLag) transfers behind the ledger")
      }
      print("trades       \(status.tradeCount), \(status.openOrderCount) open orders")
      print("connections  \(status.connectionCount)")
      print(
        "rules        version \(status.rulesVersion), this program knows \(RulesVersion.newest)")
      if let market { print("market       \(market)") }
      if status.refusedCommandCount > 0 {
        print(
          "REFUSED      \(status.refusedCommandCount) commands are skipped: see journal/refused")
      }
      print("event hash   \(hexadecimal(status.eventHash))")
      print("state hash   \(hexadecimal(status.stateHash))")
    }
  }

  /// The first public key in a file, or the key of these hexadecimal digits.
  /// - Throws: Exit code 66 when the file cannot be read or contains no key.
  static func publicKey(_ text: String) throws -> PublicKey {
    do throws(ConfigurationError) {
      return try KeyPairFile.publicKey(text)
    } catch {
      throw Failure.noInput.exit("\(error)")
    }
  }
}

extension AdminCommand {
  struct MakeParticipant: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "participant", abstract: "Creates a participant.",
      discussion: """
          joulebook admin participant 2 --name ana
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Number of the participant.", transform: Quantities.defined)
    var participant: UInt32
    @Option(
      name: .long,
      help: "Short name, at most 16 ASCII characters; for full names see `joulebook people`.",
      transform: Typed.label)
    var name: Label

    func run() throws {
      try server.execute { client throws(ClientError) in
        try client.submit(
          .reference(
            .createParticipant(
              CreateParticipant(participant: ParticipantId(participant), name: name))))
      }
    }
  }

  struct MakeMeter: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "meter", abstract: "Registers a meter for an account.",
      discussion: """
        Signed readings of the meter change the energy of the account in the area.

          joulebook admin keygen meter.key
          joulebook admin meter 100 --account 10 --area 1 --public-key meter.pub

        A reading of more energy than the rated power gives in its interval is rejected, and kept in \
        quarantine (joulebook admin decide-reading).

        With --attestation operator a metering operator answers for the meter: sessions with the role \
        metering may send its readings unsigned, and it needs no key.

          joulebook admin meter 101 --account 10 --area 1 --attestation operator --technology solar

        With the number of a registered meter it replaces the key, or moves the meter to another \
        account: intervals that begin before --from belong to the former ones. Account 0 ends it.

          joulebook admin meter 100 --account 11 --area 1 --public-key new.pub \\
            --from 2026-06-01T00:00:00Z
          joulebook admin meter 100 --account 0 --from 2026-07-01T00:00:00Z
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Number of the meter.", transform: Quantities.defined) var meter: UInt32
    @Option(name: .long, help: "Number of the account that it meters; 0: none any more.")
    var account: AccountId
    @Option(
      name: .long, help: "Number of the area that it feeds.", transform: Quantities.definedArea)
    var area: UInt16?
    @Option(name: .long, help: "File of the public key that signs its readings, or its 64 digits.")
    var publicKey: String?
    @Option(
      name: .long, parsing: .unconditional,
      help: "Rated power of what it meters, W; 0: the default of 100,000 W.")
    var capacity: Int64 = 0
    @Option(
      name: .long, help: "UTC, such as 2026-06-01T00:00:00Z; without it, from now on.",
      transform: Typed.time)
    var from: Timestamp?
    @Flag(
      name: .long,
      help: "Sessions with the trading role of the account's participant may send its readings.")
    var ownReadings = false
    @Option(
      name: .long,
      help: """
        Who answers for its readings: device, whose key signs them, or operator; of a new meter device \
        unless given.
        """,
      transform: Typed.attestation)
    var attestation: MeterAttestation?
    @Option(
      name: .long,
      help: """
        What it measures: solar, wind, hydro, biomass, cogeneration, battery, vehicle or consumption.
        """, transform: Typed.technology)
    var technology: MeterTechnology?

    /// The text of a reject of a change; the general texts of these codes describe other commands.
    private func explanation(_ rejection: Rejection) -> String? {
      switch rejection.code {
      case .unknownAccount where account == .null:
        "unknownMeter: there is no meter \(meter) to end; see `joulebook admin list meters`"
      case .alreadyExists:
        "alreadyExists: meter \(meter) is registered with this account, area and key already"
      case .overlappingInterval:
        "overlappingInterval: the meter's last reading ends at "
          + "\(Timestamp(nanoseconds: UInt64(bitPattern: rejection.limit)).iso8601): let the change "
          + "hold from then on, or later (--from)"
      case .formerReadingsMissing:
        "formerReadingsMissing: the meter changed at "
          + "\(Timestamp(nanoseconds: UInt64(bitPattern: rejection.limit)).iso8601), and its readings "
          + "of the time before have not all come. Wait for them; or leave --from out: that gives them up"
      case .badDefinition where rejection.field == .capacity && from != nil:
        "badDefinition: a rated power cannot be announced. Leave --capacity out, and give it in a "
          + "command without --from when the change has come"
      default: nil
      }
    }

    func validate() throws {
      guard capacity >= 0 else {
        throw ValidationError("--capacity \(capacity) is negative; give the rated power in W")
      }
      if account != .null, area == nil || publicKey == nil && attestation != .meteringOperator {
        throw ValidationError(
          "name the --area that it feeds and the file of its --public-key; `joulebook admin keygen "
            + "FILE` makes one. Only --account 0, which ends the meter, needs neither")
      }
    }

    func run() throws {
      let key = try publicKey.map { try AdminCommand.publicKey($0) } ?? PublicKey(0, 0, 0, 0)
      let superseded = try server.announcedChange(ofMeter: meter)
      let known = try server.listedMeter(meter)
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(
          .reference(
            .registerMeter(
              RegisterMeter(
                meter: MeterId(meter), account: account, area: AreaId(area ?? 0), publicKey: key,
                capacity: capacity, from: from ?? .never, ownReadings: ownReadings,
                attestation: attestation ?? known?.attestation ?? .device,
                technology: technology ?? known?.technology ?? .unknown))))
      }
      if let superseded {
        printError(
          "joulebook: meter \(meter): what was announced for \(superseded.from.iso8601) does not come; "
            + "this takes its place")
      }
    }
  }

  struct Rules: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Puts a newer version of the market rules in force.",
      discussion: """
        A new market starts with the newest version that its program knows. A market that an older \
        program started keeps its version, so that its journal replays to the same state, until an \
        operator sends this command. It cannot be undone. docs/MARKET-RULES.md lists what each \
        version changes; `joulebook admin status` prints the version in force.

          joulebook admin rules \(RulesVersion.newest)
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "The version, above the one in force.") var version: UInt32

    func run() throws {
      try server.execute(explaining: explanation) { client throws(ClientError) in
        try client.submit(.control(.setRules(SetRules(version: version))))
      }
    }

    /// The text of a reject of SetRules; the general texts of these codes describe other
    /// definitions.
    private func explanation(_ rejection: Rejection) -> String? {
      let limit = rejection.limit
      switch rejection.code {
      case .alreadyExists:
        return
          "version \(version) of the rules is in force already; this program knows versions up to "
          + "\(RulesVersion.newest)"
      case .outOfRange:
        return
          "the server's program knows versions of the rules up to \(limit), not \(version): start "
          + "the server with a newer program first. `joulebook admin status` prints the version in "
          + "force"
      case .badDefinition:
        return
          "version \(limit) of the rules is in force and cannot be replaced by \(version); this "
          + "program knows versions up to \(RulesVersion.newest)"
      default: return nil
      }
    }
  }

  struct TickTo: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "tick", abstract: "Advances the market's time.",
      discussion: """
        Orders that expire by then are cancelled. With `clock: driven` in its configuration the \
        server has no other source of time. On a server with the system's clock it does nothing, \
        which is said.

          joulebook admin tick 2026-06-01T12:00:00Z
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(
      help: "UTC, such as 2026-06-01T12:00:00Z, or with an offset such as +02:00.",
      transform: Typed.time)
    var time: Timestamp

    func run() throws {
      let before = try server.marketTime()
      if before > time {
        throw Failure.refused.exit(
          "the market's time is \(before.iso8601) already, and never goes back: nothing was done")
      }
      try server.ask { client throws(ClientError) in
        try client.tick(to: time)
      } _: { event, reference -> ()? in
        if case .acknowledged(reference) = event { () } else { nil }
      }
      let after = try server.marketTime()
      if after < time {
        throw Failure.refused.exit(
          "the server has the system's clock, on which a tick does nothing: the market's time is "
            + "\(after.iso8601). Ticks are for servers with clock: driven")
      }
      print("done")
    }
  }
}
