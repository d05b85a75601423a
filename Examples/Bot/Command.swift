// `market-bot`: quotes both sides of an instrument until SIGTERM.

import ArgumentParser
import Glibc
import JoulebookClient
import MarketModel
import Synchronization

@main
struct MarketBot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "market-bot", abstract: "Quotes both sides of an instrument until SIGTERM.")

  @Option(help: "Where the exchange listens.") var host = "127.0.0.1"
  @Option(help: "The port there.") var port: UInt16 = 9100
  @Option(help: "The session that the operator registered.") var session: UInt32
  @Option(help: "File with the session's private key.") var key: String
  @Option(help: "The account that trades.") var account: UInt32
  @Option(help: "The instrument.") var instrument: UInt32
  @Option(help: "Reference while nobody else quotes both sides, 1e-5 per kWh.") var price: Int64
  @Option(help: "Ask less bid, 1e-5 per kWh.") var spread: Int64 = 2_000
  @Option(help: "Quantity of each quote, Wh.") var quantity: Int64 = 2_000
  @Option(help: "Does not sell below this stored energy, Wh.") var least: Int64
  @Option(help: "Does not buy above this stored energy, Wh.") var most: Int64
  @Option(help: "ms by which orders outlive a lost connection.") var cancelAfter: UInt32 = 10_000

  /// Set by SIGTERM and SIGINT.
  static let isStopping = Atomic<Bool>(false)

  func run() throws {
    for number in [SIGTERM, SIGINT] {
      signal(number) { _ in MarketBot.isStopping.store(true, ordering: .relaxed) }
    }
    let credentials = try Credentials(session: SessionId(session), keyFile: key)
    var options = Client.Options()
    options.orders = .canceled(afterMilliseconds: cancelAfter)
    var bot = Bot(plan: self)
    while !Self.isStopping.load(ordering: .relaxed) {
      do throws(ClientError) {
        let client = try Client(
          host: host, port: port, credentials: credentials, options: options)
        defer { options.resume = client.position }
        try bot.trade(client)
        return client.close()
      } catch {
        Self.say("no connection: \(error)")
        switch error {
        // The server does not know the session version any more: a new one begins.
        case .refused(code: .unknownSessionVersion, limit: _): options.resume = nil
        case .refused(code: .alreadyEstablished, limit: _), .cannotConnect, .connectionLost,
          .timedOut, .terminated:
          usleep(200_000)
        default: throw error
        }
      }
    }
    Self.say("stopped without a connection; the exchange cancels what is open")
  }

  /// Prints a line at once, also into a pipe.
  static func say(_ line: String) {
    print(line)
    fflush(nil)
  }
}
