// What a server keeps on disk:
//
//   DATA/
//     market.yaml      capacity, batch rules and the ledger's place, fixed by the first start: a replay
//                      needs the same, and tools find the ledger
//     journal/         segments
//     ledger.sqlite    the book of record, unless `ledger` names another place
//     market.yaml.new  the first of these in the making
//     operator.key     private key, 64 hexadecimal digits, mode 0600 (only when the server made it)
//     operator.pub     its public key

import ExchangeCore
import Foundation
import Journaling
import Settlement

/// The folder of one exchange: journal, ledger, keys, and what the first start fixed.
public struct DataFolder: Sendable, Equatable {
  /// Where it is.
  public let path: String

  /// The folder at `path`, which need not exist yet.
  public init(_ path: String) { self.path = path }

  /// Folder of the journal's segments.
  public var journal: String { path + "/journal" }
  /// File of the operator's private key, when the server made it.
  public var operatorKey: String { path + "/operator.key" }
  /// File of the operator's public key, when the server made it.
  public var operatorPublicKey: String { path + "/operator.pub" }
  /// File of what the first start fixed.
  public var market: String { path + "/market.yaml" }

  /// Makes the folder and the journal's, when they are missing.
  /// - Throws: when there is no name, something else has it, or the system refuses.
  public func create() throws(ConfigurationError) {
    if path.isEmpty {
      throw ConfigurationError("data: names no folder; give one, such as ./joulebook-data")
    }
    try mustBeFolders()
    do {
      try FileManager.default.createDirectory(
        atPath: journal, withIntermediateDirectories: true)
    } catch {
      throw ConfigurationError(
        "cannot make the data folder \(path): \(Self.reason(error)); choose another with --data")
    }
  }

  /// Refuses what is in the place of its folders and is none; what is missing is fine.
  /// - Parameter isRead: It is only read: that it may not be written is fine.
  /// - Throws: when there is such a thing; the message names it.
  public func mustBeFolders(isRead: Bool = false) throws(ConfigurationError) {
    for folder in [path, journal] { try Self.mustBeFolder(folder, isRead: isRead) }
  }

  /// Whether the journal has a segment; `false` where its folder cannot be listed.
  var hasSegment: Bool {
    do throws(JournalError) {
      return try Snapshots.firstCommand(journal) != nil
    } catch {
      return false
    }
  }

