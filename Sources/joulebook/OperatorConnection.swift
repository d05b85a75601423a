import ArgumentParser
import JoulebookClient
import JoulebookServer
import MarketModel
import TLS

/// Where a running server is and who asks.
struct OperatorConnection: ParsableArguments {
  @Option(name: .long, help: "address:port of the server.")
  var connect = "127.0.0.1:9100"
  @Option(
    name: .long, help: "Data folder, for the operator key that the server made.",
    completion: .directory, transform: folderName)
  var data = "joulebook-data"
  @Option(name: .long, help: "Private key file; the data folder's operator.key unless given.")
  var key: String?
  @Option(name: .long, help: "Session identity of the key.")
  var session: UInt32 = 1

  @OptionGroup var security: TLSOptions

  /// How long an answer may take, in ms.
  private static let patience: Int32 = 10_000

  /// Sends one request and waits for what answers it.
  /// - Parameters:
  ///   - request: Writes the message and returns its sequence number.
  ///   - answer: What a message means; `nil`: it does not answer.
  /// - Throws: an exit code, after saying what is wrong and what to do.
  func ask<Answer>(
    _ request: (Client) throws(ClientError) -> UInt64,
    _ answer: (ClientEvent, UInt64) -> Answer?
  ) throws -> Answer {
    try ask(explaining: { _ in nil }, request, answer)
  }

  /// The same.
  /// - Parameter explanation: What a reject means here; `nil`: what its code says of itself.
  private func ask<Answer>(
    explaining explanation: (Rejection) -> String?,
    _ request: (Client) throws(ClientError) -> UInt64,
    _ answer: (ClientEvent, UInt64) -> Answer?
  ) throws -> Answer {
    do throws(ClientError) {
      let client = try open()
      defer { client.close() }
      let reference = try request(client)
      try client.flush()
      while let message = try client.poll(timeoutMilliseconds: Self.patience) {
        if case .rejected(let rejection) = message.event, rejection.reference == reference {
          throw ClientError.rejected(rejection)
        }
        if let found = answer(message.event, reference) { return found }
      }
      throw ClientError.timedOut
    } catch {
      if case .rejected(let rejection) = error, let words = explanation(rejection) {
        throw Failure.refused.exit("refused: \(rejection.code.rawValue) \(words)")
      }
      throw Self.failure(error)
    }
  }

  /// Sends an operator's command and waits until it took effect.
  func tell(_ request: (Client) throws(ClientError) -> UInt64) throws {
    try tell(explaining: { _ in nil }, request)
  }

  /// The same.
  /// - Parameter explanation: What a reject means here; `nil`: what its code says of itself.
  func tell(
    explaining explanation: (Rejection) -> String?,
    _ request: (Client) throws(ClientError) -> UInt64
  ) throws {
    try ask(explaining: explanation, request) { event, reference in
      if case .acknowledged(let answered) = event, answered == reference { return () }
      return nil
    }
    print("done")
  }

  private func open() throws(ClientError) -> Client {
    let address: (host: String, port: UInt16)
    do throws(ConfigurationError) {
      address = try JoulebookServer.Configuration.parseAddress(connect)
    } catch {
      throw .badCredentials("--connect: \(error)")
    }
    let credentials = try Credentials(
      session: SessionId(session), keyFile: key ?? DataFolder(data).operatorKey)
    var options = Client.Options()
    do throws(TLSError) {
      options.security = try security.context()
    } catch {
      throw .insecure("\(error)")
    }
    return try Client(
      host: address.host, port: address.port, credentials: credentials, options: options)
  }

  private static func failure(_ error: ClientError) -> ExitCode {
    switch error {
    case .insecure: Failure.unavailable.exit("\(error)")
    case .badCredentials: Failure.noInput.exit("\(error); name the key with --key or --data")
    case .rejected(let rejection):
      Failure.refused.exit(
        "refused: \(words(rejection.code, rejection.limit))")
    case .refused(let code, let limit), .terminated(let code, let limit):
      Failure.refused.exit(
        "the server refused the session: \(words(code, limit))")
    case .cannotConnect, .connectionLost, .protocolViolation, .timedOut, .sendBufferFull, .closed:
      Failure.unavailable.exit("\(error)")
    }
  }

  /// A reject in words: "5001 insufficientCash, free cash in 1e-8: 12. Deposit; or order less."
  private static func words(_ code: RejectCode, _ limit: Int64) -> String {
    guard let entry = RejectCode.all.first(where: { $0.code == code }) else {
      return "\(code.rawValue), limit \(limit)"
    }
    let bound = entry.limit.isEmpty ? "" : ", \(entry.limit): \(limit)"
    return "\(code.rawValue) \(entry.name)\(bound). \(entry.action)"
  }
}
