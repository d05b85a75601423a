import Glibc
import Settlement

/// The address of a ledger in an SQLite file: `sqlite:PATH`.
public struct SQLiteAddress: LedgerAddress {
  /// The scheme `sqlite`.
  public static let scheme = "sqlite"
  /// The placeholder `PATH`.
  public static let form = "PATH"

  /// The path of the database file. A relative path is relative to the exchange's data folder.
  public let text: String

  /// The address of the ledger at `path`.
  /// - Throws: When `path` names no file, is relative and leads out of the data folder, or cannot
  ///   be written to a configuration file.
  public init(_ path: String) throws(LedgerAddressError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    if ["", ".", ".."].contains(parts.last) {
      throw LedgerAddressError("names no file; write a path such as ledger.sqlite")
    }
    if !path.hasPrefix("/"), parts.contains("..") {
      throw LedgerAddressError("leads out of the data folder; write an absolute path")
    }
    if path.hasPrefix("//") {
      throw LedgerAddressError(
        "is not a URL; an absolute path begins with one slash: sqlite:/var/ledger.sqlite")
    }
    let hasControl = path.unicodeScalars.contains { $0.properties.generalCategory == .control }
    if hasControl || path.first == " " || path.last == " " {
      throw LedgerAddressError(
        "must not begin or end with a space or contain a control character")
    }
    text = path
  }

  private init(checked path: String) { text = path }

  /// The default address: the file `ledger.sqlite` in the data folder.
  public static let standard = SQLiteAddress(checked: "ledger.sqlite")

  /// The address with a relative path resolved against the data folder `folder`.
  public func resolved(in folder: String) -> SQLiteAddress {
    if text.hasPrefix("/") { return self }
    var path = text[...]
    while path.hasPrefix("./") { path = path.dropFirst(2).drop { $0 == "/" } }
    return SQLiteAddress(checked: folder + "/" + path)
  }

  /// Opens the file for writing and locks it; creates it when there is none.
  public func open(genesis: LedgerGenesis) throws(LedgerError) -> any Ledger {
    try SQLiteLedger(path: text, genesis: genesis)
  }

  /// Opens the file for reading.
  public func openForReading() throws(LedgerError) -> any Ledger {
    try SQLiteLedger(readingFrom: text)
  }

  /// Whether a file exists at the path. One system call; never throws.
  public var exists: Bool {
    get throws(LedgerError) { access(text, F_OK) == 0 }
  }

  /// Whether a process holds the writer's lock. Never throws.
  public var isWritten: Bool {
    get throws(LedgerError) { WriterLock.isHeld(ledgerAt: text) }
  }

  /// The paths of the database, its log, its index and the writer's lock.
  public var files: [String] { LedgerFiles.paths(text) }

  /// Checks that the file's folder exists and is writable.
  public func checkNew(making folder: String) throws(LedgerAddressError) {
    let slash = text.lastIndex(of: "/")
    let parent = slash.map { $0 == text.startIndex ? "/" : String(text[..<$0]) } ?? "."
    guard parent != folder, access(parent + "/.", W_OK | X_OK) != 0 else { return }
    throw LedgerAddressError(
      "cannot be created: \(parent): \(String(cString: strerror(errno))). Create that folder, "
        + "writable for this user, or name another one")
  }
}
