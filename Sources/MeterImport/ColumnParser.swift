// Lines of CSV: one interval of one meter, or of every meter in a wide file.

import MarketModel

/// Parses the profiles own, german and columns.
struct ColumnParser {
  /// Lines in which the names of the columns must come.
  static let mostPreamble = 50

  let sink: ReadingSink
  let options: ImportOptions
  let times: TimeText
  private let interval: Int64?
  /// Whether only the registers of each meter are noted: the first time that the file is read.
  private let isScan: Bool
  private var separator: UInt8
  private var layout: ColumnLayout?
  /// Number of cells that a line needs.
  private var needed = 0
  private var cells = Cells()
  /// Names of the columns of the line that looked most like a header, for the message.
  private var widest: [String] = []
  /// The meters of a wide file, beside the columns of the layout.
  private var wide: [Int] = []
  private var wideHour = RepeatedHour()
  /// The last name of a meter with its place, since most files are sorted by meter.
  private var lastName: [UInt8] = []
  private var lastMeter = 0
  private var isFirst = true

  init(_ sink: ReadingSink, isScan: Bool = false) {
    (self.sink, self.isScan) = (sink, isScan)
    options = sink.options
    times = TimeText(order: options.dateOrder)
    interval = options.effectiveInterval
    separator = options.effectiveSeparator ?? 0x2C
  }

  /// Whether every line has one register of several, so that the file is read twice; `nil`: the
  /// names of the columns have not come yet.
  var hasRegisterOfLine: Bool? { layout.map { $0.obis != nil } }

  /// Takes the next line.
  /// - Throws: the file as a whole is none of this profile.
  mutating func take(_ line: Bytes, number: Int) throws(ImportError) {
    if line.allSatisfy({ $0 == 0x20 || $0 == separator || $0 == 0x09 }) { return }
    guard layout != nil else { return try header(line, number) }
    guard cells.split(line, at: separator) else {
      return sink.refuse(
        LineFault(.unreadable, line: number, "a quotation mark is not closed in this line"))
    }
    if layout?.meters.isEmpty == false {
      try wideLine(number)
    } else {
      try narrowLine(number)
    }
  }

  /// Takes the end of the file.
  /// - Throws: no line has the names of the columns.
  func end() throws(ImportError) {
    if widest.isEmpty { throw ImportError(.content, "the file has no lines") }
    if layout == nil { throw noHeader(lines: "the file") }
  }

  // MARK: Header

  private mutating func header(_ line: Bytes, _ number: Int) throws(ImportError) {
    if options.effectiveSeparator == nil {
      let counts = [UInt8(0x2C), 0x3B, 0x09].map { mark in line.filter { $0 == mark }.count }
      separator = counts[1] > counts[0] ? 0x3B : counts[2] > counts[0] ? 0x09 : 0x2C
    }
    guard cells.split(line, at: separator) else {
      throw ImportError(.content, "line \(number): a quotation mark is not closed in this line")
    }
    let names = cells.all.map { ColumnName($0.text) }
    if names.count > widest.count { widest = names.prefix(12).map(\.name) }
    switch options.profile {
    case .own:
      let isHeader = names.contains { $0.ownRole != nil }
      layout = try .own(isHeader ? names : nil)
      if !isHeader { return try begin(named: false, line, number) }
    case .german: layout = .german(names, options)
    case .columns: layout = .named(names, options)
    case .nem12: break
    }
    guard layout != nil else {
      if number >= Self.mostPreamble { throw noHeader(lines: "the first \(number) lines") }
      return
    }
    try begin(named: true, line, number)
  }

  /// Checks that options and columns fit together, and takes the line when it is none of names.
  private mutating func begin(named: Bool, _ line: Bytes, _ number: Int) throws(ImportError) {
    guard var layout else { return }
    if layout.meter == nil, options.meter == nil, layout.meters.isEmpty {
      throw ImportError(
        .option, "line \(number): no column names the meter; give its number with --meter")
    }
    if options.meter != nil { layout.meter = nil }
    if layout.end == .none, interval == nil, !layout.hasRegisters {
      throw ImportError(
        .option, "no column has the end of the interval; give its length, such as --interval 15m")
    }
    for place in layout.meters { wide.append(try sink.meter(cells[place].text)) }
    (self.layout, needed) = (layout, layout.count)
    if !named { try take(line, number: number) }
  }

