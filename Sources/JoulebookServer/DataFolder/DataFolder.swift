// Files that a server keeps on disk:
//
//   DATA/
//     market.yaml      the market's id, capacity, batch rules and ledger location, fixed by the
//                      first start: signatures name the id, a replay needs the capacity and the
//                      rules, and tools find the ledger through its location
//     journal/         segments, snapshots and the lock
//     ledger.sqlite    the book of record, unless `ledger` names another location
//     market.yaml.new  `market.yaml` while it is being written
//     people.sqlite    names and addresses of persons (`joulebook people`); no server opens it
//     history.sqlite   the lines of each account (`history: on`, `joulebook ledger index`)
//     settlement.done, settlement.durable
//                      what `joulebook settle` and the server tell each other (`settler: process`)
//     operator.key     private key, 64 hexadecimal digits, mode 0600 (if the server generated it)
//     operator.pub     its public key

import ExchangeCore
import Foundation
import Journaling
import Settlement
import TLS

/// The data folder of one exchange: journal, ledger, keys, and the fixed settings.
public struct DataFolder: Sendable, Equatable {
  /// Path of the folder.
  public let path: String

  /// The folder at `path`, which need not exist yet.
  public init(_ path: String) { self.path = path }

  /// Path of the journal's directory.
  public var journal: String { path + "/journal" }
  /// Path of the operator's private key, if the server generated it.
  public var operatorKey: String { path + "/operator.key" }
  /// Path of the operator's public key, if the server generated it.
  public var operatorPublicKey: String { path + "/operator.pub" }
  /// Path of the history of accounts (`joulebook ledger index`), which may be removed at any time.
  public var history: String { path + "/history.sqlite" }
  /// Path of the file in which a server says how far the journal is durable.
  var settlementDurable: String { path + "/settlement.durable" }
  /// Path of the file in which `joulebook settle` says what it has settled.
  var settlementDone: String { path + "/settlement.done" }
  /// Removes these files, for a server that settles by itself: a process that was left over must not take
  /// an old number for the present one.
  func forgetSettler() { for path in [settlementDone, settlementDurable] { unlink(path) } }
  /// Path of the settings that the first start fixed.
  public var market: String { path + "/market.yaml" }

