// `joulebook import`: meter readings from files. A dry run unless --apply is given.

import ArgumentParser
import Foundation
import JoulebookClient
import MarketFile
import MarketModel
import MeterImport
import Presentation

/// `joulebook import`.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Imports meter readings from a file; a dry run unless --apply is given.",
    discussion: """
      The dry run needs no server. It prints how many lines, meters and readings there are, the gaps \
      of each meter, what stands twice, and the first line that cannot be sent, with the reason. With \
      --apply the readings are sent to a server, in a session with the role metering.

        joulebook import readings.csv
        joulebook import lastgang.csv --profile german --meter 100
        joulebook import nem12.csv --profile nem12 --meters meters.csv
        joulebook import homes.csv --profile columns --zone Europe/Zurich --interval 15m --unit Wh \\
          --time-column week --time-column day --time-column time --year 2025 --wide consumed
        joulebook import readings.csv --apply --session 5 --key metering.key --key-folder meters \\
          --rejected rejected.csv

      With --compare the dry run asks the server which readings would be new intervals, which the next \
      versions of intervals that it has, and which it has already.

        joulebook import readings.csv --compare --session 5 --key metering.key

      The profile own is CSV with the columns meter, start, end, produced, consumed (Wh) and, if you \
      like, quality (measured, substituted, estimated) and sequence. docs/IMPORT.md has all profiles.

      The same file again changes nothing. For a corrected file give --revision 1, then 2 ...

      Exit codes: 0 all is well; 65 something in the file cannot be sent; 77 the exchange rejected \
      something; and those of all commands.
      """)

  @Argument(help: "File; - is standard input.", completion: .file()) var file: String
  @Option(name: .long, help: "own, german, nem12 or columns.", transform: Self.profile)
  var profile = ImportProfile.own
  @OptionGroup(title: "Form of the file") var form: ImportForm

  @Option(name: .long, help: "Most gaps that are listed.", transform: Self.count) var gaps = 20
  @Option(
    name: .long, help: "Output file with the lines that cannot be sent, or were rejected (CSV).",
    transform: newFileName)
  var rejected: String?
  @Flag(name: .long, help: "Send the readings.") var apply = false
  @Flag(name: .long, help: "Compare with what the server has; nothing is sent.")
  var compare = false
  @Flag(
    name: .long,
    help: "Send readings of meters without a key unsigned: a metering operator answers for them.")
  var unsigned = false
  @Option(
    name: .long, help: "Folder with the private key of each meter: NUMBER.key.",
    completion: .directory, transform: folderName)
  var keyFolder: String?
  @Option(
    name: .long,
    help: "Private key that signs for all other meters: that of the metering operator.",
    completion: .file())
  var signingKey: String?
  @Option(
    name: .long, help: "0 to 63: a higher one for a corrected file.", transform: Self.revision)
  var revision: UInt64 = 0
  @Option(
    name: .long, help: "Most readings a second; below client.messages of the server.",
    transform: Self.rate)
  var rate: UInt64 = 40_000

  @OptionGroup(title: "Server, with --apply or --compare") var server: OperatorConnection

  private static func profile(_ text: String) throws -> ImportProfile {
    guard let profile = ImportProfile(rawValue: text) else {
      throw ValidationError("the profiles are own, german, nem12 and columns")
    }
    return profile
  }

  private static func count(_ text: String) throws(ValueError) -> Int {
    try Typed.number(text, in: 0...100_000)
  }

  private static func revision(_ text: String) throws(ValueError) -> UInt64 {
    try Typed.number(text, in: 0...ImportedReading.lastRevision)
  }

  private static func rate(_ text: String) throws(ValueError) -> UInt64 {
    try Typed.number(text, in: 1...1_000_000)
  }

  func validate() throws {
    try form.validate(profile)
    if apply, compare { throw ValidationError("give --apply or --compare, not both") }
    if apply, keyFolder == nil, signingKey == nil, !unsigned {
      throw ValidationError(
        "--apply signs readings: name the folder of the meters' keys (--key-folder), or the key that "
          + "signs for them (--signing-key); --unsigned sends those of meters for which a metering "
          + "operator answers")
    }
    if !apply, keyFolder != nil || signingKey != nil || unsigned {
      throw ValidationError("keys are for --apply, without which nothing is sent")
    }
  }

  func run() throws {
    let options = try form.options(profile)
    let list = try rejected.map { try RejectedList($0) }
    let readings: MeterFile
    do throws(ImportError) {
      readings = try MeterFile(file == "-" ? .standardInput : .path(file), options)
    } catch {
      throw Self.failure(error, file)
    }
    var bar = progress
    defer { bar?.clear() }
    if apply {
      try send(readings, list, &bar)
    } else if compare {
      try compare(readings, list, &bar)
    } else {
      try rehearse(readings, list, &bar)
    }
  }

  /// The progress in the bytes of the file; `nil` when its size is not known.
  private var progress: ProgressBar? {
    var information = stat()
    guard file != "-", stat(file, &information) == 0, information.st_size > 0 else { return nil }
    return ProgressBar(total: UInt64(information.st_size) >> 10, unit: "KiB")
  }

  /// Reads the file and prints what would be sent.
  private func rehearse(
    _ readings: MeterFile, _ list: RejectedList?, _ bar: inout ProgressBar?
  ) throws {
    var count = 0
    do throws(ImportError) {
      while let item = try readings.next() {
        count += 1
        if count & 0xFFF == 0 { bar?.show(readings.bytesRead >> 10) }
        if case .fault(let fault) = item { try list?.add(fault) }
      }
    } catch {
      throw Self.failure(error, file)
    }
    bar?.clear()
    try Self.close(list)
    let report = readings.report
    print(report.text(shownGaps: gaps), terminator: "")
    print("This was a dry run: nothing was sent. --apply sends \(report.readings) readings.")
    if report.faultCount > 0 { throw ExitCode(Failure.badData.rawValue) }
  }

  /// Sends the readings and prints what became of them.
  private func send(
    _ readings: MeterFile, _ list: RejectedList?, _ bar: inout ProgressBar?
  ) throws {
    let keys = MeterKeys(folder: keyFolder, common: try signingKey.map(Self.key))
    var result = ImportResult()
    var failure: ImportError?
    do {
      try server.converse { client throws(ClientError) in
        var session = ImportSession(
          client, keys: keys, sendsUnsigned: unsigned, revision: revision, rate: rate,
          rejected: list)
        defer { result = session.result }
        do throws(ImportFailure) {
          var count = 0
          while let item = try session.fetch(readings) {
            count += 1
            if count & 0xFF == 0 { bar?.show(readings.bytesRead >> 10) }
            try session.take(item)
          }
          try session.finish()
        } catch {
          switch error {
          case .client(let error): throw error
          case .file(let error): failure = error
          }
        }
      }
    } catch {
      bar?.clear()
      if let words = result.interrupted { printError(words) }
      try Self.close(list)
      throw error
    }
    bar?.clear()
    try Self.close(list)
    if let failure {
      if let words = result.interrupted { printError(words) }
      throw Self.failure(failure, file)
    }
    print(readings.report.text(shownGaps: gaps) + result.text, terminator: "")
    if result.rejected > 0 { throw ExitCode(Failure.refused.rawValue) }
    if readings.report.faultCount + result.unsigned > 0 {
      throw ExitCode(Failure.badData.rawValue)
    }
  }

  static func close(_ list: RejectedList?) throws {
    do throws(ImportError) {
      try list?.close()
    } catch {
      throw Failure.io.exit("\(error)")
    }
  }

  private static func key(_ path: String) throws -> Credentials {
    do throws(ClientError) {
      return try Credentials(session: SessionId(0), keyFile: path)
    } catch {
      throw Failure.noInput.exit("--signing-key: \(error)")
    }
  }

  /// The exit code for a file that cannot be imported, after printing why.
  static func failure(_ error: ImportError, _ file: String) -> ExitCode {
    let failure: Failure =
      switch error.kind {
      case .option: .usage
      case .missing: .noInput
      case .io: .io
      case .content: .badData
      }
    let name = error.description.hasPrefix(file) ? "" : file + ": "
    return failure.exit("\(name)\(error)")
  }
}
