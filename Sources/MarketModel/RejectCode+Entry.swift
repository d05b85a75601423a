// Finding the row of a reject code in the list of them.

extension RejectCode {
  /// The code's row in the list; `nil` when this program does not know the code. Linear in the list.
  public var entry: Entry? { Self.all.first { $0.code == self } }
}