  /// Creates the folder and the journal's directory if they are missing.
  /// - Throws: if the name is empty or taken by something else, or the system refuses.
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
        "cannot create the data folder \(path): \(Self.reason(error)); choose another with --data")
    }
  }

  /// Checks that the names of the folders are not taken by something else; missing folders are
  /// accepted.
  /// - Parameter isRead: The folders are only read, so they need not be writable.
  /// - Throws: if a name is taken; the message names it.
  public func mustBeFolders(isRead: Bool = false) throws(ConfigurationError) {
    for folder in [path, journal] { try Self.mustBeFolder(folder, isRead: isRead) }
  }

  /// Whether the journal has a segment; `false` if its directory cannot be listed.
  var hasSegment: Bool {
    do throws(JournalError) {
      return try Snapshots.firstCommand(journal) != nil
    } catch {
      return false
    }
  }

  /// Refuses to start a new exchange where the journal of an existing one was lost. The lock is
  /// created in the journal's directory before `market.yaml`, and the first segment before the
  /// ledger, so an interrupted first start can be repeated.
  /// - Throws: `lost`.
  func mustNotBeLost(beside ledger: LedgerLocation) throws(JournalError) {
    // A journal that is there says enough; a ledger on another machine may take seconds to answer.
    if hasSegment { return }
    func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }
    // The ledger is checked before the journal is checked again, because another server may be in its
    // first start at this moment.
    let hasLedger = Self.isKnown(ledger)
    let wasLocked = isThere(journal + "/lock")
    guard hasLedger || isThere(market) && !wasLocked, !hasSegment else { return }
    throw .lost(path: journal, beside: hasLedger ? ledger.files.first ?? "\(ledger)" : market)
  }

  /// Whether the ledger exists; `false` if that cannot be determined. Settlement asks again later
  /// and stops if the ledger does not match the journal.
  private static func isKnown(_ ledger: LedgerLocation) -> Bool {
    do throws(LedgerError) {
      return try ledger.exists
    } catch {
      return false
    }
  }

  /// Checks that `path` is missing, or is a folder or a link to one.
  private static func mustBeFolder(_ path: String, isRead: Bool) throws(ConfigurationError) {
    var (named, found) = (stat(), stat())
    guard lstat(path, &named) == 0 else { return }
    let advice = "move it away, or choose another folder with --data"
    guard stat(path, &found) == 0 else {
      throw ConfigurationError(
        "\(path) is a link to a missing folder (\(String(cString: strerror(errno)))). Create that "
          + "folder, "
          + advice)
    }
    guard found.st_mode & S_IFMT == S_IFDIR else {
      throw ConfigurationError("\(path) is a file, not a folder; " + advice)
    }
    guard isRead || access(path, R_OK | W_OK | X_OK) == 0 else {
      throw ConfigurationError(
        "\(path) cannot be written: \(String(cString: strerror(errno))). Give this user read and "
          + "write access, or choose another folder with --data")
    }
  }

  /// Checks that the names of the server's files are not links, which would lead writes out of the
  /// folder, nor anything else than files; and that only the owner has access to the private key.
  /// - Throws: if one is; the message names it.
  func mustBeFiles() throws(ConfigurationError) {
    let inJournal = [
      "lock", "in-hand", "next.segment", "next.copy", "next.snapshot", "next.refused",
    ]
    .map { journal + "/" + $0 }
    let notes = [settlementDone, settlementDurable]
    for path in [market, operatorKey, operatorPublicKey] + notes + inJournal {
      try NewFile.mustBeFile(path)
    }
    if let exposure = PrivateKeyFile.exposure(operatorKey) { throw ConfigurationError(exposure) }
  }

  /// The location of the exchange's ledger as seen from this process, from `market.yaml`.
  /// - Parameter asked: The location if none is fixed: before the first start, or for a ledger
  ///   that was copied without its data folder.
  /// - Throws: if `market.yaml` cannot be read.
  public func ledger(
    asked: LedgerLocation = .standard
  ) throws(ConfigurationError) -> LedgerLocation {
    isNew ? asked.resolved(in: self) : try fixedMarket().ledgerLocation
  }

  /// The location of the ledger for a server that starts. Changes nothing. Called after
  /// `mustBeFiles`.
  /// - Parameter settles: Whether the server itself will open it; otherwise only its address is checked.
  /// - Throws: if a first start cannot create a ledger there, or its files are links, not files,
  ///   or the exchange's own; the message says which.
  func admitLedger(
    asked: LedgerLocation, settles: Bool
  ) throws(ConfigurationError) -> LedgerLocation {
    let ledger = try ledger(asked: asked)
    let own = [
      market, market + ".new", operatorKey, operatorPublicKey, settlementDone, settlementDurable,
    ].map(Self.standardized)
    for file in ledger.files {
      let name = Self.standardized(file)
      if own.contains(name) || name.hasPrefix(Self.standardized(journal) + "/") {
        throw ConfigurationError(
          "ledger: the exchange uses \(file) for another purpose; name another file")
      }
      try NewFile.mustBeFile(file)
    }
    if isNew, settles { try ledger.checkNew(making: self) }
    return ledger
  }

  private static func standardized(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }

  /// Whether no server has started with this folder yet.
  var isNew: Bool { !FileManager.default.fileExists(atPath: market) }

  /// Checks that the folder contains no exchange, for a server that keeps nothing: the two could be
  /// confused.
  /// - Throws: if the folder contains an exchange.
  func mustBeUnused() throws(ConfigurationError) {
    if FileManager.default.fileExists(atPath: market) {
      throw ConfigurationError(
        "journal.kept: none, but \(path) contains an exchange; choose another folder with --data")
    }
  }

  /// Reads the fixed settings from `market.yaml`, or writes the file at the first start. The caller
  /// has the journal's lock, so that two first starts cannot fix different values.
  /// - Returns: whether a market that had no id was given one.
  /// - Throws: if the file cannot be read or written, has an empty id, or differs from keys that the
  ///   user set explicitly (`chosen`): with another capacity a replay would not reach the same
  ///   state.
  @discardableResult
  public func fixMarket(
    in configuration: inout Configuration, chosen: Set<String>
  ) throws(ConfigurationError) -> Bool {
    guard FileManager.default.fileExists(atPath: market) else {
      if configuration.market == nil { configuration.market = .random() }
      try NewFile.writeWhole(configuration.marketYAML, to: market, mode: 0o644)
      return false
    }
    let asked = configuration
    let text = try Self.text(of: market)
    var found: Set<String> = []
    try configuration.read(yaml: text, name: market, noting: &found)
    let isNamed = found.contains("market")
    if isNamed, configuration.market == nil { throw withoutId }
    // Folders from before markets had an id are given one.
    let id = configuration.market ?? .random()
    configuration.market = id
    try check(asked, configuration, chosen)
    if isNamed { return false }
    let line = (text.hasSuffix("\n") ? "" : "\n") + "market: \"\(id)\"\n"
    try NewFile.writeWhole(text + line, to: market, mode: 0o644)
    return true
  }

  private var withoutId: ConfigurationError {
    ConfigurationError(
      "\(market): market is empty, so that nobody knows which market this is. Write the id that it "
        + "had, from a backup of the file or from a client's or meter's configuration. If it is lost, "
        + "remove the line: the next start makes a new id, and refuses readings that meters sign "
        + "for the former one")
  }

  /// Checks that what the user asked for is what the first start fixed.
  private func check(
    _ asked: Configuration, _ configuration: Configuration, _ chosen: Set<String>
  ) throws(ConfigurationError) {
    for setting in Configuration.fixedSettings where chosen.contains(setting.key) {
      guard setting.value(asked) == setting.value(configuration) else {
        throw ConfigurationError(
          "\(setting.key) is \(setting.value(configuration)) since the first start of \(path), "
            + "not \(setting.value(asked)): "
            + Self.remedy(of: setting.key))
      }
    }
  }

  private static func remedy(of key: String) -> String {
    switch key {
    case "ledger":
      "tools look for it there. Leave the key out, or move the ledger (docs/RUNBOOK.md)"
    case "market":
      "clients and meters know it by that. Leave the key out, or start with another data folder"
    default: "a replay needs the same value. Leave the key out, or start with another data folder"
    }
  }

  /// The fixed settings, for tools that replay.
  /// - Throws: if the folder does not exist or contains no exchange.
  public func fixedMarket() throws(ConfigurationError) -> Configuration {
    var configuration = Configuration()
    configuration.dataFolder = path
    guard FileManager.default.fileExists(atPath: market) else {
      throw ConfigurationError(
        "\(path) contains no exchange: \(market) is missing; name the folder given to serve --data")
    }
    try configuration.read(yaml: Self.text(of: market), name: market)
    return configuration
  }

  /// Reads a text file.
  /// - Throws: if it cannot be read.
  public static func text(of file: String) throws(ConfigurationError) -> String {
    do {
      return try String(contentsOfFile: file, encoding: .utf8)
    } catch {
      throw ConfigurationError("cannot read \(file): \(unreadable(file) ?? reason(error))")
    }
  }

  /// Why a text file cannot be read, in words; `nil` if it is not known.
  private static func unreadable(_ file: String) -> String? {
    var found = stat()
    guard stat(file, &found) == 0, access(file, R_OK) == 0 else {
      return String(cString: strerror(errno))
    }
    return switch found.st_mode & S_IFMT {
    case S_IFDIR: "it is a folder, not a file"
    case S_IFREG: "it is no text in UTF-8"
    default: nil
    }
  }

  /// The reason for an error of a file, in the system's words where it has some.
  public static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    if let underlying, underlying.domain == NSPOSIXErrorDomain {
      return String(cString: strerror(Int32(underlying.code)))
    }
    return error.localizedDescription
  }
}

extension Configuration {
  /// The keys that the first start of a data folder fixes.
  public static var fixedSettings: [Setting] {
    settings.filter {
      ["ledger", "market"].contains($0.key) || $0.key.hasPrefix("capacity.")
        || $0.key.hasPrefix("settlement.")
    }
  }

  var marketYAML: String {
    "# Fixed by the first start: a replay needs the same numbers. Do not edit, unless the ledger "
      + "is moved.\n"
      + yaml(of: Self.fixedSettings)
  }
}
