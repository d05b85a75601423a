// The letters of currencies in ISO 4217, for people; the exchange itself knows numbers only.

extension Currency {
  /// The currencies that people may name by letters, with their numbers in ISO 4217, by letters.
  /// Others are named by their number.
  public static let named: [(letters: String, currency: Currency)] = [
    ("AUD", Currency(36)), ("BGN", Currency(975)), ("BRL", Currency(986)), ("CAD", Currency(124)),
    ("CHF", Currency(756)), ("CNY", Currency(156)), ("CZK", Currency(203)), ("DKK", Currency(208)),
    ("EUR", Currency(978)), ("GBP", Currency(826)), ("HUF", Currency(348)), ("INR", Currency(356)),
    ("ISK", Currency(352)), ("JPY", Currency(392)), ("KRW", Currency(410)), ("MXN", Currency(484)),
    ("NOK", Currency(578)), ("NZD", Currency(554)), ("PLN", Currency(985)), ("RON", Currency(946)),
    ("RSD", Currency(941)), ("SEK", Currency(752)), ("SGD", Currency(702)), ("TRY", Currency(949)),
    ("UAH", Currency(980)), ("USD", Currency(840)), ("ZAR", Currency(710)),
  ]

  /// The letters of the currency, such as "EUR"; its number when `named` does not list it.
  public var letters: String {
    Self.named.first { $0.currency == self }?.letters ?? "\(rawValue)"
  }
}
