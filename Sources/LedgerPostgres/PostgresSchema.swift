// The tables of a ledger in PostgreSQL, in a schema of their own: several exchanges can use one
// database.
//
//   ledger     one row: version of the tables, shard and batch rules
//   account    key = unit << 32 | account; the only rows that are updated
//   transfer   id 1, 2, 3 ... without gaps; the ids of a batch are contiguous
//   batch      id 1, 2, 3 ...; the hash chain
//   note       what clients said about orders
//   reading    readings and corrections, by the command that settled them
//   balance    view of account: debits, credits and amount, each as one exact number
//
// As in SQLite, a sum of debits or credits takes two columns, high * 2^62 + low with 0 <= low <
// 2^62: two lows fit 63 bits, and adding integers costs a fraction of adding numerics. Numbers of
// 64 bits without a sign are stored as bigint with the same bits.
//
// Half of each page of `account` stays free (fillfactor), so that the new version of a row finds
// space beside the old one and the index does not change.

import MarketModel
import Settlement

/// The definition of the tables.
enum PostgresSchema {
  /// The version of these tables.
  static var version: Int64 { Int64(migrations.count) }
  /// Number of bits in the low part of a sum.
  static let lowBits = 62
  /// Mask of the low part of a sum.
  static let lowMask: Int64 = 1 << lowBits - 1
  /// The first number of the advisory lock of a ledger's writer: "JLED". The second one comes from
  /// the name of the schema.
  static let lockClass: Int64 = 0x4A4C_4544

  /// Statement `n` brings tables of version `n` to version `n + 1`; the first one creates them.
  /// They run in one transaction, in the ledger's schema.
  static let migrations = [create, createReading]

  private static let create = """
    CREATE TABLE ledger(
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      version bigint NOT NULL, shard bigint NOT NULL, batch_transfers bigint NOT NULL,
      batch_nanoseconds bigint NOT NULL, created timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE account(
      key bigint PRIMARY KEY,
      debits_pending bigint NOT NULL DEFAULT 0,
      debits_low bigint NOT NULL, debits_high bigint NOT NULL,
      credits_pending bigint NOT NULL DEFAULT 0,
      credits_low bigint NOT NULL, credits_high bigint NOT NULL,
      flags bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 45);
    CREATE TABLE transfer(
      id bigint PRIMARY KEY, batch bigint NOT NULL,
      debit bigint NOT NULL, credit bigint NOT NULL CHECK (credit <> debit),
      amount bigint NOT NULL CHECK (amount > 0),
      trade_sequence bigint NOT NULL, time bigint NOT NULL, reference bigint NOT NULL,
      unit integer NOT NULL, flags integer NOT NULL, code smallint NOT NULL
    );
    CREATE TABLE batch(
      id bigint PRIMARY KEY, first_sequence bigint NOT NULL, last_sequence bigint NOT NULL,
      previous bytea NOT NULL, hash bytea NOT NULL,
      first_transfer bigint NOT NULL, count bigint NOT NULL
    );
    CREATE TABLE note(
      sequence bigint PRIMARY KEY, batch bigint NOT NULL, order_id bigint NOT NULL,
      client_order_id bigint NOT NULL, account bigint NOT NULL, time bigint NOT NULL,
      text bytea NOT NULL
    );
    CREATE INDEX note_of_order ON note(order_id);
    CREATE VIEW balance(id, unit, debits, credits, amount) AS
      SELECT key & 4294967295, key >> 32, debits, credits, credits - debits
      FROM (SELECT key, debits_high * 4611686018427387904::numeric + debits_low AS debits,
        credits_high * 4611686018427387904::numeric + credits_low AS credits FROM account) AS sums;
    CREATE FUNCTION is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME; END $$;
    CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
      FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
    CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON batch
      FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
    CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON note
      FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
    """

  private static let createReading = """
    CREATE TABLE reading(
      sequence bigint PRIMARY KEY, time bigint NOT NULL, meter bigint NOT NULL,
      account bigint NOT NULL, area bigint NOT NULL, interval_start bigint NOT NULL,
      interval_end bigint NOT NULL, register_sequence bigint NOT NULL,
      previous_sequence bigint NOT NULL, produced bigint NOT NULL, consumed bigint NOT NULL,
      quality bigint NOT NULL, flags bigint NOT NULL, batch bigint NOT NULL
    );
    CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON reading
      FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
    """

  /// Adds sums to accounts: arrays of keys and of the low and high parts of debits and credits.
  static let addToAccounts = """
    INSERT INTO account AS a(key, debits_low, debits_high, credits_low, credits_high)
      SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    ON CONFLICT (key) DO UPDATE SET
      debits_low = (a.debits_low + excluded.debits_low) & \(lowMask),
      debits_high = a.debits_high + excluded.debits_high
        + ((a.debits_low + excluded.debits_low) >> \(lowBits)),
      credits_low = (a.credits_low + excluded.credits_low) & \(lowMask),
      credits_high = a.credits_high + excluded.credits_high
        + ((a.credits_low + excluded.credits_low) >> \(lowBits))
    """

  /// Writes transfers; `PostgresCopy` has the fields in this order.
  static let copyTransfers = """
    COPY transfer(id, batch, debit, credit, amount, trade_sequence, time, reference, unit, flags, code)
      FROM STDIN (FORMAT binary)
    """
  /// The columns of a transfer in the order of reading, each with 8 bytes.
  static let transferColumns = """
    id, batch, debit, credit, unit::bigint, amount, code::bigint, flags::bigint, trade_sequence, time,
    reference
    """
  /// Writes notes: arrays.
  static let insertNotes = """
    INSERT INTO note(sequence, time, order_id, client_order_id, account, text, batch)
      SELECT *, $7::bigint FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[],
        $5::bigint[], $6::bytea[])
    """
  /// Writes readings: one array for each column, then the batch's number.
  static let insertReadings = {
    let columns = LedgerReading.columns
    let arrays = columns.indices.map { "$\($0 + 1)::bigint[]" }.joined(separator: ", ")
    return """
      INSERT INTO reading(\(columns.joined(separator: ", ")), batch)
        SELECT *, $\(columns.count + 1)::bigint FROM unnest(\(arrays))
      """
  }()
  /// The columns of a note, in the order of reading.
  static let noteColumns = "sequence, time, order_id, client_order_id, account, text"
  /// The columns of a batch, in the order of reading and writing.
  static let batchColumns =
    "id, first_sequence, last_sequence, previous, hash, first_transfer, count"

  /// The second number of the advisory lock of the ledger in `schema`: FNV-1a with 32 bits of its
  /// name.
  static func lock(of schema: String) -> Int64 {
    var hash: UInt32 = 0x811C_9DC5
    for byte in schema.utf8 { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
    return Int64(Int32(bitPattern: hash))
  }
}
