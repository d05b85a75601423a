// Options that say how a file of meter readings is read.

import ArgumentParser
import Foundation
import JoulebookServer
import MarketFile
import MarketModel
import MeterImport

/// The form of a file of meter readings.
struct ImportForm: ParsableArguments {
  @Option(
    name: .long, help: "Number of the meter, of a file that names none.",
    transform: Quantities.defined)
  var meter: UInt32?
  @Option(
    name: .long, help: "Table of the meters' names and numbers: lines NAME,NUMBER.",
    completion: .file())
  var meters: String?
  @Option(
    name: .long,
    help: """
      Zone of times without an offset, such as Europe/Berlin or +10:00; of the profile german \
      Europe/Berlin, of nem12 +10:00 unless given.
      """)
  var zone: String?
  @Option(
    name: .long,
    help: "Length of intervals without an end, such as 15m; of german 15m unless given.")
  var interval: Span?
  @Option(
    name: .long, help: "Whether a single time is the start or the end of its interval.",
    transform: Self.times)
  var times = false
  @Option(
    name: .long, help: "Unit of values: Wh, kWh, MWh, or the average power W, kW, MW.",
    transform: Self.unit)
  var unit: ValueUnit?
  @Option(name: .long, help: "Decimal mark: point or comma.", transform: Self.decimal)
  var decimal: UInt8?
  @Option(
    name: .long, help: "Separator of cells: comma, semicolon or tab.", transform: Self.separator)
  var separator: UInt8?
  @Option(name: .long, help: "Order of dates with slashes: dmy or mdy.", transform: Self.order)
  var dateOrder: DateOrder?
  @Option(
    name: .long, help: "Only intervals that begin at this time or later.", transform: Typed.time)
  var from: Timestamp?
  @Option(name: .long, help: "Only intervals that begin before this time.", transform: Typed.time)
  var to: Timestamp?
  @Option(
    name: .long, parsing: .unconditional,
    help: "Power above which values are reported as implausible, W.", transform: Self.power)
  var power: Int64 = 100_000

  @Option(
    name: .long, help: "Column of the time; twice: date and time; three times: week, day and time.")
  var timeColumn: [String] = []
  @Option(name: .long, help: "Column of the interval's end; twice: date and time.")
  var endColumn: [String] = []
  @Option(name: .long, help: "Column of the meter.") var meterColumn: String?
  @Option(name: .long, help: "Column of consumed energy; several are added.")
  var valueColumn: [String] = []
  @Option(name: .long, help: "Column of produced energy; several are added.")
  var producedColumn: [String] = []
  @Option(
    name: .long, help: "Column of what the register of consumed energy shows; several are added.")
  var registerColumn: [String] = []
  @Option(
    name: .long, help: "Column of what the register of produced energy shows; several are added.")
  var producedRegisterColumn: [String] = []
  @Option(
    name: .long,
    help: "Digits of a register in kWh, 4 to 9, behind which it begins at 0 again.",
    transform: Self.digits)
  var registerDigits: Int?
  @Option(name: .long, help: "Column of the quality.") var qualityColumn: String?
  @Option(name: .long, help: "Column of the register sequence.") var sequenceColumn: String?
  @Option(
    name: .long, help: "All other columns are meters, with energy consumed or produced.",
    transform: Self.direction)
  var wide: EnergyDirection?
  @Option(name: .long, help: "Year of the weeks (ISO 8601).", transform: Self.year) var year: Int?

  @Flag(name: .long, help: "OBIS columns 1.8.0 and 2.8.0 have the energy of each interval.")
  var intervalValues = false
  @Flag(name: .long, help: "Take all values as measured.") var ignoreQuality = false
  @Flag(name: .long, help: "Send estimated values too.") var estimated = false
  @Flag(name: .long, help: "Take 0 for a direction without a value.") var absentAsZero = false

  // MARK: Values

  private static func times(_ text: String) throws -> Bool {
    switch text {
    case "start": return false
    case "end": return true
    default: throw ValidationError("write start or end")
    }
  }

  private static func unit(_ text: String) throws -> ValueUnit {
    guard let unit = ValueUnit(anyCase: text) else {
      throw ValidationError("the units are Wh, kWh, MWh, W, kW and MW")
    }
    return unit
  }

  private static func decimal(_ text: String) throws -> UInt8 {
    switch text {
    case "point", ".": return UInt8(ascii: ".")
    case "comma", ",": return UInt8(ascii: ",")
    default: throw ValidationError("write point or comma")
    }
  }

  private static func separator(_ text: String) throws -> UInt8 {
    switch text {
    case "comma", ",": return UInt8(ascii: ",")
    case "semicolon", ";": return UInt8(ascii: ";")
    case "tab", "\t": return UInt8(ascii: "\t")
    default: throw ValidationError("write comma, semicolon or tab")
    }
  }

