// What each error of PostgreSQL means for the ledger, and what an operator does about it.

import Settlement

extension LedgerError {
  /// The ledger error for a PostgreSQL error that does not concern the content of a batch.
  init(_ failure: PostgresFailure) {
    let words = failure.state.isEmpty ? failure.message : "\(failure.message) (\(failure.state))"
    switch failure.state {
    case "XX001", "XX002":
      self = .corrupt("\(words); restore a backup, or let the journal fill a new ledger")
    default: self = .unavailable(words + Self.advice(failure))
    }
  }

  /// The ledger error for a PostgreSQL error in a statement that inserts `batch`.
  init(_ failure: PostgresFailure, inserting batch: UInt64) {
    switch failure.state {
    // The row is there already: another connection has settled it. The head says by whom.
    case "23505": self = .ambiguous("\(failure.message) (\(failure.state))")
    default:
      self =
        failure.family == "22" || failure.family == "23"
        ? .contentRejected(batch: batch, reason: "\(failure.message) (\(failure.state))")
        : LedgerError(failure)
    }
  }

  /// What the operator does, as a sentence after the message; empty where the message says it.
  private static func advice(_ failure: PostgresFailure) -> String {
    switch failure.state {
    case "": adviceForConnecting(failure.message)
    case "53100": ": the disk of PostgreSQL is full; settlement resumes when there is free space"
    case "53300": ": PostgreSQL has no free connection (max_connections)"
    case "25006": ": PostgreSQL is read-only. Name a server that can be written to"
    case "42501": ": GRANT the missing right to the user who connects"
    case "55P03", "57014": ": another session blocks the ledger's tables (pg_locks names it)"
    case "57P01", "57P02", "57P03": ": PostgreSQL stops or starts"
    default: ""
    }
  }

  /// libpq has no codes for errors of connecting.
  private static func adviceForConnecting(_ message: String) -> String {
    if message.contains("password") {
      return ". The password comes from the file that PGPASSFILE names (mode 0600), ~/.pgpass or "
        + "PGPASSWORD"
    }
    if message.contains("read-only") || message.contains("hot standby") {
      return ". The ledger needs a server that can be written to; give all servers of the cluster: "
        + "postgresql://HOST1,HOST2/DATABASE"
    }
    if message.contains("database \"") { return ". Create it with createdb" }
    if message.contains("role \"") { return ". Create it with createuser" }
    return ""
  }
}
