import JoulebookClient
import MarketModel
import Testing

@Suite("Bills and debts have names")
struct BillTests {
  @Test("A bill begins with name and address; the list of debts has names, and nobody else.")
  func names() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data, options: ["--set", "capacity.orders=4096"])
    let village = Village()
    try village.setUp(on: server)
    let desk = try village.operatorClient(server)
    try desk.settle(
      desk.submit(
        .reference(
          .createAccount(CreateAccount(account: AccountId(12), participant: ParticipantId(2))))))
    desk.close()
    #expect(server.stop() == 0)
    let nobody = try Joulebook.run(["ledger", "statement", "999", "--data", data])
    #expect(
      nobody.status == 66 && nobody.errors.contains("there is no account 999")
        && nobody.output.isEmpty, "\(nobody)")
    let idle = try Joulebook.run(["ledger", "statement", "12", "--data", data])
    #expect(idle.status == 0 && idle.output.hasPrefix("Account 12\n"), "\(idle)")
    func run(_ words: String...) throws -> String {
      try Joulebook.run(words + ["--data", data]).output
    }
    #expect(try run("ledger", "statement", "10").hasPrefix("Account 10\n"))
    _ = try run(
      "people", "set", "10", "--name", "Müller, Anna", "--postcode", "3013", "--city", "Bern")
    #expect(
      try run("ledger", "statement", "10").hasPrefix("Müller, Anna\n3013 Bern\n\nAccount 10\n"))
    #expect(try run("ledger", "statement", "10", "--format", "csv").hasPrefix("transfer,"))
    #expect(try run("ledger", "balances", "--owing").hasPrefix("account  unit  owes  name\n"))
    #expect(try !run("ledger", "balances", "--owing").contains("EUR"))
  }
}
