#if DEBUG
  import Glibc
  import MarketModel

  /// A command that ends or blocks the process, for tests of crash handling. Debug builds only;
  /// Tests/hotpath/run.sh checks that a release build does not contain it.
  enum CommandTrap {
    /// Applying a transfer of this amount traps.
    private static let trap = number("JOULEBOOK_TEST_TRAP")
    /// Applying a transfer of this amount never returns.
    private static let hang = number("JOULEBOOK_TEST_HANG")

    private static func number(_ name: String) -> Int64? {
      getenv(name).flatMap { Int64(String(cString: $0)) }
    }

    /// Traps or blocks if the environment selects this command.
    @inline(never) static func trapIfSelected(_ command: borrowing Command) {
      guard trap != nil || hang != nil, case .cash(.transfer(let transfer)) = command.body else {
        return
      }
      if transfer.amount == trap { fatalError("a command that the exchange cannot apply") }
      while transfer.amount == hang { usleep(10_000) }
    }
  }
#endif
