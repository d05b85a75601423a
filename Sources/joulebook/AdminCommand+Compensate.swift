// `joulebook admin compensate`: a file of amounts that add up to 0 in each unit, checked and shown, and sent with
// --apply.

import ArgumentParser
import Foundation
import JoulebookClient
import MarketFile
import MarketModel
import Settlement

extension AdminCommand {
  struct CompensateLedger: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "compensate",
      abstract: "Mends a difference between the ledger and the exchange.",
      discussion: """
        FILE has lines of account,unit,amount: an account's number or its name in the ledger ("area 1 \
        losses", "outside EUR"); a currency, or "energy 1" for the energy of area 1; what the account gets \
        in the ledger, in the currency or in kWh, negative when it gives. Empty lines and those that begin with \
        # are ignored. In each unit two to \(Compensate.mostLegs) amounts add up to 0. The exchange's own \
        balances stay: what `joulebook replay --ledger` shows as a difference is mended so.

          joulebook admin compensate mend.csv --reference 1 --reason "wrong fee"
          joulebook admin compensate mend.csv --reference 1 --reason "wrong fee" --apply

        Without --apply it only shows what would be posted. Each unit is one command, with the references \
        from --reference on; one that took effect already is refused (referenceReplayed), so that sending \
        again is safe.
        """)
    @OptionGroup var server: OperatorConnection
    @Argument(help: "File of account,unit,amount.", completion: .file()) var file: String
    @Option(name: .long, help: "Your reference; above that of the last compensation.")
    var reference: UInt64
    @Option(
      name: .long, help: "Why, for the auditor; at most 16 ASCII characters.",
      transform: Typed.label)
    var reason: Label
    @Flag(name: .long, help: "Send it.") var apply = false

    func run() throws {
      guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
        throw Failure.io.exit("\(file) cannot be read")
      }
      let compensations: [Compensate]
      do throws(ValueError) {
        compensations = try CompensationFile.read(text, reference: reference, reason: reason)
      } catch {
        throw ValidationError("\(file): \(error)")
      }
      for compensation in compensations {
        print("reference \(compensation.reference), \(compensation.ledgerUnit.name):")
        for index in 0..<Compensate.mostLegs {
          let (account, amount) = compensation.leg(index)
          if amount == 0 { continue }
          print("  \(account.ledgerName): \(compensation.ledgerUnit.format(amount))")
        }
      }
      guard apply else {
        return print("nothing was sent; --apply posts it with the next batch")
      }
      try server.execute(compensations.map { .cash(.compensate($0)) })
    }
  }
}

/// Reads the file of a compensation.
enum CompensationFile {
  private struct Leg {
    var account: AccountId
    var unit: LedgerUnit
    var amount: Int64
  }

  /// One compensation for each unit, in the order in which the file names them.
  /// - Throws: The line that is wrong, or the unit whose amounts do not add up to 0.
  static func read(
    _ text: String, reference: UInt64, reason: Label
  ) throws(ValueError) -> [Compensate] {
    var legs: [Leg] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = line.trimmingCharacters(in: .whitespacesAndNewlines)
      if words.isEmpty || words.hasPrefix("#") || words == "account,unit,amount" { continue }
      do throws(ValueError) {
        legs.append(try leg(words))
      } catch {
        throw ValueError("line \(number + 1): \(error)")
      }
    }
    var units: [LedgerUnit] = []
    for leg in legs where !units.contains(leg.unit) { units.append(leg.unit) }
    if units.isEmpty { throw ValueError("it has no line of account,unit,amount") }
    var made: [Compensate] = []
    for (index, unit) in units.enumerated() {
      let (number, isBeyond) = reference.addingReportingOverflow(UInt64(index))
      if isBeyond { throw ValueError("the reference is too high") }
      made.append(try compensation(legs.filter { $0.unit == unit }, unit, number, reason))
    }
    return made
  }

  private static func compensation(
    _ legs: [Leg], _ unit: LedgerUnit, _ reference: UInt64, _ reason: Label
  ) throws(ValueError) -> Compensate {
    let sum = legs.reduce(Int128(0)) { $0 + Int128($1.amount) }
    if sum != 0 {
      throw ValueError("the amounts in \(unit.name) add up to \(unit.format(sum)), not to 0")
    }
    guard (2...Compensate.mostLegs).contains(legs.count) else {
      throw ValueError(
        "\(legs.count) amounts in \(unit.name); a compensation has 2 to \(Compensate.mostLegs)")
    }
    let third = legs.count > 2 ? legs[2] : nil
    return Compensate(
      reference: reference, amount1: legs[0].amount, amount2: legs[1].amount,
      amount3: third?.amount ?? 0, reason: reason, account1: legs[0].account,
      account2: legs[1].account, account3: third?.account ?? .null,
      currency: unit.currency ?? Currency(0), area: unit.area ?? .null,
      asset: unit.area == nil ? .cash : .energy)
  }

  private static func leg(_ line: String) throws(ValueError) -> Leg {
    let cells = line.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    guard cells.count == 3 else { throw ValueError("write account,unit,amount") }
    let unit = try unit(cells[1])
    let isNegative = cells[2].hasPrefix("-")
    let magnitude = isNegative ? String(cells[2].dropFirst()) : cells[2]
    let amount =
      unit.area == nil
      ? try Typed.money(magnitude).units : try Typed.energy(magnitude + "kWh").wattHours
    if amount <= 0 { throw ValueError("'\(cells[2])' is not an amount other than 0") }
    return Leg(account: try account(cells[0]), unit: unit, amount: isNegative ? -amount : amount)
  }

  private static func unit(_ text: String) throws(ValueError) -> LedgerUnit {
    let words = text.split(separator: " ")
    if words.first == "energy", let last = words.last, let area = UInt16(last), area > 0 {
      return .energy(AreaId(area))
    }
    return .currency(try Typed.currency(text))
  }

  private static func account(_ text: String) throws(ValueError) -> AccountId {
    if let number = UInt32(text), number > 0 { return AccountId(number) }
    let words = text.split(separator: " ").map(String.init)
    if words.count == 2, words[0] == "outside" { return .outside(try Typed.currency(words[1])) }
    if words.count == 3, words[0] == "area", let number = UInt16(words[1]) {
      let area = AreaId(number)
      if let role = HouseRole.allCases.first(where: { "\($0)" == words[2] }) {
        return .house(area, role)
      }
      if let terminal = EnergyTerminal.allCases.first(where: { "\($0)" == words[2] }) {
        return .terminal(area, terminal)
      }
    }
    throw ValueError("'\(text)' is no account: write its number, or area 1 fees, or outside EUR")
  }
}
