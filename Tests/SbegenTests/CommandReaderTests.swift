import Foundation
import Testing

@testable import sbegen

@Suite("Declarations of commands")
struct CommandReaderTests {
  /// A message that declares a command.
  private struct Declaration {
    var marks = #"jb:command="reference.setLoss" jb:kind="9" jb:role="administration""#
    var version = 1
    var blockLength = 28
    var appended = ""
    /// The content of the journal's schema after its one family.
    var journal = ""

    func read() throws -> CommandSchema {
      let schema = try SchemaReader.read(Data(schema.utf8))
      return try CommandReader.read(
        schema, try SchemaReader.readJournal(Data(journalFile.utf8), schema))
    }

    private var schema: String {
      """
      <sbe:messageSchema xmlns:sbe="http://fixprotocol.io/2016/sbe" xmlns:jb="urn:joulebook:command"
                         package="p" id="1" version="9" byteOrder="littleEndian">
        <types>
          <type name="Timestamp" primitiveType="uint64" presence="optional"
                nullValue="18446744073709551615" description="ns; a moment."/>
          <type name="AreaId" primitiveType="uint16" description="number; an area."/>
          <type name="Energy" primitiveType="int64" description="Wh; energy."/>
          <type name="Reserved16" primitiveType="uint16" description="; nothing."/>
        </types>
        <sbe:message name="SetLoss" id="1" blockLength="\(blockLength)" sinceVersion="\(version)"
                     \(marks) description="To server. Sets a loss.">
          <field name="sendingTime" id="1" type="Timestamp" description="t."/>
          <field name="most" id="2" type="Energy" description="At most so much."/>
          <field name="lossOfAll" id="3" type="Energy" jb:property="loss" description="How much."/>
          <field name="area" id="4" type="AreaId" description="Where."/>
          <field name="reserved1" id="5" type="Reserved16" description="Padding."/>
          \(appended)
        </sbe:message>
      </sbe:messageSchema>
      """
    }

    private var journalFile: String {
      """
      <journal xmlns:jb="urn:joulebook:command">
        <family name="reference" commands="c" events="e"/>
        \(journal)
      </journal>
      """
    }
  }

  private func layout(_ form: CommandForm) -> [String] {
    form.parts.map { part in
      switch part {
      case .property(let property): property.name
      case .reserved(let count): ".\(count)"
      }
    }
  }

  private func refusal(_ change: (inout Declaration) -> Void) -> String? {
    var declaration = Declaration()
    change(&declaration)
    do {
      _ = try declaration.read()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test("A command has the names and order of its message, unless another order is given.")
  func orders() throws {
    var declaration = Declaration()
    let plain = try #require(try declaration.read().commands.first)
    #expect(plain.name == "setLoss" && plain.family == "reference" && plain.payload == "SetLoss")
    #expect(plain.properties.map(\.name) == ["most", "loss", "area"])
    #expect(
      layout(plain.forms[0]) == ["most", "loss", "area", ".6"] && plain.forms[0].length == 24)
    #expect(plain.pattern("value") == ".reference(.setLoss(value))")

    declaration.marks += #" jb:properties="area most loss" jb:record="area loss most""#
    let ordered = try #require(try declaration.read().commands.first)
    #expect(ordered.properties.map(\.name) == ["area", "most", "loss"])
    #expect(layout(ordered.forms[0]) == ["area", ".6", "loss", "most"])
  }

  @Test(
    "A field appended to a message makes a longer form, of the same kind unless it declares one."
  )
  func forms() throws {
    var declaration = Declaration()
    declaration.version = 2
    declaration.blockLength = 52
    declaration.marks += #" jb:properties="area most loss""#
    declaration.appended = """
      <field name="until" id="6" type="Timestamp" sinceVersion="3" description="Until when."/>
      <field name="zone" id="7" type="AreaId" sinceVersion="4" jb:form="zoned 12" description="z."/>
      <field name="peak" id="8" type="Energy" sinceVersion="5" jb:default=".zero" description="p."/>
      <field name="reserved2" id="9" type="Reserved16" sinceVersion="5" description="Padding."/>
      <field name="reserved3" id="10" type="Reserved16" sinceVersion="5" description="Padding."/>
      <field name="reserved4" id="11" type="Reserved16" sinceVersion="5" description="Padding."/>
      """
    let command = try #require(try declaration.read().commands.first)
    #expect(command.forms.map(\.kind) == [9, 9, 12, 12])
    #expect(command.forms.map(\.kindName) == ["setLoss", "setLoss", "zoned", "zoned"])
    #expect(command.forms.map(\.length) == [24, 32, 40, 48])
    #expect(layout(command.forms[1]) == ["until"] && layout(command.forms[2]) == ["zone", ".6"])
    #expect(command.forms.map(\.start) == [0, 24, 32, 40])
    let standards = command.properties.map(\.standard)
    #expect(
      standards == [
        nil, nil, nil, "Timestamp(nanoseconds: 18446744073709551615)", "AreaId(0)", ".zero",
      ])
  }

