// Names and addresses of persons, in `people.sqlite` of the data folder. The journal and the ledger
// know accounts and labels only, since nothing in them can be erased. No server opens this file.

import CSQLite
import Glibc
import MarketModel
import SQLite

/// The file of persons of one data folder. Only its owner has access (mode 600), and what is erased
/// or replaced is overwritten with zeros. Owned by one thread.
public final class PeopleFile {
  /// The name of the file in the data folder.
  public static let name = "people.sqlite"

  private let path: String
  private let connection: SQLiteConnection

  /// Opens the file in the data folder `folder`; for writing, a missing file is made.
  /// - Returns: `nil` for reading when there is no file: nothing is noted.
  /// - Throws: `missing` without the folder; `file` when the name is taken by something else,
  ///   others have access, or it is no such file.
  public init?(folder: String, isRead: Bool) throws(PeopleError) {
    path = folder + "/" + Self.name
    guard access(folder, F_OK) == 0 else {
      throw PeopleError(.missing, "\(folder) does not exist; name a data folder with --data")
    }
    var status = stat()
    let isThere = lstat(path, &status) == 0
    if isThere {
      try Self.check(status, path)
    } else if isRead {
      return nil
    } else {
      try Self.make(path)
    }
    do throws(SQLiteFailure) {
      connection = try SQLiteConnection(path: path, readOnly: isRead)
      try Self.prepare(connection, isRead: isRead)
    } catch {
      throw Self.failure(error, path)
    }
  }

  private static func check(_ status: stat, _ path: String) throws(PeopleError) {
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw PeopleError(.file, "\(path) is no file, or a link to one; move it away")
    }
    guard status.st_mode & 0o077 == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      throw PeopleError(
        .file, "\(path) has names to which others have access (mode \(mode)): chmod 600 \(path)")
    }
  }

  private static func make(_ path: String) throws(PeopleError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw PeopleError(.file, "cannot make \(path): \(String(cString: strerror(errno)))")
    }
    fchmod(descriptor, 0o600)
    close(descriptor)
  }

  private static func prepare(
    _ connection: SQLiteConnection, isRead: Bool
  ) throws(SQLiteFailure) {
    if isRead { return }
    let columns = Person.Field.allCases.map { "\($0.rawValue) TEXT NOT NULL" }
    try connection.execute("PRAGMA secure_delete = ON; PRAGMA synchronous = FULL")
    try connection.execute(
      "CREATE TABLE IF NOT EXISTS people (account INTEGER PRIMARY KEY, "
        + columns.joined(separator: ", ") + ") STRICT")
  }

  private static func failure(_ error: SQLiteFailure, _ path: String) -> PeopleError {
    switch error.primary {
    case SQLITE_BUSY, SQLITE_LOCKED:
      PeopleError(.busy, "another command is writing to \(path); try again")
    case SQLITE_NOTADB, SQLITE_CORRUPT:
      PeopleError(.file, "\(path) is damaged, or no file of persons; restore it from a backup")
    case SQLITE_FULL:
      PeopleError(.file, "nothing was changed: the disk of \(path) is full")
    default:
      PeopleError(.file, "\(path) cannot be used: \(error.message)")
    }
  }

  /// Runs `body`, and gives its errors the file's name.
  private func run<Value>(
    _ body: () throws(SQLiteFailure) -> Value
  ) throws(PeopleError) -> Value {
    do throws(SQLiteFailure) {
      return try body()
    } catch {
      throw Self.failure(error, path)
    }
  }

  // MARK: Reading

  private static let columns = Person.Field.allCases.map(\.rawValue).joined(separator: ", ")

  private static func person(_ row: SQLiteStatement) -> Person {
    var values: [Person.Field: String] = [:]
    for (index, field) in Person.Field.allCases.enumerated() {
      values[field] = row.text(Int32(index) + 1)
    }
    let account = AccountId(UInt32(truncatingIfNeeded: row.integer(0)))
    return Person(account: account, values: values)
  }

  /// What is noted about the person of an account.
  /// - Returns: `nil` when nothing is.
  public func person(of account: AccountId) throws(PeopleError) -> Person? {
    try run { () throws(SQLiteFailure) in
      let query = try connection.prepare(
        "SELECT account, \(Self.columns) FROM people WHERE account = ?")
      try query.bind(1, Int64(account.rawValue))
      return try query.step() ? Self.person(query) : nil
    }
  }

  /// All persons, by account.
  public func all() throws(PeopleError) -> [Person] {
    try run { () throws(SQLiteFailure) in
      let query = try connection.prepare(
        "SELECT account, \(Self.columns) FROM people ORDER BY account")
      var people: [Person] = []
      while try query.step() { people.append(Self.person(query)) }
      return people
    }
  }

  // MARK: Writing

  /// Notes values about persons: all of them or, after an error, none. Fields that are not given
  /// stay; an empty value clears its field.
  /// - Returns: the number of persons about whom nothing was noted before.
  /// - Throws: `value` for a value that cannot be kept; `file` or `busy`.
  @discardableResult
  public func set(_ changes: [(account: AccountId, values: [Person.Field: String])])
    throws(PeopleError) -> Int
  {
    for change in changes {
      for (field, value) in change.values {
        if let fault = Person.fault(field, value) { throw PeopleError(.value, fault) }
      }
    }
    var added = 0
    try transaction { () throws(PeopleError) in
      for change in changes {
        let known = try person(of: change.account)
        if known == nil { added += 1 }
        let values = (known?.values ?? [:]).merging(change.values) { $1 }
        try write(Person(account: change.account, values: values))
      }
    }
    return added
  }

  private func write(_ person: Person) throws(PeopleError) {
    try run { () throws(SQLiteFailure) in
      let marks = Person.Field.allCases.map { _ in "?" }.joined(separator: ", ")
      let statement = try connection.prepare(
        "INSERT OR REPLACE INTO people (account, \(Self.columns)) VALUES (?, \(marks))")
      try statement.bind(1, Int64(person.account.rawValue))
      for (index, field) in Person.Field.allCases.enumerated() {
        try statement.bind(Int32(index) + 2, text: person.values[field] ?? "")
      }
      _ = try statement.step()
    }
  }

  /// Erases all that is noted about the person of an account; its bytes are overwritten. Backups of
  /// the file keep it.
  /// - Returns: `false` when nothing was noted.
  public func erase(_ account: AccountId) throws(PeopleError) -> Bool {
    try run { () throws(SQLiteFailure) in
      let statement = try connection.prepare("DELETE FROM people WHERE account = ?")
      try statement.bind(1, Int64(account.rawValue))
      _ = try statement.step()
      return connection.changedRows > 0
    }
  }

  private func transaction(_ body: () throws(PeopleError) -> Void) throws(PeopleError) {
    try run { () throws(SQLiteFailure) in try connection.execute("BEGIN IMMEDIATE") }
    do throws(PeopleError) {
      try body()
      try run { () throws(SQLiteFailure) in try connection.execute("COMMIT") }
    } catch {
      try? connection.execute("ROLLBACK")
      throw error
    }
  }
}
