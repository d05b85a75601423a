// The tables of a SQLite ledger. All numbers are INTEGER, which STRICT checks. The tables transfer
// and batch have no secondary index: with two indices, settlement was nine times slower.
//
//   ledger     one row: shard and batch rules
//   account    key = unit << 32 | account; the only rows that are updated
//   transfer   id 1, 2, 3 ... without gaps; the ids of a batch are contiguous
//   batch      id 1, 2, 3 ...; the hash chain
//   note       what clients said about orders, by the command that entered or replaced the order
//   reading    readings and corrections, by the command that settled them
//   balance    view of account: debits, credits and amount, each as one number
//
// The debits and credits of an account grow with its turnover, and SQLite's integers have 64 bits.
// Therefore each sum takes two columns: high * 2^62 + low with 0 <= low < 2^62. The sum of two lows
// is below 2^63, so adding them fits 64 bits, and the part from 2^62 on is carried into high. High
// reaches 2^63 only after 2^62 transfers of 2^63 each.
//
// Version 1 had one integer for each sum (debits_posted, credits_posted), version 2 had no notes, and
// version 3 no readings. Such files can be read unchanged and are migrated to version 4 when they are
// opened for writing.

import Settlement

/// The definition of a SQLite ledger's tables.
enum LedgerSchema {
  /// The `PRAGMA application_id` of a ledger: "JLED".
  static let applicationId: Int64 = 0x4A4C_4544
  /// The version of these tables (`PRAGMA user_version`).
  static let version: Int64 = 4
  /// The first version with notes.
  static let firstWithNotes: Int64 = 3
  /// The oldest version that can be read and migrated.
  static let oldestVersion: Int64 = 1
  /// Number of bits in the low part of a sum.
  static let lowBits = 62
  /// Mask of the low part of a sum.
  static let lowMask: Int64 = 1 << lowBits - 1

