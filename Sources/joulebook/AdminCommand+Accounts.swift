import ArgumentParser
import JoulebookClient
import MarketFile
import MarketModel

extension AdminCommand {
  struct MakeAccount: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "account", abstract: "Opens, labels, closes or reopens an account.",
      discussion: """
        With --participant it opens an account; without it, it changes one that there is. An account \
        is closed when nothing is left in it: no open orders and standing instructions, no cash and \
        energy, no meters. Its numbers and its history stay.

          joulebook admin account 10 --participant 2
          joulebook admin account 12 --participant 2 --label "Flat 3"
          joulebook admin account 12 --label "Flat 3, left"
          joulebook admin account 12 --close
          joulebook admin account 12 --reopen
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "Number of the account.") var account: AccountId
    @Option(name: .long, help: "Number of the participant that owns it; opens the account.")
    var participant: UInt32?
    @Option(
      name: .long,
      help:
        "What people call it, at most 16 ASCII characters; for full names see `joulebook people`.",
      transform: Typed.label)
    var label: Label?
    @Flag(name: .long, help: "Closes the account, in which nothing is left.") var close = false
    @Flag(name: .long, help: "Opens a closed account again.") var reopen = false

    func validate() throws {
      if close, reopen { throw ValidationError("give --close or --reopen, not both") }
      if participant != nil, close || reopen {
        throw ValidationError(
          "--participant opens a new account: leave it out to close or reopen one that there is")
      }
      if participant == nil, label == nil, !close, !reopen {
        throw ValidationError(
          "name the --participant of a new account; or change one that there is with --label, "
            + "--close or --reopen")
      }
    }

    func run() throws {
      var commands: [Command.Body] = []
      if let participant {
        let new = CreateAccount(
          account: account, participant: ParticipantId(participant), label: label ?? .empty)
        commands.append(.reference(.createAccount(new)))
      } else {
        let set = SetAccount(
          account: account, label: label ?? .empty,
          state: close ? .closed : reopen ? .open : .unchanged)
        commands.append(.reference(.setAccount(set)))
      }
      try server.execute(commands, explaining: explanation)
    }

    /// The text of a reject that says how many, and what to do first.
    private func explanation(_ rejection: Rejection) -> String? {
      let (count, number) = (rejection.limit, account.rawValue)
      return switch rejection.code {
      case .accountOrdersLeft:
        "accountOrdersLeft: account \(number) has \(count) open orders and standing instructions: "
          + "`joulebook admin list orders --account \(number)`, and instructions likewise, name them; "
          + "`joulebook admin cancel` ends them"
      case .accountBalancesLeft:
        "accountBalancesLeft: account \(number) has, or owes, \(count) balances of cash and energy: "
          + "`joulebook admin list balances --account \(number)` names them; withdraw or deposit the "
          + "cash, and transfer the energy"
      case .accountMetersLeft:
        "accountMetersLeft: account \(number) has \(count) meters: `joulebook admin list meters "
          + "--account \(number)` names them; `joulebook admin meter NUMBER --account 0` ends one"
      default: nil
      }
    }
  }
}
