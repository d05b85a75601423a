import ArgumentParser

/// The `joulebook` command: one binary for the server, the demo, the tools and the operator.
@main
struct Joulebook: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "joulebook",
    abstract: "An energy exchange: orders wait for the energy behind them.",
    discussion: """
      See a market trade:    joulebook demo
      Run a server:          joulebook serve --data my-exchange
      Administer the server: joulebook admin status --data my-exchange
      Make a whole market:   joulebook serve --data my-exchange --market village.yaml
      Check a journal:       joulebook replay my-exchange
      See what happened:     joulebook report my-exchange
      Watch it:              joulebook top --data my-exchange
      Import meter readings: joulebook import readings.csv

      Exit codes are those of sysexits.h: 64 usage, 65 damaged data, 66 input not found, 69 server \
      or ledger unavailable, 70 a check failed, 73 or 74 disk error, 75 try again later, 77 \
      refused by the exchange, 78 configuration.
      """,
    version: ProgramVersion.text,
    subcommands: [
      Demo.self, Serve.self, Settle.self, Wait.self, Replay.self, SnapshotCommand.self,
      JournalCommand.self,
      LedgerCommand.self,
      MarketCommand.self, TariffCommand.self, PeopleCommand.self, AdminCommand.self,
      Explain.self, Top.self, ReportCommand.self, ListCommand.self, ImportCommand.self,
      LoadCommand.self, Simulate.self,
    ])

  /// Parses the command line and runs its command.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let arguments = Array(CommandLine.arguments.dropFirst())
      if let words = NegativeArgument.explanation(arguments, parser: fullMessage(for: error)) {
        exit(withError: Failure.usage.exit(words))
      }
      exit(withError: error)
    }
  }
}
