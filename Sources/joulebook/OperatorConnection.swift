import ArgumentParser
import Foundation
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

  @Flag(name: .long, help: "Wait until the server is ready, a minute at most.")
  var wait = false

  @OptionGroup var security: TLSOptions

  /// Longest wait for an answer, in ms.
  static let timeoutMilliseconds: Int32 = 10_000
  /// Attempts to log on before the user is told why it takes longer.
  private static let quietAttempts: UInt32 = 3
  /// Longest wait for the server.
  private static let start = Duration.seconds(60)

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
      return try Self.ask(client, request, answer)
    } catch {
      throw Self.failure(error, explanation)
    }
  }

  private static func ask<Answer>(
    _ client: Client, _ request: (Client) throws(ClientError) -> UInt64,
    _ answer: (ClientEvent, UInt64) -> Answer?
  ) throws(ClientError) -> Answer {
    let reference = try request(client)
    try client.flush()
    while let message = try client.poll(timeoutMilliseconds: timeoutMilliseconds) {
      if case .rejected(let rejection) = message.event, rejection.reference == reference {
        throw .rejected(rejection)
      }
      if let found = answer(message.event, reference) { return found }
    }
    throw .timedOut
  }

  /// Logs on, and runs `body` with the client.
  /// - Throws: An exit code, after printing the error on standard error.
  func converse(_ body: (Client) throws(ClientError) -> Void) throws {
    do throws(ClientError) {
      let client = try open()
      defer { client.close() }
      try body(client)
    } catch {
      throw Self.failure(error)
    }
  }

  /// The market's time.
  /// - Throws: An exit code, after printing the error on standard error.
  func marketTime() throws -> Timestamp {
    var time = Timestamp.never
    try converse { client throws(ClientError) in
      try client.requestStatus()
      try client.flush()
      while let message = try client.poll(timeoutMilliseconds: Self.timeoutMilliseconds) {
        guard case .status = message.event else { continue }
        time = message.time
        return
      }
      throw .timedOut
    }
    return time
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
    try ask(explaining: explanation, request, Self.acknowledgement)
    print("done")
  }

  /// Sends a command that may end the session which sends it.
  /// - Parameter words: What is printed when it has; `nil` if the command is about another session.
  func execute(
    endingItself words: String?, _ request: (Client) throws(ClientError) -> UInt64
  ) throws {
    do throws(ClientError) {
      let client = try open()
      defer { client.close() }
      try Self.ask(client, request, Self.acknowledgement)
      print("done")
    } catch {
      if let words, case .terminated(.sessionCut, _) = error { return print(words) }
      throw Self.failure(error)
    }
  }

  /// Sends an operator's commands one after another, each when the exchange has applied the one
  /// before, and prints "done". When one is refused, those before it stand.
  /// - Parameter explanation: The text of a reject; `nil` for the general text of its code.
  func execute(
    _ bodies: [Command.Body], explaining explanation: (Rejection) -> String? = { _ in nil }
  ) throws {
    do throws(ClientError) {
      let client = try open()
      defer { client.close() }
      for body in bodies {
        try Self.ask(
          client, { client throws(ClientError) in try client.submit(body) }, Self.acknowledgement)
      }
    } catch {
      throw Self.failure(error, explanation)
    }
    print("done")
  }

  private static func acknowledgement(_ event: ClientEvent, _ reference: UInt64) -> ()? {
    if case .acknowledged(let answered) = event, answered == reference { return () }
    return nil
  }

  /// Prints why a command failed, in the words of `explanation` if it has some.
  private static func failure(
    _ error: ClientError, _ explanation: (Rejection) -> String?
  ) -> ExitCode {
    if case .rejected(let rejection) = error, let words = explanation(rejection) {
      return Failure.refused.exit("refused: \(rejection.code.rawValue) \(words)")
    }
    return failure(error)
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

  /// Logs on. While another connection has the session, or takes it at the same moment, and while the
  /// server's connections are all taken, it tries again for a time.
  private func open() throws(ClientError) -> Client {
    let address = try address()
    let keyFile = key ?? DataFolder(data).operatorKey
    if let fault = Self.fault(ofKeyFile: keyFile) { throw .unusable(fault) }
    if let exposure = PrivateKeyFile.exposure(keyFile) { throw .unusable(exposure) }
    let credentials = try Credentials(session: SessionId(session), keyFile: keyFile)
    var options = Client.Options()
    options.security = try context()
    if wait { try waitForServer(address, options.security) }
    let start = ContinuousClock.now
    var attempts: UInt32 = 0
    var told: LogOnObstacle?
    while true {
      do throws(ClientError) {
        return try Client(
          host: address.host, port: address.port, credentials: credentials, options: options)
      } catch {
        guard let obstacle = LogOnObstacle(error),
          ContinuousClock.now < start + obstacle.patience
        else { throw error }
        attempts += 1
        if attempts >= Self.quietAttempts, told != obstacle {
          told = obstacle
          printError("joulebook: \(obstacle.words(session))")
        }
      }
      // Random and growing pauses, so that those who wait do not meet each time.
      usleep(.random(in: 5_000...(20_000 << min(attempts, 4))))
    }
  }

  /// Why a file cannot be that of a private key, with what to name; `nil` if it can.
  private static func fault(ofKeyFile path: String) -> String? {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if exists, isFolder.boolValue {
      return
        "--key \(path) is a folder, not a file: name the file of a private key; a data folder is "
        + "named with --data"
    }
    if path.hasSuffix(".pub") {
      return
        "--key \(path) is the file of a public key: name the private one, such as "
        + "\(path.dropLast(4)).key"
    }
    return nil
  }

  /// Waits until the exchange answers.
  private func waitForServer(
    _ address: (host: String, port: UInt16), _ security: TLSContext?
  ) throws(ClientError) {
    let probe = SessionProbe(host: address.host, port: address.port, security: security)
    let end = ContinuousClock.now + Self.start
    var isFirst = true
    while let obstacle = probe.obstacle(), ContinuousClock.now < end {
      if isFirst { printError("joulebook: waiting for the server: \(obstacle)") }
      isFirst = false
      usleep(50_000)
    }
  }

  private static func failure(_ error: ClientError) -> ExitCode {
    switch error {
    case .unusable: Failure.usage.exit("\(error)")
    case .insecure: Failure.unavailable.exit("\(error)")
    case .badCredentials: Failure.noInput.exit("\(error); name the key with --key or --data")
    case .rejected(let rejection):
      Failure.refused.exit("refused: \(words(rejection))")
    case .refused(.alreadyEstablished, _):
      Failure.refused.exit(
        "the server refused the session: another connection has it established. Try again; or "
          + "register an identity of your own (joulebook admin session --help), and name it with "
          + "--session and --key")
    case .refused(let code, let limit), .terminated(let code, let limit):
      Failure.refused.exit(
        "the server refused the session: \(words(code, limit))")
    case .cannotConnect, .connectionLost, .protocolViolation, .timedOut, .sendBufferFull, .closed:
      Failure.unavailable.exit("\(error)")
    }
  }

  private static func words(_ rejection: Rejection) -> String {
    missing(rejection) ?? unusable(rejection) ?? words(rejection.code, rejection.limit)
  }

  /// The text of a reject because a number names nothing: what exists is told by a list.
  private static func missing(_ rejection: Rejection) -> String? {
    let (what, list): (String, String)
    switch rejection.code {
    case .unknownAccount:
      let isNamed = rejection.account != .null
      what = isNamed ? "there is no account \(rejection.account.rawValue)" : "no such account"
      list = "accounts"
    case .unknownParticipant: (what, list) = ("there is no such participant", "participants")
    case .unknownArea: (what, list) = ("there is no such area", "areas")
    case .unknownInstrument: (what, list) = ("there is no such instrument", "instruments")
    case .unknownMeter: (what, list) = ("there is no such meter", "meters")
    case .unknownSession: (what, list) = ("there is no such session", "sessions")
    default: return nil
    }
    let name = rejection.code.entry?.name ?? ""
    return "\(rejection.code.rawValue) \(name): \(what); see `joulebook admin list \(list)`"
  }

  /// The text of a reject that names a field: its name, what was sent, and what it may be.
  private static func unusable(_ rejection: Rejection) -> String? {
    guard let field = rejection.field, let entry = rejection.code.entry else { return nil }
    let value = LimitText.text(entry.limit, rejection.limit).map { ", \($0)" } ?? ""
    return "\(entry.code.rawValue) \(entry.name)\(value). \(field): \(field.allowed)"
  }

  /// The text of a reject: "5001 insufficientCash, free cash: 12.50. Deposit; or order less."
  private static func words(_ code: RejectCode, _ limit: Int64) -> String {
    guard let entry = code.entry else {
      return "\(code.rawValue), limit \(limit)"
    }
    let bound = LimitText.text(entry.limit, limit).map { ", \($0)" } ?? ""
    return "\(code.rawValue) \(entry.name)\(bound). \(entry.action)"
  }
}
