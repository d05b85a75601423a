import ArgumentParser

/// The command of the exchange: one binary for server, demo, tools and operator.
@main
struct Joulebook: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "joulebook",
    abstract: "An energy exchange: orders wait for the energy behind them.",
    discussion: """
      A first look:         joulebook demo
      A server:             joulebook serve --data my-exchange
      An operator's act:    joulebook admin status --data my-exchange
      What a journal holds: joulebook replay my-exchange

      Exit codes are those of sysexits.h: 64 usage, 65 damaged data, 66 no such input,
      69 server or ledger unavailable, 70 a check failed, 73 or 74 disk, 77 refused, 78 configuration.
      """,
    version: ProgramVersion.text,
    subcommands: [
      Demo.self, Serve.self, Wait.self, Replay.self, SnapshotCommand.self, JournalCommand.self,
      LedgerCommand.self,
      AdminCommand.self,
      Explain.self, LoadCommand.self, Simulate.self,
    ])
}
