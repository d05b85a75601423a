import MarketModel
import Presentation

// The section that compares the market with the community without an exchange, and says whose the
// storage is and what the exchange charges.
extension ReportPage {
  var waysSection: String {
    let rows = result.ways.map { way in
      """
      <tr><td>\(way.name)</td><td>\(Format.percent(way.energy.selfSufficiency, places: 1))</td>\
      <td class="wide">\(Format.energy(way.energy.imported))</td>\
      <td class="wide">\(Format.energy(way.energy.exported))</td>\
      <td>\(Format.money(way.cost, sign))</td><td>\(Format.count(way.losers))</td></tr>
      """
    }
    return """
      <section id="ways">
      <h2>The market beside what could be without it</h2>
      <p>All four have the same readings and the same tariff, and what a customer makes and uses in \
      \(intervalWords) is its own. <b>Each customer alone</b> has its own roof \
      and its own storage. <b>Netted</b>, the community is behind one meter and has no storage. With \
      <b>one shared battery</b>, as large as all storage together, each surplus is stored and given \
      to the next lack: no plan could import less with this storage. The market reached \
      \(Format.percent(result.shareOfShared, places: 1)) of its self-sufficiency, by trading alone.\(nettedWords)</p>
      <table class="many"><caption>\(setting.title.markupEscaped), \(period)</caption>
      <tr><th></th><th>self-sufficiency</th><th class="wide">imported</th><th class="wide">exported</th>\
      <th>cost together</th>\
      <th>pay more than alone</th></tr>
      \(rows.joined(separator: "\n"))
      </table>
      <p class="note">The cost is what all pay less what they receive; below zero the community earns. \
      Of the market it has the trading fees in it. Netted and with the shared battery, energy of the \
      community is paid at the middle of the tariff, \
      \(Format.price(setting.terms.middle, places: 0)).</p>
      \(storageWords)
      \(feeWords)
      \(knowledgeWords)
      \(households)
      </section>
      """
  }

  /// Why the community imported less when it was netted than with the market; empty when it did not.
  private var nettedWords: String {
    let netted = result.baselines.netted.total
    let more = result.energy.imported - netted.imported
    if more <= 0 { return "" }
    let exported = result.energy.exported - netted.exported
    let sold = exported > 0 ? ", and \(Format.energy(exported)) more were exported" : ""
    return
      " Netted it would have imported \(Format.energy(more)) less than with the market: netting "
      + "gives each surplus to a lack of the same interval and stores nothing, while with the market "
      + "\(Format.energy(result.energy.heldAtEnd)) are in storage at the end\(sold)."
  }

  private var storageWords: String {
    let lenders = setting.behaviours.reduce(0) { $0 + ($1.key.lends ? $1.value : 0) }
    guard let owner = result.batteryOwner else {
      return """
        <h3>Whose the storage is</h3>
        <p>Each customer has its own storage, \(Format.energy(setting.capacity.wattHours)) together.</p>
        """
    }
    let earned = Money(units: -owner.net.units)
    let traders = setting.customers - lenders
    return """
      <h3>Whose the storage is</h3>
      <p>Of \(Format.energy(setting.capacity.wattHours)) in all, \
      \(Format.energy(setting.battery.wattHours)) are the battery: the storage of \
      \(Format.count(lenders)) \(lenders == 1 ? "customer" : "customers") without a roof, who \
      \(lenders == 1 ? "has" : "have") no use for it alone. They leave it to an operator, without rent. What is stored there is the operator’s: it bought \
      \(Format.energy(owner.bought)), sold \(Format.energy(owner.sold)) and \
      \(earned >= .zero ? "earned" : "lost") \(Format.money(Money(units: abs(earned.units)), sign)) after \
      fees, which is not a part of what the customers saved. \
      \(Format.count(traders)) \(traders == 1 ? "customer has" : "customers have") storage of their own.</p>
      """
  }

  private var feeWords: String {
    let terms = setting.terms
    return """
      <h3>What the exchange charges</h3>
      <p>\(Format.percent(terms.makerFee.share, places: 1)) of the amount of a trade from the order \
      that was in the book, and \(Format.percent(terms.takerFee.share, places: 1)) from the other party: \
      \(Format.money(result.fees, sign)) together. There is no fee for storage, for readings or for the \
      use of the grid inside the community.</p>
      """
  }

  private var knowledgeWords: String {
    """
    <h3>What the traders know</h3>
    <p>The readings of their own meters so far, from the day before the run on, and the public market \
    data. Homes keep what they need until the sun is back if the coming day is like the last one; the \
    battery’s operator needs no forecast. What a meter reads as lacking is bought from its neighbours’ \
    offers before it is imported, and what a roof makes too much is sold to their bids before it is \
    exported: \(Format.energy(result.run.localWattHours)) of the traded \
    \(Format.energy(result.tradedWattHours)) were traded so, by no order.</p>
    """
  }

  /// What each customer pays in the four ways, folded. A phone leaves out the second one.
  private var households: String {
    let ways = result.ways
    let places = ["", " class=\"wide\"", "", ""]
    let heads = zip(ways, places).map { "<th\($1)>\($0.name)</th>" }.joined()
    let rows = result.customers.indices.map { index in
      let cells = zip(ways, places).map { way, place in
        "<td\(place)>\(Format.money(way.customers[index], sign))</td>"
      }.joined()
      return "<tr><td>\(result.customers[index].name.markupEscaped)</td>\(cells)</tr>"
    }
    return """
      <details><summary>What each customer pays in the four ways</summary>
      <table class="many"><caption>Paid less received; below zero the customer earned. A home with \
      storage of its own can do worse in a shared battery than alone.</caption>
      <tr><th></th>\(heads)</tr>
      \(rows.joined(separator: "\n"))
      </table></details>
      """
  }
}

extension Rate {
  /// The rate as a share, such as 0.002.
  fileprivate var share: Double { Double(partsPerMillion) / 1_000_000 }
}
