import Foundation
import Testing

@Suite("Values on the command line")
struct TypedValueTests {
  private static let area = ["area", "1", "--code", "X"]
  private static let costs = ["--storage-cost", "300", "--storage-price", "20"]
  private static let prices = ["--feed-in", "0.08", "--retail", "0.32"]
  private static let instrument = ["instrument", "1", "--area", "1", "--tick", "0.001"]
  private static let band = ["--lowest", "0", "--highest", "1"]

  @Test(
    "A value that cannot be used ends the command with 64, and what to write.",
    arguments: [
      (area + costs + ["--feed-in", "0,08", "--retail", "0.32"], "not a comma: 0.08"),
      (area + costs + prices + ["--currency", "zloty"], "EUR"),
      (instrument + band + ["--symbol", "SPOT", "--lot", "1kwh"], "the unit is written kWh: 1kWh"),
      (instrument + band + ["--symbol", "SPOT", "--lot", "1"], "write 1kWh or 1Wh"),
      (instrument + band + ["--symbol", "STROM-Ö", "--lot", "1kWh"], "such as \"STROM-Oe\""),
      (["participant", "2", "--name", "Müller & Söhne"], "joulebook people set"),
      (["deposit", "2", "1.234,50", "--reference", "1"], "1234.50"),
      (["deposit", "2", "0", "--reference", "1"], "an amount is above 0"),
      (["deposit", "2", "5", "--reference", "0"], "whole number from 1 to"),
      (["participant", "0", "--name", "a"], "whole number from 1 to"),
      (["tariff", "70000"] + prices, "whole number from 1 to 65535"),
      (["deposit", "2", "-5", "--reference", "1"], "-5 cannot be used here: an amount"),
      (["withdraw", "2", "-5", "--reference", "1"], "joulebook admin deposit"),
      (["limit", "account", "10", "openOrders", "-1"], "0 removes it"),
      (["limit", "account", "10", "openOrders", "1.5"], "openOrders cannot be '1.5'"),
      (["cap", "2", "--area", "1", "--cap", "-5kWh"], "--cap cannot be -5kWh: it takes no number"),
      (["tick", "2026-02-31"], "February 2026 has the days 1 to 28"),
      (["parameter", "instrument", "1", "tick", "--to", "0,1"], "not a comma: 0.1"),
    ])
  func refused(arguments: [String], words: String) throws {
    let result = try Joulebook.run(["admin"] + arguments)
    #expect(result.status == 64 && result.errors.contains(words), "\(result.errors)")
  }

  @Test("Days below zero and a setting without a key are told as what they are.")
  func otherCommands() throws {
    let days = try Joulebook.run(["demo", "--days", "-1"])
    #expect(days.status == 64 && days.errors.contains("--days cannot be -1: it takes no"))
    let setting = try Joulebook.run(["serve", "--set", "=1"])
    #expect(setting.status == 78 && setting.errors.contains("--set =1: write KEY=VALUE"))
  }
}