  /// Refuses to begin a new exchange where the journal of another is gone. The lock lies in the journal's folder
  /// before `market.yaml` is written, and a segment before there is a ledger: a first start that was cut short
  /// between them goes on.
  /// - Throws: `lost`.
  func mustNotBeLost(beside ledger: LedgerLocation) throws(JournalError) {
    func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }
    // The ledger first: another server may be at its first start.
    let hasLedger = Self.isKnown(ledger)
    let wasLocked = isThere(journal + "/lock")
    guard hasLedger || isThere(market) && !wasLocked, !hasSegment else { return }
    throw .lost(path: journal, beside: hasLedger ? ledger.files.first ?? "\(ledger)" : market)
  }

  /// Whether there is that ledger; `false` where it cannot be asked: settlement, which asks until it can,
  /// halts before a ledger that the journal does not lead to.
  private static func isKnown(_ ledger: LedgerLocation) -> Bool {
    do throws(LedgerError) {
      return try ledger.exists
    } catch {
      return false
    }
  }

  /// Refuses what is there and no folder. A link to a folder is one.
  private static func mustBeFolder(_ path: String, isRead: Bool) throws(ConfigurationError) {
    var (named, found) = (stat(), stat())
    guard lstat(path, &named) == 0 else { return }
    let advice = "move it away, or choose another folder with --data"
    guard stat(path, &found) == 0 else {
      throw ConfigurationError(
        "\(path) leads to nothing (\(String(cString: strerror(errno)))): a link without a folder? Make that folder, "
          + advice)
    }
    guard found.st_mode & S_IFMT == S_IFDIR else {
      throw ConfigurationError("\(path) is a file, not a folder; " + advice)
    }
    guard isRead || access(path, R_OK | W_OK | X_OK) == 0 else {
      throw ConfigurationError(
        "\(path) cannot be written: \(String(cString: strerror(errno))). Let this user read and write there, or "
          + "choose another folder with --data")
    }
  }

  /// Refuses links where the server writes files, which would lead it out of its folder, and what is no file.
  /// - Throws: when there is one; the message names it.
  func mustBeFiles() throws(ConfigurationError) {
    let inJournal = [
      "lock", "in-hand", "next.segment", "next.copy", "next.snapshot", "next.refused",
    ]
    .map { journal + "/" + $0 }
    for path in [market, operatorKey, operatorPublicKey] + inJournal {
      try NewFile.mustBeFile(path)
    }
  }

  /// Where the exchange's ledger is for this process: as the first start fixed it. Reads `market.yaml`.
  /// - Parameter asked: Where it is when nothing is fixed: before the first start, and of a ledger that was
  ///   copied without the rest of its exchange.
  /// - Throws: when `market.yaml` cannot be read.
  public func ledger(
    asked: LedgerLocation = .standard
  ) throws(ConfigurationError) -> LedgerLocation {
    isNew ? asked.resolved(in: self) : try fixedMarket().ledgerLocation
  }

  /// Where the ledger is or will be, for a server that starts; nothing is changed. Follows `mustBeFiles`.
  /// - Throws: when a first start cannot make a ledger there, when its files are links or no files, or are
  ///   the exchange's own; the message says which.
  func admitLedger(asked: LedgerLocation) throws(ConfigurationError) -> LedgerLocation {
    let ledger = try ledger(asked: asked)
    let own = [market, market + ".new", operatorKey, operatorPublicKey].map(Self.standardized)
    for file in ledger.files {
      let name = Self.standardized(file)
      if own.contains(name) || name.hasPrefix(Self.standardized(journal) + "/") {
        throw ConfigurationError(
          "ledger: \(file) is where the exchange keeps something else; name another file")
      }
      try NewFile.mustBeFile(file)
    }
    if isNew { try ledger.checkNew(making: self) }
    return ledger
  }

  private static func standardized(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }

  /// Whether no server has fixed anything here yet.
  var isNew: Bool { !FileManager.default.fileExists(atPath: market) }

  /// For an exchange of which nothing is kept: it must not pass for the one that is kept here.
  /// - Throws: when the folder holds an exchange.
  func mustBeUnused() throws(ConfigurationError) {
    if FileManager.default.fileExists(atPath: market) {
      throw ConfigurationError(
        "journal.kept: none, but \(path) holds an exchange; choose another folder with --data")
    }
  }

  /// Takes from `market.yaml` what the first start fixed, or writes it at the first start. For the holder of the
  /// journal's lock: two first starts at a time must not fix different things.
  /// - Throws: when the file cannot be read or written, or differs from what `configuration` asks for
  ///   explicitly (`chosen` keys): another capacity would not replay to the same state.
  public func fixMarket(
    in configuration: inout Configuration, chosen: Set<String>
  ) throws(ConfigurationError) {
    guard FileManager.default.fileExists(atPath: market) else {
      try NewFile.writeWhole(configuration.marketYAML, to: market, mode: 0o644)
      return
    }
    let asked = configuration
    try configuration.read(yaml: Self.text(of: market), name: market)
    for setting in Configuration.fixedSettings where chosen.contains(setting.key) {
      guard setting.value(asked) == setting.value(configuration) else {
        throw ConfigurationError(
          "\(setting.key) is \(setting.value(configuration)) since the first start of \(path), "
            + "not \(setting.value(asked)): "
            + (setting.key == "ledger"
              ? "tools look for it there. Leave the key out, or move the ledger (docs/RUNBOOK.md)"
              : "a replay needs the same. Leave the key out, or start with another data folder"))
      }
    }
  }

  /// What the first start fixed, for tools that replay.
  /// - Throws: when there is no such folder.
  public func fixedMarket() throws(ConfigurationError) -> Configuration {
    var configuration = Configuration()
    configuration.dataFolder = path
    guard FileManager.default.fileExists(atPath: market) else {
      throw ConfigurationError(
        "\(path) holds no exchange: there is no \(market); name the folder given to serve --data")
    }
    try configuration.read(yaml: Self.text(of: market), name: market)
    return configuration
  }

  /// The text of a file.
  /// - Throws: when it cannot be read.
  public static func text(of file: String) throws(ConfigurationError) -> String {
    do {
      return try String(contentsOfFile: file, encoding: .utf8)
    } catch {
      throw ConfigurationError("cannot read \(file): \(reason(error))")
    }
  }

  private static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    if let underlying, underlying.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(underlying.code)))
    }
    return error.localizedDescription
  }
}

extension Configuration {
  /// Keys that the first start of a data folder fixes.
  public static var fixedSettings: [Setting] {
    settings.filter {
      $0.key == "ledger" || $0.key.hasPrefix("capacity.") || $0.key.hasPrefix("settlement.")
    }
  }

  var marketYAML: String {
    "# Fixed by the first start: a replay needs the same numbers. Do not edit, unless the ledger is moved.\n"
      + yaml(of: Self.fixedSettings)
  }
}