  @Test("A longer record is written when its field has not its default, and refused when it has.")
  func codec() throws {
    var declaration = Declaration()
    declaration.appended = """
      <field name="until" id="6" type="Timestamp" sinceVersion="2" jb:default=".never" description="u."/>
      """
    declaration.blockLength = 36
    let text = RecordCodecWriter.file(try declaration.read())
    for line in [
      "case .setLoss: [24, 32]", "if value.until != .never { return 1 }",
      "writer.put(value.until.nanoseconds)",
      "case .setLoss: .reference(.setLoss(payloadLength == 24 ? try setLoss(&reader) : "
        + "try setLossForm1(&reader)))",
      "if value.until == .never {", "throw reader.needless(at: 24)",
    ] {
      #expect(text.contains(line), "\(line)")
    }
  }

  @Test("Contradictory declarations are refused with the reason.")
  func refusals() {
    #expect(refusal { _ in } == nil)
    #expect(refusal { $0.marks = #"jb:command="reference.setLoss""# }?.contains("no kind") == true)
    #expect(
      refusal { $0.marks = #"jb:command="reference.setLoss" jb:kind="9""# }?.contains("role")
        == true)
    #expect(
      refusal { $0.marks = #"jb:command="other.setLoss" jb:kind="9" jb:role="trading""# }
        == "unknown family other")
    #expect(refusal { $0.marks += #" jb:properties="area loss""# }?.contains("order") == true)
    #expect(refusal { $0.marks += #" jb:record="area loss most most""# }?.contains("order") == true)
    #expect(refusal { $0.marks += #" jb:event="lossSet""# }?.contains("case and its tag") == true)
    let own = """
      <message name="Own" description="o" jb:command="reference.own" jb:kind="9">
        <field name="area" type="AreaId" description="a"/>
      </message>
      """
    #expect(
      refusal { $0.journal = own }
        == "jb:kind 9 is used by setLoss and by own; the next free number is 10")
    #expect(refusal { $0.journal = own.replacing("\"9\"", with: "\"10\"") } == nil)
    let event =
      #"<event case="done" family="reference" payload="Done" tag="7" description="d"/>"#
    #expect(
      refusal { $0.journal = event + event }
        == "the tag of an event 7 is used by done and by done; the next free number is 8")
    #expect(
      refusal {
        ($0.journal, $0.marks) = (event, $0.marks + #" jb:event="lossSet 7""#)
      } == "the tag of an event 7 is used by done and by lossSet; the next free number is 8")
    #expect(
      refusal { $0.marks += #" jb:evnt="lossSet 7""# }
        == "SetLoss: there is no attribute jb:evnt here; there are: jb:checked jb:command jb:doc jb:event "
        + "jb:kind jb:payload jb:properties jb:record jb:role")
    #expect(
      refusal { $0.marks = $0.marks.replacing("administration", with: "king") }
        == "setLoss: no role is called king; the roles are: trading metering administration dropCopy participantAdministration surveillance"
    )
    #expect(
      refusal { $0.marks = $0.marks.replacing("\"9\"", with: "\"70000\"") }
        == "setLoss: jb:kind is 70000, and must be 1 to 65535")
    #expect(
      refusal { $0.version = 10 } == "SetLoss: sinceVersion 10, and the schema's version is 9")
    let again = """
      </sbe:message><sbe:message name="Again" id="1" blockLength="12" description="To server. A.">
      <field name="most" id="1" type="Energy" description="m."/>
      <field name="reserved1" id="2" type="Reserved16" description="Padding."/>
      <field name="reserved2" id="3" type="Reserved16" description="Padding."/>
      """
    #expect(refusal { $0.appended = again } == "SetLoss and Again both have the id 1")
  }

  @Test("Text that is not XML is refused with its line.")
  func notXML() {
    for wrong in ["<field", "<sbe:message name=\"X\">", "<!-- a & --> & "] {
      #expect(refusal { $0.appended = wrong }?.hasPrefix("no XML at line ") == true, "\(wrong)")
    }
    #expect(throws: SchemaError.self) { try SchemaReader.read(Data()) }
  }
}
