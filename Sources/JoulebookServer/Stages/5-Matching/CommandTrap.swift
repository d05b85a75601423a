#if DEBUG
  import Glibc
  import MarketModel

  /// A command that ends the process, for tests of what happens then. Debug builds only: a release build has
  /// nothing of it (Tests/hotpath/run.sh looks).
  enum CommandTrap {
    /// The transfer of so much traps, whoever applies it.
    private static let trap = number("JOULEBOOK_TEST_TRAP")
    /// The transfer of so much never ends.
    private static let hang = number("JOULEBOOK_TEST_HANG")

    private static func number(_ name: String) -> Int64? {
      getenv(name).flatMap { Int64(String(cString: $0)) }
    }

    /// Ends the process, or hangs, if that is what the environment asks of this command.
    @inline(never) static func meet(_ command: borrowing Command) {
      guard trap != nil || hang != nil, case .cash(.transfer(let transfer)) = command.body else {
        return
      }
      if transfer.amount == trap { fatalError("a command that the exchange cannot apply") }
      while transfer.amount == hang { usleep(10_000) }
    }
  }
#endif
