// A row of a table, in its place. Rules read and write its fields as if it were the value itself:
//
//     row.leaves -= quantity          instead of          row.pointee.leaves -= quantity
//
// It compiles to the same access: the key path of a stored field is known when a rule is compiled.

/// An element of a table in its place: what is written to its fields is written to the table. A handle:
/// copies name the same element. Valid as long as the table. Owned by the table's thread.
@dynamicMemberLookup
struct Row<Element: BitwiseCopyable> {
  /// Where it is.
  let address: UnsafeMutablePointer<Element>

  @inline(__always) init(_ address: UnsafeMutablePointer<Element>) { self.address = address }

  /// The whole element.
  var value: Element {
    @inline(__always) unsafeAddress { UnsafePointer(address) }
    @inline(__always) nonmutating unsafeMutableAddress { address }
  }

  /// A field that only its own file writes, or a value computed from fields.
  @inline(__always) subscript<Value>(dynamicMember field: KeyPath<Element, Value>) -> Value {
    @inline(__always) get { address.pointee[keyPath: field] }
  }

  /// A field.
  @inline(__always) subscript<Value>(dynamicMember field: WritableKeyPath<Element, Value>) -> Value
  {
    @inline(__always) get { address.pointee[keyPath: field] }
    @inline(__always) nonmutating _modify { yield &address.pointee[keyPath: field] }
  }
}

/// A value that is only read, where it stands: the payload of a command.
@dynamicMemberLookup
struct ReadOnlyRow<Element: BitwiseCopyable> {
  /// Where it is.
  let address: UnsafePointer<Element>

  @inline(__always) init(_ address: UnsafePointer<Element>) { self.address = address }

  /// The whole value.
  var value: Element { @inline(__always) unsafeAddress { address } }

  /// A field.
  @inline(__always) subscript<Value>(dynamicMember field: KeyPath<Element, Value>) -> Value {
    @inline(__always) get { address.pointee[keyPath: field] }
  }
}
