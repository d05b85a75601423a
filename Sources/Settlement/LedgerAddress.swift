/// Where a ledger of one kind is, and how it is opened there. Each backend has one type that conforms.
public protocol LedgerAddress: Sendable {
  /// Name of the kind, before the colon of a location: `sqlite`.
  static var scheme: String { get }
  /// What follows the colon, for messages: `PATH`.
  static var form: String { get }

  /// Reads what follows the colon of a location. The ledger need not exist; nothing is opened.
  /// - Throws: when no ledger of this kind can have that address.
  init(_ text: String) throws(LedgerAddressError)

  /// What follows the colon; `init` takes it back.
  var text: String { get }

  /// The same address for a process whose exchange keeps its data in `folder`. Itself where an address
  /// has nothing to do with folders.
  func resolved(in folder: String) -> Self

  /// Opens the ledger to write; creates it when there is none.
  /// - Throws: `.inUse` when another process writes to it, `.incompatible`, `.unavailable`, `.corrupt`.
  func open(genesis: LedgerGenesis) throws(LedgerError) -> any Ledger

  /// Opens the ledger to read only, also while another process writes to it.
  /// - Throws: `.unavailable` when there is none, `.incompatible`, `.corrupt`.
  func openForReading() throws(LedgerError) -> any Ledger

  /// Whether there is a ledger.
  /// - Throws: `.unavailable` when that cannot be found out.
  var exists: Bool { get throws(LedgerError) }

  /// Whether a process has it open to write just now.
  /// - Throws: `.unavailable` when that cannot be found out.
  var isWritten: Bool { get throws(LedgerError) }

  /// Paths of the files on this machine that belong to it, present or not; the ledger itself first.
  var files: [String] { get }

  /// Checks that a ledger can be made here; for the first start of an exchange.
  /// - Parameter folder: The exchange's data folder, which is made if it is missing.
  /// - Throws: when it cannot be.
  func checkNew(making folder: String) throws(LedgerAddressError)
}

extension LedgerAddress {
  /// Itself: the address has nothing to do with folders.
  public func resolved(in folder: String) -> Self { self }
  /// No files on this machine.
  public var files: [String] { [] }
  /// Found out when the ledger is opened.
  public func checkNew(making folder: String) throws(LedgerAddressError) {}
}

/// An address at which there can be no ledger.
public struct LedgerAddressError: Error, Equatable, CustomStringConvertible {
  /// The reason and the remedy, to follow the address and a colon.
  public let description: String

  /// An error with that reason.
  public init(_ description: String) { self.description = description }
}
