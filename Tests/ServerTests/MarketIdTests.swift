import Foundation
import JoulebookServer
import MarketModel
import Testing

@Suite("The market's id", .serialized)
struct MarketIdTests {
  private func id(_ data: String) throws -> MarketId {
    try #require(try DataFolder(data).fixedMarket().market)
  }

  /// The id that a running server tells its clients.
  private func told(_ server: ServerProcess) throws -> String {
    let status = try Joulebook.run([
      "admin", "status", "--data", server.data, "--connect", "127.0.0.1:\(server.port)",
    ])
    #expect(status.status == 0, "\(status.errors)")
    let line = try #require(
      status.output.split(separator: "\n").first { $0.hasPrefix("market ") })
    return String(line.dropFirst(13))
  }

  @Test("The first start makes it; it stays over restarts and in copies, and two markets differ.")
  func kept() throws {
    let folder = try TemporaryFolder()
    let (data, copy) = (folder.path + "/data", folder.path + "/copy")
    var server = try ServerProcess(data: data)
    let first = try id(data)
    #expect(try told(server) == "\(first)")
    #expect(server.stop() == 0)
    try FileManager.default.copyItem(atPath: data, toPath: copy)
    server = try ServerProcess(data: data)
    #expect(try told(server) == "\(first)")
    #expect(server.stop() == 0)
    server = try ServerProcess(data: copy)
    #expect(try told(server) == "\(first)")
    #expect(server.stop() == 0)
    server = try ServerProcess(data: folder.path + "/other")
    #expect(try told(server) != "\(first)")
    #expect(server.stop() == 0)
  }

  @Test("A folder from before markets had one is given one, and keeps all else that it fixed.")
  func olderFolder() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    var server = try ServerProcess(data: data, options: ["--set", "capacity.orders=1000"])
    #expect(server.stop() == 0)
    let file = DataFolder(data).market
    let former = try DataFolder.text(of: file).split(separator: "\n")
      .filter { !$0.hasPrefix("market:") }.joined(separator: "\n")
    try former.write(toFile: file, atomically: true, encoding: .utf8)
    #expect(try DataFolder(data).fixedMarket().market == nil)
    server = try ServerProcess(data: data)
    let made = try id(data)
    #expect(try told(server) == "\(made)")
    #expect(server.stop() == 0)
    let line = server.log.split(separator: "\n").filter { $0.contains("was given one") }
    #expect(line.count == 1 && line[0].contains("market=\(made)"), "\(line)")
    #expect(try DataFolder.text(of: file) == former + "\nmarket: \"\(made)\"\n")
    server = try ServerProcess(data: data)
    #expect(try told(server) == "\(made)")
    #expect(server.stop() == 0)
  }

  @Test("It can be chosen before the first start, and not changed afterwards.")
  func chosen() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let wanted = "000102030405060708090a0b0c0d0e0f"
    let server = try ServerProcess(data: data, options: ["--set", "market=\(wanted)"])
    #expect(try told(server) == wanted)
    #expect(server.stop() == 0)
    let other = try Joulebook.run([
      "serve", "--data", data, "--listen", "127.0.0.1:0", "--set",
      "market=ff0102030405060708090a0b0c0d0e0f",
    ])
    #expect(other.status == 78 && other.errors.contains("market is \(wanted) since"), "\(other)")
    let bad = try Joulebook.run(["serve", "--data", data, "--set", "market=7"])
    #expect(bad.status != 0 && bad.errors.contains("is not 32 hexadecimal digits"), "\(bad)")
  }

  @Test("A file with an empty id, or one of zeros, is refused, and nothing is changed.")
  func emptied() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data)
    #expect(server.stop() == 0)
    let file = DataFolder(data).market
    let text = try DataFolder.text(of: file)
    let zeros = String(repeating: "0", count: 32)
    for (id, reason) in [("", "is empty"), (zeros, "zeros")] {
      let spoiled = text.replacing("\(try self.id(data))", with: id)
      #expect(spoiled != text)
      try spoiled.write(toFile: file, atomically: true, encoding: .utf8)
      for _ in 0..<2 {
        let refused = try Joulebook.run(["serve", "--data", data, "--listen", "127.0.0.1:0"])
        #expect(refused.status == 78 && refused.errors.contains(reason), "\(refused)")
      }
      #expect(try DataFolder.text(of: file) == spoiled)
      try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
    let chosen = try Joulebook.run([
      "serve", "--data", folder.path + "/other", "--set", "market=\(zeros)",
    ])
    #expect(chosen.status == 78 && chosen.errors.contains("zeros"), "\(chosen)")
  }
}
