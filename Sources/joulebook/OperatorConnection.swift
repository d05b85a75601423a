import ArgumentParser
import JoulebookClient
import JoulebookServer
import MarketModel
import TLS

/// Options that name a running server and the operator's key.
struct OperatorConnection: ParsableArguments {
  @Option(name: .long, help: "ADDRESS:PORT of the server.")
  var connect = "127.0.0.1:9100"
  @Option(
    name: .long, help: "Data folder with the server's operator key; joulebook-data unless given.",
    completion: .directory, transform: folderName)
  var data = "joulebook-data"
  @Option(name: .long, help: "Private key file; operator.key of the data folder unless given.")
  var key: String?
  @Option(name: .long, help: "Session identity (number) that the key is registered for.")
  var session: UInt32 = 1

  @OptionGroup var security: TLSOptions

  /// Longest wait for an answer, in ms.
  private static let timeoutMilliseconds: Int32 = 10_000

  /// Sends one request and waits for its answer.
  /// - Parameters:
  ///   - request: Writes the message and returns its sequence number.
  ///   - answer: Extracts the answer from an event; `nil` when the event is not the answer.
  /// - Throws: An exit code, after printing the error on standard error.
  func ask<Answer>(
    _ request: (Client) throws(ClientError) -> UInt64,
    _ answer: (ClientEvent, UInt64) -> Answer?
  ) throws -> Answer {
    try ask(explaining: { _ in nil }, request, answer)
  }

  /// Sends one request and waits for its answer.
  /// - Parameter explanation: The text of a reject; `nil` for the general text of its code.
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
      while let message = try client.poll(timeoutMilliseconds: Self.timeoutMilliseconds) {
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

  /// Sends an operator's command, waits until the exchange has applied it, and prints "done".
  func execute(_ request: (Client) throws(ClientError) -> UInt64) throws {
    try execute(explaining: { _ in nil }, request)
  }

  /// Sends an operator's command, waits until the exchange has applied it, and prints "done".
  /// - Parameter explanation: The text of a reject; `nil` for the general text of its code.
  func execute(
    explaining explanation: (Rejection) -> String?,
    _ request: (Client) throws(ClientError) -> UInt64
  ) throws {
    try ask(explaining: explanation, request) { event, reference in
      if case .acknowledged(let answered) = event, answered == reference { return () }
      return nil
    }
    print("done")
  }

  /// Asks whether an exchange answers. Takes no session and needs no key: an operator's session
  /// that is established elsewhere stays.
  /// - Returns: Why no answer came; `nil` when the exchange answered.
  /// - Throws: An exit code, after printing the error on standard error.
  func obstacle() throws -> String? {
    do throws(ClientError) {
      let address = try address()
      return SessionProbe(host: address.host, port: address.port, security: try context())
        .obstacle()
    } catch {
      throw Self.failure(error)
    }
  }

  private func address() throws(ClientError) -> (host: String, port: UInt16) {
    do throws(ConfigurationError) {
      return try JoulebookServer.Configuration.parseAddress(connect, of: "--connect")
    } catch {
      throw .unusable("\(error)")
    }
  }

  private func context() throws(ClientError) -> TLSContext? {
    do throws(TLSError) {
      return try security.context()
    } catch {
      throw .insecure("\(error)")
    }
  }

  private func open() throws(ClientError) -> Client {
    let address = try address()
    let keyFile = key ?? DataFolder(data).operatorKey
    if let exposure = PrivateKeyFile.exposure(keyFile) { throw .unusable(exposure) }
    let credentials = try Credentials(session: SessionId(session), keyFile: keyFile)
    var options = Client.Options()
    options.security = try context()
    return try Client(
      host: address.host, port: address.port, credentials: credentials, options: options)
  }

  private static func failure(_ error: ClientError) -> ExitCode {
    switch error {
    case .unusable: Failure.usage.exit("\(error)")
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

  /// The text of a reject: "5001 insufficientCash, free cash in 1e-8: 12. Deposit; or order less."
  private static func words(_ code: RejectCode, _ limit: Int64) -> String {
    guard let entry = RejectCode.all.first(where: { $0.code == code }) else {
      return "\(code.rawValue), limit \(limit)"
    }
    let bound = entry.limit.isEmpty ? "" : ", \(entry.limit): \(limit)"
    return "\(code.rawValue) \(entry.name)\(bound). \(entry.action)"
  }
}
