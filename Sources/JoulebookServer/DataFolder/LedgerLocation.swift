// The only file that knows the kinds of ledgers:
//
//   sqlite:ledger.sqlite            a file in the data folder; the default
//   sqlite:/var/lib/x/ledger.sqlite a file elsewhere
//   postgresql://db.example/books   a schema of a PostgreSQL database
//   ──┬───  ──────┬─────
//   scheme     address, parsed by the backend

import LedgerPostgres
import LedgerSQLite
import Settlement

/// Names a ledger and opens it: `sqlite:PATH`, `postgresql://HOST/DATABASE`. A configured path is relative to the data folder
/// until it is `resolved`. A value; any thread.
public struct LedgerLocation: Sendable, Equatable, CustomStringConvertible {
  /// All kinds of ledgers. A new backend adds one entry.
  private static let kinds: [any LedgerAddress.Type] = [
    SQLiteAddress.self, PostgresAddress.self,
  ]

  /// The file `ledger.sqlite` in the data folder.
  public static let standard = LedgerLocation(address: SQLiteAddress.standard)

  /// The accepted forms, comma-separated: `sqlite:PATH, postgresql://HOST/DATABASE`.
  public static var forms: String {
    kinds.map { "\($0.scheme):\($0.form)" }.joined(separator: ", ")
  }

  private let address: any LedgerAddress

  private init(address: any LedgerAddress) { self.address = address }

  /// Parses a location as written in a configuration. Opens nothing.
  /// - Throws: if the scheme is unknown, or its backend rejects the address.
  public init(_ text: String) throws(ConfigurationError) {
    let colon = text.firstIndex(of: ":") ?? text.endIndex
    guard colon < text.endIndex, let kind = Self.kinds.first(where: { $0.scheme == text[..<colon] })
    else {
      throw ConfigurationError(
        "ledger: \"\(text)\" does not begin with a known kind of ledger; known: \(Self.forms)")
    }
    do throws(LedgerAddressError) {
      address = try kind.init(String(text[text.index(after: colon)...]))
    } catch {
      throw ConfigurationError(
        "ledger: \(error.isSecret ? "the location" : "\"\(text)\"") \(error)")
    }
  }

  /// The text from which `init` makes the same location.
  public var description: String { "\(type(of: address).scheme):\(address.text)" }

  /// Compares the texts; two names of one file are different locations.
  public static func == (a: LedgerLocation, b: LedgerLocation) -> Bool {
    a.description == b.description
  }

  /// The location as seen from this process, for an exchange whose data folder is `folder`.
  public func resolved(in folder: DataFolder) -> LedgerLocation {
    LedgerLocation(address: address.resolved(in: folder.path))
  }

  /// Opens the ledger for writing; creates it if it is missing.
  /// - Throws: `.inUse` if another process writes to it; `.incompatible` if it is not a ledger,
  ///   or has another version or genesis; `.unavailable`; `.corrupt`.
  public func open(genesis: LedgerGenesis) throws(LedgerError) -> any Ledger {
    try address.open(genesis: genesis)
  }

  /// Opens the ledger for reading, even while a server writes to it.
  /// - Throws: `.unavailable` if it is missing, `.incompatible`, `.corrupt`.
  public func openForReading() throws(LedgerError) -> any Ledger { try address.openForReading() }

  /// Whether the ledger exists.
  /// - Throws: `.unavailable` if that cannot be determined.
  public var exists: Bool {
    get throws(LedgerError) { try address.exists }
  }

  /// Whether another program is settling into it at the moment.
  /// - Throws: `.unavailable` if that cannot be determined.
  public var isWritten: Bool {
    get throws(LedgerError) { try address.isWritten }
  }

  /// Paths of the local files that belong to it, whether they exist or not; empty if it has none.
  public var files: [String] { address.files }

  /// Checks that the first start of an exchange can create a ledger here.
  /// - Throws: if it cannot; the message says why.
  func checkNew(making folder: DataFolder) throws(ConfigurationError) {
    do throws(LedgerAddressError) {
      try address.checkNew(making: folder.path)
    } catch {
      throw ConfigurationError("ledger: \"\(self)\" \(error)")
    }
  }
}
