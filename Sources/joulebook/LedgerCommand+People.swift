import MarketModel
import People

extension LedgerCommand {
  /// The persons of a data folder by account; empty when none is noted.
  /// - Throws: The exit code of an error, after printing it.
  static func people(in folder: String) throws -> [AccountId: Person] {
    do throws(PeopleError) {
      let all = try PeopleFile(folder: folder, isRead: true)?.all() ?? []
      return Dictionary(all.map { ($0.account, $0) }) { first, _ in first }
    } catch {
      throw PeopleCommand.exit(error)
    }
  }

  /// The name and postal address above a bill, with an empty line after it; empty when there is
  /// none.
  static func heading(_ person: Person?) -> String {
    guard let values = person?.values else { return "" }
    let town = [values[.postcode], values[.city]].compactMap(\.self).joined(separator: " ")
    let lines = [values[.name] ?? "", values[.street] ?? "", town].filter { !$0.isEmpty }
    return lines.isEmpty ? "" : lines.map(\.printable).joined(separator: "\n") + "\n\n"
  }
}