  private func noHeader(lines: String) -> ImportError {
    let shown =
      widest.isEmpty ? "" : "; the line with most cells has " + widest.joined(separator: " | ")
    switch options.profile {
    case .columns:
      let wanted =
        options.timeColumns + options.endColumns + options.consumedColumns
        + options.producedColumns + options.consumedRegisters + options.producedRegisters
        + [options.meterColumn, options.qualityColumn, options.sequenceColumn].compactMap { $0 }
      return ImportError(
        .content, "\(lines): no line has the columns \(wanted.joined(separator: ", "))\(shown)")
    case .own, .german, .nem12:
      return ImportError(
        .content,
        "\(lines): no line names a column of times (Datum, Uhrzeit, Zeitstempel, von) and one of "
          + "values (Wert, Verbrauch, Einspeisung, 1.8.0)\(shown). Check --separator, or name the "
          + "columns with --profile columns")
    }
  }

  // MARK: Lines

  private mutating func narrowLine(_ number: Int) throws(ImportError) {
    guard let layout else { return }
    guard cells.count >= needed else {
      if isScan { return }
      return sink.refuse(
        LineFault(
          .unreadable, line: number,
          "it has \(cells.count) cells, and \(needed) are needed; the line may be cut off"))
    }
    let meter = try place(layout)
    if isScan { return try noteRegister(layout, meter) }
    let name = sink.meters[meter].name
    var column = 0
    let line: ParsedLine
    do throws(TextFault) {
      line = try parse(layout, cells, meter, &column)
    } catch {
      return refuse(error, number, column, name)
    }
    switch line {
    case .reading(let interval, let produced, let consumed, let quality, let sequence):
      try sink.add(
        meter, line: number, interval, produced: produced, consumed: consumed, quality,
        sequence: sequence)
    case .part(let register, let interval, let direction, let wattHours, let quality):
      try sink.part(
        register, ofMeter: meter, line: number, interval, direction, wattHours, quality)
    case .missing: sink.report.missing += 1
    case .ignored: sink.report.ignored += 1
    case .begin: break
    case .fault(let kind, let text):
      sink.refuse(LineFault(kind, line: number, meter: name, text))
    }
  }

  /// Notes the register of a line whose file is read for the first time.
  private func noteRegister(_ layout: ColumnLayout, _ meter: Int) throws(ImportError) {
    guard let obis = layout.obis else { return }
    let code = cells[obis].text
    if ObisCode(code) != nil { try sink.expect(code, ofMeter: meter) }
  }

  private mutating func wideLine(_ number: Int) throws(ImportError) {
    guard let layout, !isScan else { return }
    guard cells.count >= needed else {
      return refuse(
        TextFault("it has \(cells.count) cells, and \(needed) are needed; the line may be cut off"),
        number, 0, "")
    }
    var column = 0
    let interval: Range<Int64>
    do throws(TextFault) {
      column = Self.column(of: layout.start)
      let label = try start(layout, cells)
      interval = try span(layout, cells, try sink.moment(label, &wideHour), label, &column)
    } catch {
      return refuse(error, number, column, "")
    }
    let unit = options.effectiveUnit ?? .kilowattHours
    let seconds = interval.upperBound - interval.lowerBound
    let isMade = options.wide == .produced
    for (place, meter) in zip(layout.meters, wide) {
      let value: Int64?
      do throws(TextFault) {
        value = try energy(cells[place], unit, seconds)
      } catch {
        refuse(error, number, place + 1, sink.meters[meter].name)
        continue
      }
      guard let value else {
        sink.report.missing += 1
        continue
      }
      try sink.add(
        meter, line: number, interval, produced: isMade ? value : 0, consumed: isMade ? 0 : value,
        .measured, sequence: nil)
    }
  }

  private func refuse(_ fault: TextFault, _ line: Int, _ column: Int, _ meter: String) {
    sink.refuse(LineFault(.unreadable, line: line, column: column, meter: meter, fault.text))
  }

  /// The place of the line's meter.
  private mutating func place(_ layout: ColumnLayout) throws(ImportError) -> Int {
    guard let column = layout.meter else {
      return sink.onlyMeter(options.meter ?? MeterId(0))
    }
    let name = cells[column]
    if !isFirst, name.elementsEqual(lastName) { return lastMeter }
    lastMeter = try sink.meter(name.text)
    (lastName, isFirst) = (Array(name), false)
    return lastMeter
  }
}
