import Journaling
import MarketModel
import Testing
import Wire

@Suite("Commands as text")
struct CommandTextTests {
  @Test(
    "A line contains session and command, each field by name, prices and money as decimals."
  )
  func lines() {
    let order = Command(
      session: SessionId(7), clientSequence: 1,
      body: .enter(
        NewOrder(
          account: AccountId(3), instrument: InstrumentId(1), side: .sell,
          clientOrderId: ClientOrderId(9), price: Price(ticks: -10_001),
          quantity: Energy(wattHours: 5_000))),
      sequence: SequenceNumber(12), time: Timestamp(nanoseconds: 34))
    #expect(
      CommandText.line(order)
        == "12 34 s7 enter account 3 instrument 1 side sell clientOrderId 9 price -0.10001 "
        + "quantity 5000Wh")
    let deposit = CashMovement(
      account: AccountId(3), currency: .eur, amount: Money(units: 1_250_000_000), reference: 4)
    #expect(
      CommandText.text(.cash(.deposit(deposit)))
        == "deposit account 3 currency 978 amount 12.50000000 reference 4")
    let checkpoint = Checkpoint(eventHash: 0x3ee4_aa03_537d_5239, stateHash: 0)
    #expect(
      CommandText.text(.control(.checkpoint(checkpoint)))
        == "checkpoint eventHash 0x3ee4aa03537d5239 stateHash 0x0")
    let tariff = SetTariff(
      area: AreaId(1), feedInPrice: Price(ticks: 8_000), retailPrice: Price(ticks: 32_000))
    #expect(
      CommandText.text(.reference(.setTariff(tariff)))
        == "setTariff area 1 feedInPrice 0.08000 retailPrice 0.32000")
    #expect(
      CommandText.text(
        .reference(
          .createParticipant(
            CreateParticipant(participant: ParticipantId(2), name: Label(#"a "b\c"#) ?? .empty))))
        == #"createParticipant participant 2 name "a \"b\\c""#)
  }

  @Test(
    "Every command is read back unchanged from its text.", arguments: CommandCodec.Kind.allCases)
  func roundTrip(kind: CommandCodec.Kind) throws {
    var commands = RandomCommands(seed: 4)
    for _ in 0..<300 {
      let command = commands.next(kind)
      let text = CommandText.text(command.body)
      #expect(text.hasPrefix(CommandKind(command.body).rawValue) && !text.contains("\n"))
      var back = command
      back.body = try CommandText.parse(text)
      #expect(fields(back) == fields(command), "\(text)")
    }
  }

  @Test("Abbreviated values and fields in any order are accepted.")
  func shortForms() throws {
    #expect(
      CommandText.text(
        try CommandText.parse(" setTariff retailPrice 0.32  feedInPrice -0.5 area 1"))
        == "setTariff area 1 feedInPrice -0.50000 retailPrice 0.32000")
    #expect(
      CommandText.text(try CommandText.parse("setCap account 3 area 1 cap 5.25kWh"))
        == "setCap account 3 area 1 cap 5250Wh")
    #expect(
      CommandText.text(
        try CommandText.parse(
          "enter account 1 instrument 1 side buy clientOrderId 1 price 1 quantity 1kWh postOnly no")
      )
        == "enter account 1 instrument 1 side buy clientOrderId 1 price 1.00000 quantity 1000Wh")
  }

  @Test("An error names the field, the value and the expected form.")
  func errors() {
    func error(_ text: String) -> String? {
      do throws(CommandTextError) {
        _ = try CommandText.parse(text)
        return nil
      } catch {
        return error.description
      }
    }
    #expect(error("")?.contains("no command") == true)
    #expect(error("setTarif area 1")?.hasPrefix("there is no command 'setTarif'") == true)
    #expect(error("setTariff area")?.contains("area has no value") == true)
    #expect(error("setTariff area 1 area 2")?.contains("area occurs twice") == true)
    #expect(
      error("setTariff area 1 feedInPrice 0.08")
        == "setTariff: the field retailPrice is missing; write a price per kWh such as 0.08, "
        + "with 5 decimals at most")
    #expect(
      error("setTariff area x feedInPrice 0.08 retailPrice 1")
        == "setTariff: area cannot be 'x'; write a number up to 65535")
    #expect(
      error("cancelOrders --participant 2")
        == "cancelOrders: there is no field '--participant'; its fields are: participant account instrument sides order session"
    )
    #expect(error("x x x x x")?.hasPrefix("there is no command 'x'; the commands are: ") == true)
    #expect((error("setCap account \(String(repeating: "9", count: 100_000))")?.count ?? 0) < 300)
    for price in ["0.000001", "1e3", ".5", "5.", "", "--1", "1.-2", "99999999999999999"] {
      #expect(error("setTariff area 1 feedInPrice \(price) retailPrice 1") != nil, "\(price)")
    }
    #expect(
      error("createAccount account 1 participant 2 price 2")
        == "createAccount: there is no field 'price'; its fields are: account participant label")
    #expect(error("tick now 1") == "tick: there is no field 'now'; it has none")
    #expect(error("createAccount account 70000000000 participant 1")?.contains("account") == true)
    #expect(error("setCap account 1 area 1 cap 5")?.contains("5000Wh or 5kWh") == true)
    #expect(
      error("setInstrumentState instrument 1 state shut")?.contains("open, halted, closed") == true)
    for name in ["ana", #""ana"#, #""\xZZ""#, #""a234567890123456b""#, #""é""#] {
      #expect(error("createParticipant participant 1 name \(name)") != nil, "\(name)")
    }
    #expect(error("registerMeter meter 1 account 1 area 1 publicKey 00ff")?.contains("64") == true)
  }
}
