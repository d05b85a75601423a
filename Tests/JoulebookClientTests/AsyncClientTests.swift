import Foundation
import JoulebookServer
import MarketModel
import Testing

@testable import JoulebookClient

@Suite struct AsyncClientTests {
  /// A server without a journal, and its operator.
  private struct Stage {
    let host: ServerHost
    let credentials: Credentials
    private let folder = NSTemporaryDirectory() + "async-client-\(UUID().uuidString)"

    init() throws {
      var configuration = Configuration()
      (configuration.port, configuration.dataFolder) = (0, folder)
      configuration.journalKept = .none
      configuration.capacity = .small
      host = try ServerHost(configuration)
      credentials = try Credentials(
        session: SessionId(1), keyFile: DataFolder(folder).operatorKey)
    }

    func end() throws {
      host.stop()
      try FileManager.default.removeItem(atPath: folder)
    }
  }

  @Test("A bot receives events in order until the session closes.", .timeLimit(.minutes(10)))
  func eventsInOrder() async throws {
    let stage = try Stage()
    let client = try await AsyncClient.connect(
      host: "127.0.0.1", port: stage.host.port, credentials: stage.credentials)
    for number in UInt32(2)..<12 {
      try await client.perform { client throws(ClientError) in
        try client.submit(
          .reference(
            .createParticipant(CreateParticipant(participant: ParticipantId(number), name: .empty)))
        )
      }
    }
    var references: [UInt64] = []
    for try await message in client.events {
      guard case .acknowledged(let reference) = message.event else { continue }
      references.append(reference)
      if references.count == 10 { await client.close() }
    }
    #expect(references == Array(1...10))
    await #expect(throws: ClientError.closed) {
      try await client.cancel(CancelOrder(account: AccountId(1), order: OrderId(1)))
    }
    try stage.end()
  }

  @Test("A bot gets the reason when its server ends.", .timeLimit(.minutes(10)))
  func serverEnds() async throws {
    let stage = try Stage()
    let client = try await AsyncClient.connect(
      host: "127.0.0.1", port: stage.host.port, credentials: stage.credentials)
    stage.host.stop()
    await #expect(throws: ClientError.terminated(code: .shuttingDown, limit: 0)) {
      for try await _ in client.events {}
    }
    try stage.end()
  }

  @Test("A refused log-on is thrown by connect.", .timeLimit(.minutes(10)))
  func refused() async throws {
    let stage = try Stage()
    var stranger = stage.credentials
    stranger.session = SessionId(9)
    await #expect(throws: ClientError.refused(code: .badSignature, limit: 0)) {
      try await AsyncClient.connect(
        host: "127.0.0.1", port: stage.host.port, credentials: stranger)
    }
    try stage.end()
  }
}
