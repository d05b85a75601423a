import Journaling
import MarketModel

/// Commands with arbitrary values, which the codec and the files must support though no market
/// does.
struct RandomCommands {
  var random: SeededRandom
  var sequence: UInt64
  var time: UInt64

  init(seed: UInt64, after sequence: UInt64 = 0, time: UInt64 = 1_800_000_000_000_000_000) {
    (random, self.sequence, self.time) = (SeededRandom(seed: seed), sequence, time)
  }

  mutating func batch(_ count: Int) -> [Command] {
    (0..<count).map { _ in next(CommandCodec.Kind.allCases.randomElement(using: &random) ?? .tick) }
  }

  /// A command whose record has the given kind, which may be that of a longer form.
  mutating func next(_ record: CommandCodec.Kind) -> Command {
    sequence += 1
    time += UInt64.random(in: 0...5_000, using: &random)
    return Command(
      session: SessionId(bits()), clientSequence: bits(), body: body(record),
      sequence: SequenceNumber(sequence), time: Timestamp(nanoseconds: time))
  }

  private mutating func body(_ record: CommandCodec.Kind) -> Command.Body {
    // Only records of orders have kinds with other names than their commands.
    let kind = CommandKind(rawValue: "\(record)") ?? .enter
    while true {
      let body = randomBody(kind, &self)
      if CommandCodec.kind(of: body) == record { return body }
    }
  }

  /// Any value of an integer type, with extreme values more often than by chance.
  private mutating func bits<Value: FixedWidthInteger>() -> Value {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: Value.min
    case 1: Value.max
    case 2: Value.zero
    default: Value.random(in: .min ... .max, using: &random)
    }
  }
}

extension RandomCommands: FieldSource {
  mutating func leavesOut(_ field: String) -> Bool { Bool.random(using: &random) }

  /// The journal contains no rules version that this program does not know.
  mutating func integer<Value: FixedWidthInteger>(_ field: String) -> Value {
    field == "setRules.version"
      ? Value.random(in: 0...Value(RulesVersion.newest), using: &random) : bits()
  }

  mutating func identifier<Value: Identifier>(_ field: String) -> Value { Value(bits()) }

  mutating func choice<Value: CaseIterable>(_ field: String) -> Value {
    let cases = Array(Value.allCases)
    return cases[Int.random(in: 0..<cases.count, using: &random)]
  }

  mutating func flag(_ field: String) -> Bool { Bool.random(using: &random) }
  mutating func price(_ field: String) -> Price { Price(ticks: bits()) }
  mutating func energy(_ field: String) -> Energy { Energy(wattHours: bits()) }
  mutating func money(_ field: String) -> Money { Money(units: bits()) }
  mutating func timestamp(_ field: String) -> Timestamp { Timestamp(nanoseconds: bits()) }
  mutating func rate(_ field: String) -> Rate { Rate(partsPerMillion: bits()) }
  mutating func label(_ field: String) -> Label { Label(low: bits(), high: bits()) }
  mutating func roles(_ field: String) -> Roles { Roles(rawValue: bits()) }
  mutating func noteText(_ field: String) -> NoteText {
    NoteText(bits(), bits(), bits(), bits(), bits())
  }
  mutating func publicKey(_ field: String) -> PublicKey {
    PublicKey(bits(), bits(), bits(), bits())
  }
}

/// A command as comparable text: all fields, by reflection.
func fields(_ command: Command) -> String { String(describing: command) }

/// A command as a comparable value: sequence number and bytes. Fast enough for long journals.
func record(_ command: Command) -> [UInt64] {
  var words = [UInt64](repeating: 0, count: 1 + CommandCodec.longestRecord / 8)
  words[0] = command.sequence.rawValue
  words.withUnsafeMutableBytes { buffer in
    if let base = buffer.baseAddress { _ = CommandCodec.encode(command, into: base + 8) }
  }
  return words
}
