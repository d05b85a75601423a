import Foundation
import Testing

@testable import sbegen

/// Words that cannot be names in the languages for which codecs are generated.
private enum Reserved {
  static let words: [(language: String, words: String)] = [
    (
      "C++",
      """
      alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
      co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype
      default delete do double dynamic_cast else enum explicit export extern false final float for friend goto if
      inline import int long module mutable namespace new noexcept not not_eq nullptr operator or or_eq override
      private protected public register reinterpret_cast requires return short signed sizeof static static_assert
      static_cast struct switch template this thread_local throw true try typedef typeid typename union unsigned
      using virtual void volatile wchar_t while xor xor_eq
      """
    ),
    (
      "Java",
      """
      _ abstract assert boolean break byte case catch char class const continue default do double else enum extends
      false final finally float for goto if implements import instanceof int interface long native new null package
      private protected public record return short static strictfp super switch synchronized this throw throws
      transient true try var void volatile while yield
      """
    ),
    (
      "Go, with its predeclared names",
      """
      any append bool break byte cap case chan clear close comparable complex complex128 complex64 const continue
      copy default defer delete else error fallthrough false float32 float64 for func go goto if imag import int
      int16 int32 int64 int8 interface iota len make map max min new nil package panic print println range real
      recover return rune select string struct switch true type uint uint16 uint32 uint64 uint8 uintptr var
      """
    ),
    (
      "Rust",
      """
      Self abstract as async await become box break const continue crate do dyn else enum extern false final fn for
      gen if impl in let loop macro match mod move mut override priv pub ref return self static struct super trait
      true try type typeof union unsafe unsized use virtual where while yield
      """
    ),
    (
      "C#",
      """
      abstract as async await base bool break byte case catch char checked class const continue decimal default
      delegate do double dynamic else enum event explicit extern false finally fixed float for foreach goto if
      implicit in int interface internal is lock long namespace new null object operator out override params
      partial private protected public readonly record ref required return sbyte sealed short sizeof stackalloc
      static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using var virtual
      void volatile where while yield
      """
    ),
    (
      "Lua",
      """
      and break do else elseif end false for function goto if in local nil not or repeat return then true until while
      """
    ),
    (
      "Python",
      """
      False None True and as assert async await break case class continue def del elif else except finally for from
      global if import in is lambda match nonlocal not or pass raise return try type while with yield
      """
    ),
  ]
}

@Suite("Names and versions of the schema")
struct SchemaNameTests {
  static let root: URL = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return root
  }()

  static func schema() throws -> Schema {
    try SchemaReader.read(Data(contentsOf: root.appendingPathComponent("proto/joulebook.xml")))
  }

  /// All names that a generator may make names of.
  private static func names(_ schema: Schema) -> [String] {
    let fields = schema.messages.flatMap { message in
      [message.name] + message.fields.map(\.name)
        + (message.group.map { [$0.name] + $0.fields.map(\.name) } ?? [])
    }
    let types = schema.types.flatMap { type -> [String] in
      switch type.shape {
      case .plain, .text: [type.name]
      case .composite(let members): [type.name] + members.map(\.name)
      case .enumeration(let choices), .set(let choices): [type.name] + choices.map(\.name)
      }
    }
    return Set(fields + types).sorted()
  }

  @Test(
    "No message, field, type or value has a name that is a word of C++, Java, Go, Rust, C# or Python.",
    arguments: Reserved.words)
  func words(language: String, words: String) throws {
    let forbidden = Set(words.split(whereSeparator: \.isWhitespace).map(String.init))
    for name in try Self.names(Self.schema()) {
      // Generators use a message's name in lower case too, for a variable.
      #expect(
        !forbidden.contains(name) && !forbidden.contains(name.lowercasedFirst),
        "\(name) is a word of \(language)")
    }
  }

  @Test("Names are letters and digits, and begin with a letter.")
  func letters() throws {
    for name in try Self.names(Self.schema()) {
      #expect(
        name.wholeMatch(of: /[A-Za-z][A-Za-z0-9]*/) != nil, "\(name) is no name in all languages")
    }
  }

  @Test(
    "No two names of a message, an enum or a set differ in their capitals only: some generators drop them."
  )
  func capitals() throws {
    let schema = try Self.schema()
    func check(_ owner: String, _ names: [String]) {
      #expect(Set(names.map { $0.lowercased() }).count == names.count, "\(owner): \(names)")
    }
    check("messages and types", schema.messages.map(\.name) + schema.types.map(\.name))
    for message in schema.messages {
      check(message.name, message.fields.map(\.name) + (message.group.map { [$0.name] } ?? []))
    }
    for type in schema.types {
      switch type.shape {
      case .enumeration(let choices), .set(let choices): check(type.name, choices.map(\.name))
      default: break
      }
    }
  }

  @Test("What a released version of the schema contains has not changed since.")
  func frozen() throws {
    let schema = try Self.schema()
    let history = SchemaHistory(schema: schema)
    for version in 1...schema.version {
      let file = Self.root.appendingPathComponent(SchemaHistory.path(version))
      guard FileManager.default.fileExists(atPath: file.path) else {
        #expect(
          version == schema.version, "\(SchemaHistory.path(version)) is missing: sbegen --freeze")
        continue
      }
      let released = Set(try String(contentsOf: file, encoding: .utf8).split(separator: "\n"))
      let today = Set(history.page(version).split(separator: "\n"))
      #expect(released.subtracting(today).isEmpty, "version \(version) has lost something")
      #expect(today.subtracting(released).isEmpty, "version \(version) has gained something")
    }
  }

  @Test(
    "A value that was added to an enum of the server's messages needs an older one for older clients."
  )
  func olderValues() throws {
    func file(_ added: String) throws -> String {
      let xml = """
        <sbe:messageSchema xmlns:sbe="http://fixprotocol.io/2016/sbe" xmlns:jb="urn:joulebook:command"
                           package="p" id="1" version="9" byteOrder="littleEndian">
          <types>
            <enum name="Reason" encodingType="uint8" description="Why.">
              <validValue name="one" description="One.">0</validValue>
              \(added)
            </enum>
            <type name="Reserved8" primitiveType="uint8" description="; nothing."/>
            <type name="Count" primitiveType="uint16" description="count; how many."/>
          </types>
          <sbe:message name="Told" id="42" blockLength="4" description="To client. It is told.">
            <field name="count" id="1" type="Count" description="n."/>
            <field name="reason" id="2" type="Reason" description="Why."/>
            <field name="reserved1" id="3" type="Reserved8" description="Padding."/>
          </sbe:message>
        </sbe:messageSchema>
        """
      return try OlderValuesWriter.file(SchemaReader.read(Data(xml.utf8))).text
    }
    let two =
      #"<validValue name="two" sinceVersion="8" jb:older="one" description="2.">1</validValue>"#
    let three =
      #"<validValue name="three" sinceVersion="9" jb:older="two" description="3.">2</validValue>"#
    let text = try file(two + three)
    #expect(text.contains("case 42:") && text.contains("setLittle(14, reason("))
    #expect(text.contains("case 1 where version < 8:") && text.contains("reason(0, version)"))
    #expect(text.contains("case 2 where version < 9:") && text.contains("reason(1, version)"))
    for wrong in ["", #"jb:older="three""#, #"jb:older="two""#] {
      #expect(throws: SchemaError.self) {
        try file(two.replacingOccurrences(of: #"jb:older="one""#, with: wrong))
      }
    }
  }
}
