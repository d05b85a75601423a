import Foundation
import Logging
import MarketModel

/// The first administrator of a new exchange: participant 1, "operator", with one session for each
/// configured public key. Without it every administrative command would be rejected.
enum OperatorKeys {
  /// The operator's participant id.
  static let participant = ParticipantId(1)

  /// Returns the commands that register the operator, or none if the journal already contains them.
  /// If no keys are configured, a key pair is generated in the data folder.
  /// - Throws: `ConfigurationError` if a key file cannot be read or written.
  static func bootstrap(
    _ known: borrowing ReferenceData, _ configuration: Configuration, log: Logger
  ) throws(ConfigurationError) -> [Command] {
    guard known.session(SessionId(1)) == nil else { return [] }
    return commands(known, keys: try keys(configuration, log: log))
  }

  /// Returns the commands that register the operator with `keys`, or none if session 1 already
  /// exists.
  static func commands(_ known: borrowing ReferenceData, keys: [PublicKey]) -> [Command] {
    guard known.session(SessionId(1)) == nil else { return [] }
    var bodies: [Command.Body] = [.control(.setRules(SetRules(version: RulesVersion.newest)))]
    if known.participants[participant] == nil, let name = Label("operator") {
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

  private static func keys(
    _ configuration: Configuration, log: Logger
  ) throws(ConfigurationError) -> [PublicKey] {
    var keys: [PublicKey] = []
    for file in configuration.operatorKeys { keys += try KeyPairFile.publicKeys(at: file) }
    if !keys.isEmpty { return keys }
    guard configuration.operatorKeys.isEmpty else {
      throw ConfigurationError("operator.keys: the files contain no key")
    }
    let folder = DataFolder(configuration.dataFolder)
    if FileManager.default.fileExists(atPath: folder.operatorPublicKey) {
      return try KeyPairFile.publicKeys(at: folder.operatorPublicKey)
    }
    let made = try KeyPairFile.generate(at: folder.operatorKey)
    log.notice(
      "generated the operator's key; keep it safe",
      metadata: ["path": "\(folder.operatorKey)", "session": "1"])
    return [made.key]
  }
}
