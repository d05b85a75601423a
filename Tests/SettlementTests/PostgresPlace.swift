// The contract's place in PostgreSQL.

import LedgerPostgres
import Settlement

extension PostgresServer {
  /// The address of a ledger in a schema of this server.
  func address(
    schema: String, settings: String = "", user: String = PostgresServer.user
  ) throws(LedgerAddressError) -> PostgresAddress {
    try Self.address(location(schema: schema, settings: settings, user: user))
  }

  /// The address of a ledger on several servers, by their ports.
  func address(ports: [UInt16], schema: String) throws(LedgerAddressError) -> PostgresAddress {
    try Self.address(location(ports: ports, schema: schema))
  }

  private static func address(_ location: String) throws(LedgerAddressError) -> PostgresAddress {
    try PostgresAddress(String(location.drop { $0 != ":" }.dropFirst()))
  }
}

/// A schema of the shared server.
final class PostgresPlace: LedgerPlace {
  let schema = "place_" + String(UInt64.random(in: 0 ..< .max), radix: 36)

  func address() throws -> PostgresAddress {
    try PostgresServer.shared.get().address(schema: schema)
  }

  func open(_ genesis: LedgerGenesis) throws(LedgerError) -> any Ledger {
    try PostgresLedger(known(), genesis: genesis)
  }

  func openForReading() throws(LedgerError) -> any Ledger {
    try PostgresLedger(readingFrom: known())
  }

  private func known() throws(LedgerError) -> PostgresAddress {
    do {
      return try address()
    } catch {
      throw .unavailable("\(error)")
    }
  }
}
