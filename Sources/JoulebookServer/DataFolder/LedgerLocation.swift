// The only file that knows which kinds of ledger there are:
//
//   sqlite:ledger.sqlite            a file of the data folder; the default
//   sqlite:/var/lib/x/ledger.sqlite a file elsewhere
//   ──┬───  ──────┬─────
//   scheme     address, read by the backend

import LedgerSQLite
import Settlement

/// Names a ledger and opens it: `sqlite:PATH`. What a configuration says is relative to the data folder
/// until it is `resolved`. A value; any thread.
public struct LedgerLocation: Sendable, Equatable, CustomStringConvertible {
  /// Every kind of ledger. A further backend is one more entry.
  private static let kinds: [any LedgerAddress.Type] = [SQLiteAddress.self]

  /// The file `ledger.sqlite` of the data folder.
  public static let standard = LedgerLocation(address: SQLiteAddress.standard)

  /// What can be written: `sqlite:PATH`, comma-separated.
  public static var forms: String {
    kinds.map { "\($0.scheme):\($0.form)" }.joined(separator: ", ")
  }

  private let address: any LedgerAddress

  private init(address: any LedgerAddress) { self.address = address }

  /// Reads a location as a configuration has it. Nothing is opened.
  /// - Throws: when the kind of ledger is unknown, or its backend refuses the address.
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
      throw ConfigurationError("ledger: \"\(text)\" \(error)")
    }
  }

  /// What `init` reads back to the same location.
  public var description: String { "\(type(of: address).scheme):\(address.text)" }

  /// Whether both have the same text; two names of one file are different locations.
  public static func == (a: LedgerLocation, b: LedgerLocation) -> Bool {
    a.description == b.description
  }

  /// Where the ledger is for this process, of an exchange with its data in `folder`.
  public func resolved(in folder: DataFolder) -> LedgerLocation {
    LedgerLocation(address: address.resolved(in: folder.path))
  }

  /// Opens the ledger to write; creates it when there is none.
  /// - Throws: `.inUse` when another process writes to it, `.incompatible` when it is none, of another
  ///   version or of another genesis, `.unavailable`, `.corrupt`.
  public func open(genesis: LedgerGenesis) throws(LedgerError) -> any Ledger {
    try address.open(genesis: genesis)
  }

  /// Opens the ledger to read only, also while a server writes to it.
  /// - Throws: `.unavailable` when there is none, `.incompatible`, `.corrupt`.
  public func openForReading() throws(LedgerError) -> any Ledger { try address.openForReading() }

  /// Whether there is a ledger.
  /// - Throws: `.unavailable` when that cannot be found out.
  public var exists: Bool {
    get throws(LedgerError) { try address.exists }
  }

  /// Whether a program settles into it just now.
  /// - Throws: `.unavailable` when that cannot be found out.
  public var isWritten: Bool {
    get throws(LedgerError) { try address.isWritten }
  }

  /// Paths of the files on this machine that belong to it, present or not; empty where it has none.
  public var files: [String] { address.files }

  /// Checks that the first start of an exchange can make a ledger here.
  /// - Throws: when it cannot; the message says why.
  func checkNew(making folder: DataFolder) throws(ConfigurationError) {
    do throws(LedgerAddressError) {
      try address.checkNew(making: folder.path)
    } catch {
      throw ConfigurationError("ledger: \"\(self)\" \(error)")
    }
  }
}
