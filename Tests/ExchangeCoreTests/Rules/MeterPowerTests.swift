import ExchangeCore
import MarketModel
import Testing

@Suite("Rule 7: rated power and intervals of readings")
struct MeterPowerTests {
  @Test("A reading is at most what the meter's power gives in its interval, rounded up.")
  func power() {
    expect(
      """
      rules 3 by 0 ->
      register #20 ana power 5001 ->
      meter #20 +1250Wh seq 1 from 0s to 900s after 900s ->
      meter #20 +1252Wh seq 2 from 900s to 1800s after 900s -> rejected readingAboveCapacity 1251
      meter #20 +1Wh -1252Wh seq 2 from 900s to 1800s -> rejected readingAboveCapacity 1251
      meter #20 +1251Wh seq 2 from 900s to 1800s ->
      """)
  }

  @Test("A meter without a power has the default.")
  func defaultPower() {
    expect(
      """
      meter ana +26kWh seq 1 from 0s to 900s after 1800s -> metered exported 16kWh for 0.80
      rules 3 by 0 ->
      meter ana +25001Wh seq 2 from 900s to 1800s -> rejected readingAboveCapacity 25000
      meter ana +25kWh seq 2 from 900s to 1800s -> metered exported 25kWh for 1.25
      register #20 ana power -1 -> rejected badDefinition -1
      """)
  }

  @Test("A meter that is registered again as it is gets another power, in every version.")
  func registeredAgain() {
    expect(
      """
      register #20 ana ->
      register #20 ana -> rejected alreadyExists
      register #20 ana power 1000 ->
      register #20 ben power 1000 -> rejected alreadyExists
      rules 3 by 0 ->
      meter #20 +1001Wh seq 1 from 0s to 3600s after 3600s -> rejected readingAboveCapacity 1000
      register #20 ana power 2000 ->
      register #20 ana -> rejected alreadyExists
      meter #20 +1001Wh seq 1 from 0s to 3600s ->
      """)
  }

  @Test("An interval is of at most 24 hours and ends at most a minute ahead.")
  func intervals() {
    let latest = Market.start + 86_401_000_000_000 + 60_000_000_000
    expect(
      """
      meter ana +1kWh seq 1 from 0s to 1s ->
      rules 3 by 0 ->
      meter ana +1kWh seq 2 from 1s to 86402s after 86401s -> rejected intervalTooLong 86400000000000
      meter ana +1kWh seq 2 from 1s to 86401s ->
      meter ana +1kWh seq 3 from 86401s to 86462s -> rejected intervalInFuture \(latest)
      meter ana +1kWh seq 3 from 86401s to 86461s ->
      """)
  }

  @Test("Short intervals together give no more than their power.")
  func shortIntervals() {
    expect(
      """
      rules 5 by 0 ->
      register #20 ana power 900 ->
      meter #20 +1Wh seq 1 from 0s to 1s after 1s ->
      meter #20 +1Wh seq 2 from 1s to 2s after 1s -> rejected readingAboveCapacity
      meter #20 +0Wh -1Wh seq 2 from 1s to 2s ->
      meter #20 +1Wh seq 3 from 2s to 4s after 2s -> rejected readingAboveCapacity
      meter #20 +0Wh -1Wh seq 3 from 2s to 4s -> rejected readingAboveCapacity
      meter #20 +1Wh seq 3 from 2s to 5s after 1s ->
      meter #20 +900Wh seq 4 from 5s to 3605s after 3600s ->
      meter #20 +1Wh seq 5 from 3605s to 3606s after 1s -> rejected readingAboveCapacity
      meter #20 +900Wh -900Wh seq 5 from 3605s to 7205s after 3600s ->
      meter #20 +901Wh seq 6 from 7205s to 10805s after 3600s -> rejected readingAboveCapacity 900
      """)
  }

  @Test("Before version 5 each interval is bounded for itself.")
  func shortIntervalsBefore() {
    expect(
      """
      rules 4 by 0 ->
      register #20 ana power 900 ->
      meter #20 +1Wh seq 1 from 0s to 1s after 1s ->
      meter #20 +1Wh seq 2 from 1s to 2s after 1s ->
      """)
  }
}
