import Foundation
import Logging
import MarketModel

/// The first administrator of a new exchange: participant 1, "operator", with one session for each
/// configured public key. Without it every administrative command would be rejected.
enum OperatorKeys {
  /// The operator's participant id.
  static let participant = ParticipantId(1)
  /// The operator's name.
  static let name = Label("operator")

  /// Refuses to recover the operator of a data folder that no server has used.
  static func checkRecovery(_ configuration: Configuration) throws(ConfigurationError) {
    guard configuration.recoveredOperator != nil,
      configuration.journalKept == .none || DataFolder(configuration.dataFolder).isNew
    else { return }
    throw ConfigurationError(
      "--recover-operator: \(configuration.dataFolder) has no operator yet; the first start makes "
        + "the operator's key, or takes those of operator.keys")
  }

  /// Returns the commands that register the operator; of a journal that already has one, those that
  /// give its session 1 another key, or none. If no keys are configured, a key pair is generated in
  /// a new data folder.
  /// - Throws: `ConfigurationError` if a key file cannot be read or written.
  static func bootstrap(
    _ known: borrowing ReferenceData, _ configuration: Configuration, log: Logger
  ) throws(ConfigurationError) -> [Command] {
    if let first = known.session(SessionId(1)) {
      checkKeys(known, configuration, log)
      guard let key = configuration.recoveredOperator else { return [] }
      return recovery(known, first, key, log)
    }
    return commands(known, keys: try keys(configuration, log: log))
  }

  /// Returns the command that gives session 1 another key, and the role administration, for an
  /// operator who has lost the key.
  private static func recovery(
    _ known: borrowing ReferenceData, _ first: ReferenceData.Session, _ key: PublicKey,
    _ log: Logger
  ) -> [Command] {
    if let session = administrator(with: key, known) {
      log.notice(
        "--recover-operator was not needed: a session with the role administration has this key",
        metadata: ["session": session.field])
      return []
    }
    log.error(
      "ALARM: --recover-operator replaced the key of the operator's session",
      metadata: ["session": "1", "participant": "\(first.participant.rawValue)"])
    let session = RegisterSession(
      session: SessionId(1), participant: first.participant,
      roles: first.roles.union(.administration), publicKey: key)
    return [Command(session: .exchange, body: .reference(.registerSession(session)))]
  }

  private static func administrator(
    with key: PublicKey, _ known: borrowing ReferenceData
  ) -> SessionId? {
    known.sessionIdentities.first {
      $0.is.key == key && $0.is.roles.contains(.administration)
    }?.session
  }

  /// Warns of keys in `operator.keys` with which nobody can administer: only the first start of a
  /// data folder registers them.
  private static func checkKeys(
    _ known: borrowing ReferenceData, _ configuration: Configuration, _ log: Logger
  ) {
    for file in configuration.operatorKeys {
      do throws(ConfigurationError) {
        var isKnown = true
        for key in try KeyPairFile.publicKeys(at: file) where administrator(with: key, known) == nil
        {
          isKnown = false
        }
        if isKnown { continue }
        log.warning(
          """
          operator.keys has no effect: this data folder has an operator already; register the key \
          with `joulebook admin session`, or start once with --recover-operator
          """, metadata: ["file": "\(file)"])
      } catch {
        log.warning("operator.keys cannot be read", metadata: ["error": "\(error)"])
      }
    }
  }

  /// Returns the commands that register the operator with `keys`, or none if session 1 already
  /// exists.
  static func commands(_ known: borrowing ReferenceData, keys: [PublicKey]) -> [Command] {
    guard known.session(SessionId(1)) == nil else { return [] }
    var bodies: [Command.Body] = [.control(.setRules(SetRules(version: RulesVersion.newest)))]
    if known.participants[participant] == nil, let name {
      bodies.append(
        .reference(.createParticipant(CreateParticipant(participant: participant, name: name))))
    }
    for (index, key) in keys.enumerated() {
      bodies.append(
        .reference(
          .registerSession(
            RegisterSession(
              session: SessionId(UInt32(index + 1)), participant: participant,
              roles: .administration, publicKey: key))))
    }
    return bodies.map { Command(session: .exchange, body: $0) }
  }

  /// Reads the key files of a first start, before anything is written.
  /// - Throws: `ConfigurationError`, which names the key and the file.
  static func checkFiles(_ configuration: Configuration) throws(ConfigurationError) {
    let isFirst =
      configuration.journalKept == .none || DataFolder(configuration.dataFolder).isNew
    if isFirst, !configuration.operatorKeys.isEmpty { _ = try configured(configuration) }
  }

  /// The keys in the files of `operator.keys`.
  private static func configured(
    _ configuration: Configuration
  ) throws(ConfigurationError) -> [PublicKey] {
    var keys: [PublicKey] = []
    for file in configuration.operatorKeys {
      guard FileManager.default.fileExists(atPath: file) else {
        throw ConfigurationError(
          "operator.keys: there is no file \(file); name files of public keys (.pub)")
      }
      do throws(ConfigurationError) {
        keys += try KeyPairFile.publicKeys(at: file)
      } catch {
        throw ConfigurationError("operator.keys: \(error)")
      }
    }
    if keys.isEmpty { throw ConfigurationError("operator.keys: the files contain no key") }
    return keys
  }

  private static func keys(
    _ configuration: Configuration, log: Logger
  ) throws(ConfigurationError) -> [PublicKey] {
    guard configuration.operatorKeys.isEmpty else { return try configured(configuration) }
    let folder = DataFolder(configuration.dataFolder)
    let fileManager = FileManager.default
    if fileManager.fileExists(atPath: folder.operatorKey),
      let key = try KeyPairFile.continued(at: folder.operatorKey)
    {
      log.notice(
        "an earlier start made this key and did not get further; it is the operator's",
        metadata: ["path": "\(folder.operatorKey)", "session": "1"])
      return [key]
    }
    if fileManager.fileExists(atPath: folder.operatorPublicKey) {
      return try KeyPairFile.publicKeys(at: folder.operatorPublicKey)
    }
    let made = try KeyPairFile.generate(at: folder.operatorKey)
    log.notice(
      "generated the operator's key; keep it safe",
      metadata: ["path": "\(folder.operatorKey)", "session": "1"])
    return [made.key]
  }
}
