// References to table rows. Rules read and write the fields of a row directly:
//
//     row.leaves -= quantity          instead of          row.pointee.leaves -= quantity
//
// Both compile to the same memory access, because the key path of a stored field is known at
// compile time.

/// A reference to an element of a table: writing a field writes the table, and copies refer to one
/// element. Valid as long as the table. Owned by the table's thread.
@dynamicMemberLookup
struct Row<Element: BitwiseCopyable> {
  /// The address of the element.
  let address: UnsafeMutablePointer<Element>

  @inline(__always) init(_ address: UnsafeMutablePointer<Element>) { self.address = address }

  /// The whole element.
  var value: Element {
    @inline(__always) unsafeAddress { UnsafePointer(address) }
    @inline(__always) nonmutating unsafeMutableAddress { address }
  }

  /// A field that other files cannot write, or a computed value.
  @inline(__always) subscript<Value>(dynamicMember field: KeyPath<Element, Value>) -> Value {
    @inline(__always) get { address.pointee[keyPath: field] }
  }

  /// A field that can be written.
  @inline(__always) subscript<Value>(dynamicMember field: WritableKeyPath<Element, Value>) -> Value
  {
    @inline(__always) get { address.pointee[keyPath: field] }
    @inline(__always) nonmutating _modify { yield &address.pointee[keyPath: field] }
  }
}

/// A read-only reference to a value in place, such as the payload of a command.
@dynamicMemberLookup
struct ReadOnlyRow<Element: BitwiseCopyable> {
  /// The address of the value.
  let address: UnsafePointer<Element>

  @inline(__always) init(_ address: UnsafePointer<Element>) { self.address = address }

  /// The whole value.
  var value: Element { @inline(__always) unsafeAddress { address } }

  /// A field, to read.
  @inline(__always) subscript<Value>(dynamicMember field: KeyPath<Element, Value>) -> Value {
    @inline(__always) get { address.pointee[keyPath: field] }
  }
}
