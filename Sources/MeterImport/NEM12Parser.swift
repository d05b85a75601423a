// NEM12: a file of records, one a line. A meter (NMI) has one register or more, each with its own days.
//
//     100 header     200 register of a meter     300 a day of it     400 quality of a part of the day
//     500 service    900 end
//
//     200,NMI,configuration,register,suffix,stream,serial,unit,minutes,next read
//     300,yyyymmdd,value 1 ... value n,quality,reason,description,updated,loaded
//     400,first interval,last interval,quality,reason,description

import MarketModel

/// Parses NEM12.
struct NEM12Parser {
  /// The register that the days belong to.
  private struct Register {
    var meter: Int
    var suffix: String
    var direction: EnergyDirection
    var unit: ValueUnit
    /// Length of an interval, s.
    var length: Int64
  }

  /// A day whose records 400 may follow.
  private struct Day {
    var line: Int
    var register: Register
    /// Begin of the first interval, seconds since 1970.
    var start: Int64
    /// Energy in Wh; `nil`: no value, or one that cannot be read.
    var values: [Int64?]
    /// Quality of each interval; empty: that of the whole day.
    var qualities: [ReadingQuality?]
    /// Intervals whose quality a record 400 has said.
    var isSaid: [Bool]
    /// Whether records 400 say the quality.
    var varies: Bool
  }

  private let sink: ReadingSink
  /// Whether only the registers of each meter are noted: the first time that the file is read.
  private let isScan: Bool
  private var cells = Cells()
  private var hasHeader = false
  private var isComplete = false
  private var register: Register?
  private var day: Day?
  private var last = 0
  private static let minutes: [Int64] = [5, 15, 30]

  init(_ sink: ReadingSink, isScan: Bool = false) { (self.sink, self.isScan) = (sink, isScan) }

  /// Takes the next line.
  /// - Throws: the file is no NEM12.
  mutating func take(_ line: Bytes, number: Int) throws(ImportError) {
    last = number
    if line.allSatisfy({ $0 == 0x20 || $0 == 0x2C || $0 == 0x09 }) { return }
    guard cells.split(line, at: 0x2C) else {
      return refuse(number, "a quotation mark is not closed in this line")
    }
    let kind = cells[0].shown
    if !hasHeader || kind == "100" { return try header(kind, number) }
    if isScan {
      if kind == "200" { try begin(number) }
      return
    }
    if kind != "400" { try flush() }
    switch kind {
    case "200": try begin(number)
    case "300": addDay(number)
    case "400": addQuality(number)
    case "500": break
    case "900": isComplete = true
    default:
      refuse(number, "'\(kind)' is no record of NEM12; they are 100, 200, 300, 400, 500 and 900")
    }
  }

  /// Takes the end of the file.
  mutating func end() throws(ImportError) {
    try flush()
    guard hasHeader else { throw ImportError(.content, "the file is empty") }
    if !isComplete, !isScan {
      refuse(last, "the file ends without a record 900: it may be cut off; get it again")
    }
  }

  private func refuse(_ line: Int, column: Int = 0, meter: String = "", _ text: String) {
    if isScan { return }
    sink.refuse(LineFault(.unreadable, line: line, column: column, meter: meter, text))
  }

  private mutating func header(_ kind: String, _ number: Int) throws(ImportError) {
    if !isScan { try flush() }
    guard kind == "100", cells[1].shown.uppercased() == "NEM12" else {
      let what =
        cells[1].shown.uppercased() == "NEM13"
        ? "the file is NEM13, which has readings of accumulation meters; export NEM12"
        : "the file does not begin with 100,NEM12"
      throw ImportError(.content, "line \(number): \(what)")
    }
    (hasHeader, isComplete, register) = (true, false, nil)
  }

  // MARK: 200

