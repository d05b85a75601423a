// `text-gateway`: an exchange with the binary gateway on one port and the text gateway on another.

import ArgumentParser
import Foundation
import JoulebookServer
import Logging
import MarketModel

@main
struct TextGatewayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "text-gateway", abstract: "An exchange with a text gateway beside the binary one.")

  @Option(help: "Data folder.") var data: String
  @Option(help: "address:port of the binary gateway; 0: a free one.") var listen = "127.0.0.1:9100"
  @Option(help: "address:port of the text gateway.") var text = "127.0.0.1:9101"
  @Option(help: "File with a user a line: name password session account.") var users: String
  @Flag(help: "Allow plain text on addresses that others can reach.") var insecure = false
  @Option(help: "ms by which orders outlive the connection.") var cancelAfter: UInt32 = 10_000

  func run() throws {
    SignalWatch.arm()
    var setting = JoulebookServer.Configuration()
    (setting.dataFolder, setting.insecure) = (data, insecure ? .yes : .no)
    (setting.host, setting.port) = try type(of: setting).parseAddress(listen)
    let (host, port) = try type(of: setting).parseAddress(text)
    let file = try DataFolder.text(of: users)
    let known = try file.split(separator: "\n").map(User.init)
    let plan = GatewayPlan("text", host: host, port: port) { [cancelAfter] seat, network in
      TextGateway(seat, network, known, cancelAfter: cancelAfter)
    }
    let server = try Server(setting, gateways: [plan], log: Logger(label: "text-gateway"))
    _ = SignalWatch.start(stop: { [stopper = server.stopper] _ in stopper.stop() }, reload: {})
    print("listening on \(server.address) (binary)")
    print("listening on \(host):\(server.ports["text"] ?? 0) (text)")
    fflush(nil)
    print("stopped after command \(server.run().lastSequence.rawValue)")
  }
}

/// Who may log on: as which session, and for which account it trades.
struct User {
  let (name, password, session, account): (String, String, SessionId, AccountId)

  init(_ line: Substring) throws {
    let words = line.split(separator: " ").map(String.init)
    guard words.count == 4, let session = UInt32(words[2]), let account = UInt32(words[3]) else {
      throw ValidationError("users: `\(line)` is not `name password session account`")
    }
    (name, password, self.session) = (words[0], words[1], SessionId(session))
    self.account = AccountId(account)
  }
}
