// The tables of a SQLite ledger. All numbers are INTEGER, checked by STRICT: a sum that leaves 64
// bits becomes a REAL in SQLite and is refused. Neither transfer nor batch has a secondary index:
// two of them cost nine times the rate.
//
//   ledger     one row: what the ledger was made for
//   account    key = unit << 32 | account; the only rows that change
//   transfer   id 1, 2, 3 ... without gaps; a batch's are contiguous
//   batch      id 1, 2, 3 ...; the hash chain

/// The definition of a SQLite ledger's tables.
enum LedgerSchema {
  /// "JLED": what `PRAGMA application_id` says of a ledger.
  static let applicationId: Int64 = 0x4A4C_4544
  /// Version of these tables (`PRAGMA user_version`).
  static let version: Int64 = 1

  /// Creates the tables in an empty database.
  static let create = """
    CREATE TABLE ledger(
      shard INTEGER NOT NULL, batch_transfers INTEGER NOT NULL, batch_nanoseconds INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE account(
      key INTEGER PRIMARY KEY,
      id INTEGER GENERATED ALWAYS AS (key & 4294967295) VIRTUAL,
      unit INTEGER GENERATED ALWAYS AS (key >> 32) VIRTUAL,
      debits_pending INTEGER NOT NULL DEFAULT 0, debits_posted INTEGER NOT NULL,
      credits_pending INTEGER NOT NULL DEFAULT 0, credits_posted INTEGER NOT NULL,
      flags INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE transfer(
      id INTEGER PRIMARY KEY, batch INTEGER NOT NULL,
      debit INTEGER NOT NULL, credit INTEGER NOT NULL CHECK (credit <> debit),
      unit INTEGER NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
      code INTEGER NOT NULL, trade_sequence INTEGER NOT NULL, time INTEGER NOT NULL,
      reference INTEGER NOT NULL, pending_id INTEGER NOT NULL DEFAULT 0, flags INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE batch(
      id INTEGER PRIMARY KEY, first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL,
      previous BLOB NOT NULL, hash BLOB NOT NULL,
      first_transfer INTEGER NOT NULL, count INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER transfer_update BEFORE UPDATE ON transfer
      BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
    CREATE TRIGGER transfer_delete BEFORE DELETE ON transfer
      BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;
    CREATE TRIGGER batch_update BEFORE UPDATE ON batch
      BEGIN SELECT RAISE(ABORT, 'batches are append-only'); END;
    CREATE TRIGGER batch_delete BEFORE DELETE ON batch
      BEGIN SELECT RAISE(ABORT, 'batches are append-only'); END;
    PRAGMA application_id = \(applicationId);
    PRAGMA user_version = \(version);
    """

  /// Columns of a transfer, in the order in which they are read and written.
  static let transferColumns =
    "id, batch, debit, credit, unit, amount, code, flags, trade_sequence, time, reference"
  /// Columns of a batch, in the order in which they are read and written.
  static let batchColumns =
    "id, first_sequence, last_sequence, previous, hash, first_transfer, count"
}