  private mutating func begin(_ number: Int) throws(ImportError) {
    register = nil
    let (name, suffix) = (cells[1].text, cells[4].text)
    guard !name.isEmpty, !suffix.isEmpty else {
      return refuse(number, column: 2, "a record 200 needs an NMI and a suffix such as E1 or B1")
    }
    // E is from the grid, B to the grid; others are reactive energy, or power.
    let direction: EnergyDirection
    switch suffix.utf8.first {
    case 0x45: direction = .consumed
    case 0x42: direction = .produced
    default: return
    }
    guard let unit = ValueUnit(anyCase: cells[7].text), !unit.isPower else {
      return refuse(
        number, column: 8, meter: name, "the unit '\(cells[7].shown)' is not Wh, kWh or MWh")
    }
    guard let minutes = Int64(cells[8].text), Self.minutes.contains(minutes) else {
      return refuse(
        number, column: 9, meter: name,
        "the interval '\(cells[8].shown)' is not 5, 15 or 30 minutes")
    }
    let meter = try sink.meter(name)
    try sink.expect(suffix, ofMeter: meter)
    register = Register(
      meter: meter, suffix: suffix, direction: direction, unit: unit, length: minutes * 60)
  }

  // MARK: 300

  private mutating func addDay(_ number: Int) {
    guard let register else {
      sink.report.ignored += 1
      return
    }
    let name = sink.meters[register.meter].name
    let count = Int(86_400 / register.length)
    guard cells.count >= count + 3 else {
      return refuse(
        number, meter: name,
        "it has \(cells.count) cells; a day of \(register.length / 60) minutes has \(count) values "
          + "and a quality: \(count + 3) cells at least")
    }
    let start: Int64
    let quality: ReadingQuality?
    let method = cells[count + 2]
    let varies = method.first == 0x56
    var column = 2
    do throws(TextFault) {
      guard cells[1].count == 8 else {
        throw TextFault("'\(cells[1].shown)' is no date such as 20260601")
      }
      start = try sink.moment(try TimeText().parse(cells[1]), ofMeter: register.meter)
      column = count + 3
      quality = varies ? nil : try QualityText.nem12(method)
    } catch {
      return refuse(number, column: column, meter: name, error.text)
    }
    var values: [Int64?] = []
    for index in 0..<count { values.append(value(index + 2, number, register)) }
    day = Day(
      line: number, register: register, start: start, values: values,
      qualities: Array(repeating: quality, count: count),
      isSaid: Array(repeating: !varies, count: count), varies: varies)
  }

  private func value(_ place: Int, _ number: Int, _ register: Register) -> Int64? {
    let bytes = cells[place]
    if bytes.isEmpty { return nil }
    do throws(TextFault) {
      let decimal = try DecimalNumber(bytes, mark: 0x2E)
      guard let (energy, rounded) = decimal.energy(in: register.unit, seconds: register.length)
      else { throw TextFault("'\(bytes.shown)' \(register.unit.rawValue) is too large") }
      sink.rounded(rounded)
      return energy
    } catch {
      refuse(
        number, column: place + 1, meter: sink.meters[register.meter].name, error.text)
      return nil
    }
  }

  // MARK: 400

  private mutating func addQuality(_ number: Int) {
    guard let count = day?.values.count else {
      // Records of a register that is not imported, or behind a day that cannot be read.
      return
    }
    guard let first = Int(cells[1].text), let last = Int(cells[2].text), first >= 1, last >= first,
      last <= count
    else {
      return refuse(
        number, column: 2,
        "'\(cells[1].shown)' and '\(cells[2].shown)' are no intervals from 1 to \(count)")
    }
    do throws(TextFault) {
      let quality = try QualityText.nem12(cells[3])
      for index in first - 1..<last {
        day?.qualities[index] = quality
        day?.isSaid[index] = true
      }
    } catch {
      refuse(number, column: 4, error.text)
    }
  }

  // MARK: Flush

  /// Passes the day on, whose records 400 have all come.
  private mutating func flush() throws(ImportError) {
    guard let day else { return }
    self.day = nil
    let register = day.register
    for (index, value) in day.values.enumerated() {
      let start = day.start + Int64(index) * register.length
      guard day.isSaid[index] else {
        refuse(
          day.line, column: index + 3, meter: sink.meters[register.meter].name,
          "the quality of the day is V, and no record 400 says that of interval \(index + 1)")
        continue
      }
      guard let value, let quality = day.qualities[index] else {
        sink.report.missing += 1
        continue
      }
      try sink.part(
        register.suffix, ofMeter: register.meter, line: day.line, start..<start + register.length,
        register.direction, value, quality)
    }
  }
}
