import MarketModel
import Testing

@Suite("Blocks, limits and cancels on the command line")
struct RightsCommandTests {
  @Test("Each command does what its help says, and its errors say what to do.")
  func commands() throws {
    let folder = try TemporaryFolder()
    let village = Village()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=4096"])
    try village.setUp(on: server)
    func admin(_ words: String) throws -> (status: Int32, said: String) {
      let result = try Joulebook.run(
        ["admin"] + words.split(separator: " ").map(String.init)
          + ["--data", server.data, "--connect", "127.0.0.1:\(server.port)"])
      return (result.status, result.output + result.errors)
    }
    for words in [
      "block account 10", "release account 10", "block session 2 --keep-orders",
      "release session 2", "block participant 3", "release participant 3",
      "cancel --participant 2", "cancel --of-session 2 --instrument 1",
      "cancel --participant 2 --account 10 --instructions", "cut 2",
      "limit account 10 openOrders 5", "limit session 2 messagesPerSecond 100",
      "limit participant 2 accounts 7", "limit account 10 openOrders 0",
    ] {
      let result = try admin(words)
      #expect(result.status == 0 && result.said == "done\n", "\(words): \(result.said)")
    }
    let errors: [(String, Int32, String)] = [
      ("cancel", 64, "name --order, --participant or --of-session"),
      ("cancel --order 5 --instructions", 64, "leave out one of the two"),
      ("cancel --order 5", 77, "6001 unknownOrder"),
      ("block session 99", 77, "no session 99 is registered"),
      ("block account 99", 77, "3002 unknownAccount"),
      (
        "limit account 10 messagesPerSecond 5", 64,
        "joulebook admin limit session NUMBER messagesPerSecond 5"
      ),
    ]
    for (words, status, text) in errors {
      let result = try admin(words)
      #expect(result.status == status && result.said.contains(text), "\(words): \(result)")
    }
  }
}