  /// Creates the tables in an empty database.
  static let create = """
    CREATE TABLE ledger(
      shard INTEGER NOT NULL, batch_transfers INTEGER NOT NULL, batch_nanoseconds INTEGER NOT NULL
    ) STRICT;
    \(createAccount)
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
    \(createNote)
    \(createReading)
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

  private static let createNote = """
    CREATE TABLE note(
      sequence INTEGER PRIMARY KEY, batch INTEGER NOT NULL, order_id INTEGER NOT NULL,
      client_order_id INTEGER NOT NULL, account INTEGER NOT NULL, time INTEGER NOT NULL,
      text BLOB NOT NULL
    ) STRICT;
    CREATE INDEX note_of_order ON note(order_id);
    CREATE TRIGGER note_update BEFORE UPDATE ON note
      BEGIN SELECT RAISE(ABORT, 'notes are append-only'); END;
    CREATE TRIGGER note_delete BEFORE DELETE ON note
      BEGIN SELECT RAISE(ABORT, 'notes are append-only'); END;
    """

  private static let createReading = """
    CREATE TABLE reading(
      sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, meter INTEGER NOT NULL,
      account INTEGER NOT NULL, area INTEGER NOT NULL, interval_start INTEGER NOT NULL,
      interval_end INTEGER NOT NULL, register_sequence INTEGER NOT NULL,
      previous_sequence INTEGER NOT NULL, produced INTEGER NOT NULL, consumed INTEGER NOT NULL,
      quality INTEGER NOT NULL, flags INTEGER NOT NULL, batch INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER reading_update BEFORE UPDATE ON reading
      BEGIN SELECT RAISE(ABORT, 'readings are append-only'); END;
    CREATE TRIGGER reading_delete BEFORE DELETE ON reading
      BEGIN SELECT RAISE(ABORT, 'readings are append-only'); END;
    """

  private static let createAccount = """
    CREATE TABLE account(
      key INTEGER PRIMARY KEY,
      id INTEGER GENERATED ALWAYS AS (key & 4294967295) VIRTUAL,
      unit INTEGER GENERATED ALWAYS AS (key >> 32) VIRTUAL,
      debits_pending INTEGER NOT NULL DEFAULT 0,
      debits_low INTEGER NOT NULL, debits_high INTEGER NOT NULL,
      credits_pending INTEGER NOT NULL DEFAULT 0,
      credits_low INTEGER NOT NULL, credits_high INTEGER NOT NULL,
      flags INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    -- Exact as long as they fit 64 bits; debits and credits beyond are REAL, close to what they are.
    CREATE VIEW balance(id, unit, debits, credits, amount) AS
      SELECT id, unit, debits_high * 4611686018427387904 + debits_low,
        credits_high * 4611686018427387904 + credits_low,
        (high - (high > 0) + (high < 0)) * 4611686018427387904
          + (low + ((high > 0) - (high < 0)) * 4611686018427387904)
      FROM (SELECT *, credits_high - debits_high AS high, credits_low - debits_low AS low
        FROM account);
    """

  /// Migrates the tables of version 1, within a transaction.
  static let fromVersion1 = """
    ALTER TABLE account RENAME TO account_of_version_1;
    \(createAccount)
    INSERT INTO account(key, debits_pending, debits_low, debits_high, credits_pending, credits_low,
        credits_high, flags)
      SELECT key, debits_pending, debits_posted & \(lowMask), debits_posted >> \(lowBits),
        credits_pending, credits_posted & \(lowMask), credits_posted >> \(lowBits), flags
      FROM account_of_version_1;
    DROP TABLE account_of_version_1;
    \(fromVersion2)
    """

  /// Migrates the tables of version 2, within a transaction.
  static let fromVersion2 = """
    \(createNote)
    \(fromVersion3)
    """

  /// Migrates the tables of version 3, within a transaction.
  static let fromVersion3 = """
    \(createReading)
    PRAGMA user_version = \(version);
    """

  /// Adds ?2 to the debits of the account ?1 and ?3 to its credits. If a carry is needed, no row
  /// changes. Nearly all changes need no carry, and handling it would add a seventh to the cost of
  /// a batch.
  static let addToAccount = """
    INSERT INTO account(key, debits_low, debits_high, credits_low, credits_high)
      VALUES(?1, ?2, 0, ?3, 0)
    ON CONFLICT(key) DO UPDATE SET
      debits_low = debits_low + ?2, credits_low = credits_low + ?3
      WHERE debits_low + ?2 <= \(lowMask) AND credits_low + ?3 <= \(lowMask)
    """

  /// Adds ?2 + ?3 * 2^62 to the debits of the account ?1, and ?4 + ?5 * 2^62 to its credits.
  static let upsertAccount = """
    INSERT INTO account(key, debits_low, debits_high, credits_low, credits_high)
      VALUES(?, ?, ?, ?, ?)
    ON CONFLICT(key) DO UPDATE SET
      debits_low = (debits_low + excluded.debits_low) & \(lowMask),
      debits_high = debits_high + excluded.debits_high
        + ((debits_low + excluded.debits_low) >> \(lowBits)),
      credits_low = (credits_low + excluded.credits_low) & \(lowMask),
      credits_high = credits_high + excluded.credits_high
        + ((credits_low + excluded.credits_low) >> \(lowBits))
    """

  /// Reads the key, debits and credits of every account, each sum as low and high part.
  /// - Parameter version: The table version of the file.
  static func selectAccounts(version: Int64) -> String {
    let columns =
      version == 1
      ? "debits_posted, 0, credits_posted, 0" : "debits_low, debits_high, credits_low, credits_high"
    return "SELECT key, \(columns) FROM account ORDER BY key"
  }

  /// The columns of a transfer, in the order of reading and writing.
  static let transferColumns =
    "id, batch, debit, credit, unit, amount, code, flags, trade_sequence, time, reference"
  /// The columns of a note, in the order of reading; a batch's number is written behind them.
  static let noteColumns = "sequence, time, order_id, client_order_id, account, text"
  /// Writes a reading; the batch's number is the last value.
  static let insertReading = {
    let columns = LedgerReading.columns + ["batch"]
    let values = columns.map { _ in "?" }.joined(separator: ", ")
    return "INSERT INTO reading(\(columns.joined(separator: ", "))) VALUES(\(values))"
  }()
  /// The columns of a batch, in the order of reading and writing.
  static let batchColumns =
    "id, first_sequence, last_sequence, previous, hash, first_transfer, count"
}
