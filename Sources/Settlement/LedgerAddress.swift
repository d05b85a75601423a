/// The address of a ledger, which opens the ledger. Each backend has one conforming type.
public protocol LedgerAddress: Sendable {
  /// The scheme of a location, before the colon: `sqlite`.
  static var scheme: String { get }
  /// A placeholder for the part after the colon, for messages: `PATH`.
  static var form: String { get }

  /// Parses the part of a location after the colon. The ledger need not exist; it is not opened.
  /// - Throws: When no ledger of this kind can have the address.
  init(_ text: String) throws(LedgerAddressError)

  /// The part of the location after the colon, as `init` takes it.
  var text: String { get }

  /// The address with relative paths resolved against the data folder `folder`.
  func resolved(in folder: String) -> Self

  /// Opens the ledger for writing; creates it when there is none.
  /// - Throws: `.inUse` when another process writes to it, `.incompatible`, `.unavailable`,
  ///   `.corrupt`.
  func open(genesis: LedgerGenesis) throws(LedgerError) -> any Ledger

  /// Opens the ledger for reading, also while another process writes to it.
  /// - Throws: `.unavailable` when there is none, `.incompatible`, `.corrupt`.
  func openForReading() throws(LedgerError) -> any Ledger

  /// Whether the ledger exists.
  /// - Throws: `.unavailable` when this cannot be determined.
  var exists: Bool { get throws(LedgerError) }

  /// Whether a process has the ledger open for writing.
  /// - Throws: `.unavailable` when this cannot be determined.
  var isWritten: Bool { get throws(LedgerError) }

  /// Paths of the local files of the ledger, whether they exist or not; the ledger itself comes
  /// first.
  var files: [String] { get }

  /// Checks that a ledger can be created at the address, for the first start of an exchange.
  /// - Parameter folder: The exchange's data folder, which the server creates if it is missing.
  /// - Throws: When the ledger cannot be created.
  func checkNew(making folder: String) throws(LedgerAddressError)
}

extension LedgerAddress {
  /// By default an address has no relative path.
  public func resolved(in folder: String) -> Self { self }
  /// By default a ledger has no local files.
  public var files: [String] { [] }
  /// By default only opening the ledger shows whether it can be created.
  public func checkNew(making folder: String) throws(LedgerAddressError) {}
}

/// An address that no ledger can have.
public struct LedgerAddressError: Error, Equatable, CustomStringConvertible {
  /// The reason and the remedy, written so that they can follow the address and a colon.
  public let description: String
  /// Whether the address contains a password, so that it must not be printed.
  public let isSecret: Bool

  /// An error with that reason.
  public init(_ description: String, isSecret: Bool = false) {
    (self.description, self.isSecret) = (description, isSecret)
  }
}