  private static func order(_ text: String) throws -> DateOrder {
    guard let order = DateOrder(rawValue: text) else { throw ValidationError("write dmy or mdy") }
    return order
  }

  private static func direction(_ text: String) throws -> EnergyDirection {
    guard let direction = EnergyDirection(rawValue: text) else {
      throw ValidationError("write consumed or produced")
    }
    return direction
  }

  private static func year(_ text: String) throws(ValueError) -> Int {
    try Typed.number(text, in: 1_990...2_060)
  }

  private static func digits(_ text: String) throws(ValueError) -> Int {
    try Typed.number(text, in: 4...9)
  }

  private static func power(_ text: String) throws(ValueError) -> Int64 {
    try Typed.number(text, in: 1...(1 << 40))
  }

  // MARK: Options

  /// Checks that the options fit each other.
  /// - Throws: `ValidationError`.
  func validate(_ profile: ImportProfile) throws {
    if let from, let to, to <= from { throw ValidationError("--to is not after --from.") }
    if meter != nil, meters != nil || meterColumn != nil {
      throw ValidationError("--meter is for a file that names no meter; leave --meters out")
    }
    if let interval {
      let seconds = interval.nanoseconds / 1_000_000_000
      guard (1...86_400).contains(seconds), interval.nanoseconds % 1_000_000_000 == 0 else {
        throw ValidationError("--interval is from 1s to 1440m, in whole seconds")
      }
    }
    let registers = registerColumn + producedRegisterColumn
    let names = timeColumn + endColumn + valueColumn + producedColumn + registers
    let isNamed =
      !names.isEmpty || meterColumn != nil || qualityColumn != nil || sequenceColumn != nil
      || wide != nil
    guard profile == .columns else {
      if isNamed { throw ValidationError("the names of columns need --profile columns") }
      return
    }
    guard (1...3).contains(timeColumn.count), endColumn.count <= 2 else {
      throw ValidationError("name the column of the time with --time-column, up to three times")
    }
    if timeColumn.count == 3, year == nil { throw ValidationError("weeks need their --year") }
    if !registers.isEmpty, !valueColumn.isEmpty || !producedColumn.isEmpty || !endColumn.isEmpty {
      throw ValidationError(
        "a register shows the energy so far at its time: beside --register-column and "
          + "--produced-register-column name neither columns of values nor of ends")
    }
    if wide != nil, !(names.count == timeColumn.count + endColumn.count) || meterColumn != nil {
      throw ValidationError("with --wide every other column is a meter: name no column of values")
    }
    if wide == nil, valueColumn.isEmpty, producedColumn.isEmpty, registers.isEmpty {
      throw ValidationError(
        "name a column of values with --value-column or --produced-column, or of registers with "
          + "--register-column; or give --wide")
    }
  }

  /// The options of the import.
  /// - Throws: An exit code, after printing the error on standard error.
  func options(_ profile: ImportProfile) throws -> ImportOptions {
    var options = ImportOptions(profile: profile)
    options.meter = meter.map { MeterId($0) }
    if let meters { options.names = try Self.names(meters) }
    if let zone {
      guard let rules = TimeZoneRules(zone) else {
        throw Failure.usage.exit(
          "--zone \(zone): this system does not know the zone; write one such as Europe/Berlin, UTC "
            + "or +10:00")
      }
      options.zone = rules
    }
    options.interval = interval.map { Int64($0.nanoseconds / 1_000_000_000) }
    (options.unit, options.decimalMark, options.separator) = (unit, decimal, separator)
    (options.dateOrder, options.timesAreEnds, options.year) = (dateOrder, times, year)
    (options.timeColumns, options.endColumns) = (timeColumn, endColumn)
    (options.consumedColumns, options.producedColumns) = (valueColumn, producedColumn)
    (options.consumedRegisters, options.producedRegisters) = (
      registerColumn, producedRegisterColumn
    )
    options.registerDigits = registerDigits
    (options.meterColumn, options.qualityColumn) = (meterColumn, qualityColumn)
    (options.sequenceColumn, options.wide) = (sequenceColumn, wide)
    options.registersAreIntervals = intervalValues
    (options.ignoresQuality, options.takesEstimated) = (ignoreQuality, estimated)
    (options.absentIsZero, options.power) = (absentAsZero, power)
    let first = from.map { Int64($0.nanoseconds / 1_000_000_000) } ?? .min
    options.period = first..<(to.map { Int64($0.nanoseconds / 1_000_000_000) } ?? .max)
    return options
  }

  private static func names(_ path: String) throws -> MeterNames {
    let text: String
    do throws(ConfigurationError) {
      text = try DataFolder.text(of: path)
    } catch {
      throw Failure.noInput.exit("--meters: \(error)")
    }
    do throws(ImportError) {
      return try MeterNames(table: text, file: path)
    } catch {
      throw Failure.badData.exit("\(error)")
    }
  }
}
