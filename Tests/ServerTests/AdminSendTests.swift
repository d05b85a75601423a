import Foundation
import Testing

@Suite("Operators' commands as text")
struct AdminSendTests {
  @Test("A command sent as text takes effect and is printed with the same text from the journal.")
  func takesEffect() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    func send(_ text: String) throws -> (status: Int32, errors: String) {
      let result = try Joulebook.run([
        "admin", "send", text, "--data", server.data, "--connect", "127.0.0.1:\(server.port)",
      ])
      return (result.status, result.errors)
    }
    let area =
      "createArea area 1 currency 978 code \"11X EXAMPLE\" storageCost 300.00000000 "
      + "storagePrice 200.00000000 feedInPrice 0.08000 retailPrice 0.32000"
    let tariff = "setTariff area 1 feedInPrice 0.09000 retailPrice 0.33000"
    for text in [area, tariff] {
      let (status, errors) = try send(text)
      #expect(status == 0, "\(errors)")
    }
    let again = try send("setTariff retailPrice 0.3 area 9 feedInPrice 0.1")
    #expect(again.status == 77 && again.errors.contains("refused"), "\(again.errors)")
    #expect(server.stop() == 0, "\(server.log)")
    let journal = try Joulebook.run(["journal", "inspect", server.data]).output
    #expect(journal.contains(" s1 \(area)\n") && journal.contains(" s1 \(tariff)\n"), "\(journal)")
  }

  @Test(
    "Text that is not an operator's command is refused with the expected form.",
    arguments: [
      ("setTarif area 1", "there is no command 'setTarif'"),
      ("setTariff area 1 feedInPrice 0.08", "the field retailPrice is missing"),
      ("setCap account 1 area 1 cap much", "cap cannot be 'much'; write energy such as"),
      ("tick", "tick is not an operator's command that can be sent as text; send: cancel"),
      ("transfer from 1 to 2", "transfer is not an operator's"),
    ])
  func refused(text: String, words: String) throws {
    let result = try Joulebook.run(["admin", "send", text])
    #expect(result.status == 64 && result.errors.contains(words), "\(result.errors)")
  }

  @Test("The list has every operator's command with its fields and their units.")
  func list() throws {
    let result = try Joulebook.run(["admin", "send", "--list"])
    #expect(result.status == 0)
    #expect(result.output.contains("setTariff  Changes the prices of the surrounding grid."))
    #expect(
      result.output.contains("  feedInPrice  What the grid pays for exports, at most the retail"))
    for kind in ["registerMeter", "setRules", "withdraw"] {
      #expect(result.output.contains("\n\(kind)  "), "\(kind)")
    }
    for kind in ["enter  ", "tick  ", "checkpoint  "] {
      #expect(!result.output.contains("\n\(kind)"), "\(kind)")
    }
    #expect(try Joulebook.run(["admin", "send"]).status == 64)
    #expect(try Joulebook.run(["admin", "send", "tick", "--list"]).status == 64)
  }
}
