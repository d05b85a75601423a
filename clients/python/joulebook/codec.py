"""Encodes and decodes frames. The codec is made from the schema when the package is imported; it needs `struct` only.

    u16 frame length | u16 0xEB50 | SBE header (8) | block | group
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Type, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from . import messages as _classes  # noqa: F401  (defines the messages' classes)
from .keys import read_key_file, read_private_key, sign_reading
from .message import CLASSES, Message, suggestion
from .schema import Field, MessageType, Schema, read
from .units import energy_units, money_units, price_units

__all__ = ["Codec", "ENCODING_TYPE", "Message", "read_key_file", "read_private_key", "sign_reading"]

ENCODING_TYPE = 0xEB50
SIGNATURE_LENGTH = 64
#: Where the block begins in a frame.
BLOCK = 12

_HEAD = struct.Struct("<HHHHHH")
_GROUP = struct.Struct("<HH")
_UNITS: Dict[str, Callable[[Any], int]] = {
    "Price": price_units, "Money": money_units, "Energy": energy_units}
_Convert = Callable[[Any], Any]


class Codec:
    """Converts messages to frames and back."""

    def __init__(self, schema_path: Optional[Path] = None) -> None:
        path = schema_path or Path(__file__).with_name("joulebook.xml")
        self.schema, self._writers, self._readers = _codecs(path)
        self._messages = {message.name: message for message in self.schema.messages.values()}

    def encode(self, name: str, fields: Mapping[str, Any]) -> bytes:
        """The frame of message `name`. Missing fields are null, zero or empty. In a command, a missing enum
        field gets the default of the schema.

        Raises `ValueError` for a message, field or word that does not exist, for an enum field that is needed,
        and for a number that does not fit; `TypeError` for a value of another kind, such as a float."""
        writer = self._writers.get(name)
        if writer is None:
            raise ValueError(f"there is no message {name}{suggestion(name, self._writers)}")
        return writer.encode(fields)

    def allowed(self, field: Optional[str]) -> Optional[str]:
        """What a field that a reject names may be; None for a field that the schema does not list."""
        kind = self.schema.types.get("RejectField")
        if kind is None or field is None or field == "none":
            return None
        return {word: note for (word, _), note in zip(kind.words, kind.notes)}.get(field)

    def signed(self, name: str, fields: Mapping[str, Any], tag: bytes, challenge: Message,
               key: Ed25519PrivateKey) -> bytes:
        """The frame of Negotiate or Establish, with a signature over tag, the connection's challenge, SBE
        header and block."""
        unsigned = self.encode(name, fields)[:-SIGNATURE_LENGTH]
        said = challenge.fields
        return unsigned + key.sign(tag + said["marketId"] + said["nonce"] + unsigned[4:])

    def decode(self, frame: bytes) -> Optional[Message]:
        """The message in `frame`; `None` for a template that is not in the schema. Raises `ValueError` for a frame
        that is none of this protocol."""
        try:
            length, encoding, block, template, schema, _ = _HEAD.unpack_from(frame)
        except struct.error:
            raise ValueError(f"{len(frame)} bytes are no frame") from None
        if length != len(frame) or encoding != ENCODING_TYPE or schema != self.schema.id:
            raise ValueError(f"no frame: length {length} of {len(frame)}, encoding {encoding:#x}, schema {schema}")
        reader = self._readers.get(template)
        return reader.decode(frame, block) if reader else None

    def message(self, name: str, /, **fields: Any) -> Message:
        """A message of the server's with these fields, and null, zero or empty ones, for tests."""
        decoded = self.decode(self.encode(name, fields))
        assert decoded is not None
        return decoded


class _Writer:
    """Encodes one message."""

    def __init__(self, schema: Schema, message: MessageType) -> None:
        self.name, self.message, self.schema = message.name, message, schema
        parts = [field for field in message.fields if field.type.kind != "padding"]
        self.pack = struct.Struct("<6H" + "".join(field.type.form for field in message.fields)).pack
        self.length = BLOCK + message.length
        head = [self.length, ENCODING_TYPE, message.length, message.number, schema.id, schema.version]
        if message.group:
            self.length += 4
        self.blank: List[Any] = head + [_blank(field, bool(message.command)) for field in parts]
        self.slots = {field.name: (6 + place, _converter(message.name, field)) for place, field in enumerate(parts)}
        #: Fields for which a whole number is the wire's value.
        self.numbers = {field.name: 6 + place for place, field in enumerate(parts) if field.type.kind == "number"}
        #: Numbers that have no null: None would be 0, a price at which anybody sells.
        self.plain = {field.name for field in parts if field.type.kind == "number" and field.type.null is None}
        self.needed = [field for field, value in zip(parts, self.blank[6:]) if value is None]
        #: Names of today by those that fields had before.
        self.former = {field.former: field.name for field in parts if field.former}

    def encode(self, fields: Mapping[str, Any]) -> bytes:
        if self.former:
            fields = {self.former.get(name, name): value for name, value in fields.items()}
        values = self.blank.copy()
        numbers = self.numbers
        for name, value in fields.items():
            if type(value) is int and name in numbers:
                values[numbers[name]] = value
            elif self.message.group and name == self.message.group.name:
                continue
            else:
                place, convert = self.slots.get(name) or self._unknown(name)
                if value is not None:
                    values[place] = convert(value)
                elif name in self.plain:
                    raise TypeError(f"{self.name}.{name} is a number and cannot be None; leave it out for 0")
        for field in self.needed:
            if fields.get(field.name) is None:
                choices = ", ".join(word for word, _ in field.type.words)
                raise ValueError(f"{self.name} needs {field.name}: one of {choices}")
        try:
            frame = self.pack(*values)
        except struct.error:
            raise self._misfit(fields) from None
        return self._with_group(frame, fields) if self.message.group else frame

    def _with_group(self, frame: bytes, fields: Mapping[str, Any]) -> bytes:
        group = self.message.group
        assert group is not None
        entries = fields.get(group.name) or []
        form = struct.Struct("<" + "".join(field.type.form for field in group.fields))
        frame += _GROUP.pack(group.length, len(entries))
        for entry in entries:
            frame += form.pack(*(
                _converter(self.name, field)(entry[field.name]) if entry.get(field.name) is not None
                else _blank(field, False) for field in group.fields if field.type.kind != "padding"))
        return struct.pack("<H", len(frame)) + frame[2:]

    def _unknown(self, name: str) -> Tuple[int, _Convert]:
        raise ValueError(f"{self.name} has no field {name}{suggestion(name, self.slots)}")

    def _misfit(self, fields: Mapping[str, Any]) -> Exception:
        """What is wrong with fields that cannot be packed."""
        for field in self.message.fields:
            value = fields.get(field.name)
            if value is None or field.type.kind != "number":
                continue
            _, convert = self.slots[field.name]
            try:
                struct.pack("<" + field.type.form, convert(value))
            except struct.error:
                return ValueError(f"{self.name}.{field.name}: {value} does not fit in {field.type.size} bytes")
        return ValueError(f"{self.name} cannot be encoded: {dict(fields)}")


class _Reader:
    """Decodes one message."""

    def __init__(self, message: MessageType) -> None:
        parts = [field for field in message.fields if field.type.kind != "padding"]
        self.message = message
        self.names = [field.name for field in parts]
        self.form = struct.Struct("<" + "".join(field.type.form for field in message.fields))
        self.nulls = [(place, field.type.null) for place, field in enumerate(parts) if field.type.null is not None]
        self.changes = [(place, change) for place, field in enumerate(parts) if (change := _reading(field))]
        self.kind: Type[Message] = CLASSES.get(message.name) or cast(
            Type[Message], type(message.name, (Message,), {}))
        self.kind.former = {field.former: field.name for field in parts if field.former}
        if "name" in self.names:
            # The attribute is the message's name; the field is in `fields` only.
            setattr(self.kind, "name", property(lambda _: message.name))

    def decode(self, frame: bytes, block: int) -> Message:
        if len(frame) < BLOCK + block:
            raise ValueError(f"{self.message.name} ends inside its block")
        if block >= self.message.length:
            values = list(self.form.unpack_from(frame, BLOCK))
            late: List[int] = []
        else:
            # A server of an older schema: what it does not know is null.
            whole = frame[BLOCK:BLOCK + block].ljust(self.message.length, b"\0")
            values = list(self.form.unpack(whole))
            late = [place for place, name in enumerate(self.names) if self._end(name) > block]
        for place, null in self.nulls:
            if values[place] == null:
                values[place] = None
        for place, change in self.changes:
            values[place] = change(values[place])
        for place in late:
            values[place] = None
        message = self.kind.__new__(self.kind)
        fields = message.__dict__
        fields.update(zip(self.names, values))
        if self.message.group:
            fields[self.message.group.name] = self._entries(frame, BLOCK + block)
        return message

    def _end(self, name: str) -> int:
        field = next(field for field in self.message.fields if field.name == name)
        return field.offset + field.type.size

    def _entries(self, frame: bytes, at: int) -> List[Dict[str, Any]]:
        group = self.message.group
        if group is None or len(frame) < at + 4:
            return []
        length, count = _GROUP.unpack_from(frame, at)
        parts = [field for field in group.fields if field.type.kind != "padding"]
        form = struct.Struct("<" + "".join(field.type.form for field in group.fields))
        if length < form.size or len(frame) < at + 4 + length * count:
            raise ValueError(f"{self.message.name} ends inside its group")
        entries = []
        for number in range(count):
            values = form.unpack_from(frame, at + 4 + number * length)
            entries.append({field.name: _read(field, value) for field, value in zip(parts, values)})
        return entries


@lru_cache(maxsize=4)
def _codecs(path: Path) -> Tuple[Schema, Dict[str, _Writer], Dict[int, _Reader]]:
    """The codecs of a schema, made once."""
    schema = read(path)
    return (schema, {message.name: _Writer(schema, message) for message in schema.messages.values()},
            {number: _Reader(message) for number, message in schema.messages.items()})


def _blank(field: Field, is_command: bool) -> Any:
    """What a field that is left out has on the wire; `None` for an enum that a command needs."""
    kind = field.type
    if kind.kind in ("text", "bytes"):
        return b""
    if kind.kind != "enum":
        return kind.null or 0
    if not is_command:
        # Requests and subscriptions get the first value, which asks for the least.
        return kind.words[0][1]
    return dict(kind.words).get(field.default or "")


def _converter(message: str, field: Field) -> _Convert:
    """What makes the wire's value of a field of what its user gives. The result reports errors with the names of
    message and field."""
    kind = field.type
    words = dict(kind.words)
    place = f"{message}.{field.name}"

    def word(value: Any) -> int:
        found = words.get(value) if isinstance(value, str) else None
        if found is None:
            raise ValueError(f"{place} is {'one of' if kind.kind == 'enum' else 'a list of'} {', '.join(words)}, "
                             f"not {value!r}{suggestion(value, words)}")
        return found

    def choices(value: Any) -> int:
        if isinstance(value, str):
            raise TypeError(f"{place} is a list of words such as [{value!r}], not a text")
        return sum(1 << bit for bit in {word(each) for each in value})

    def text(value: Any) -> bytes:
        if not isinstance(value, (str, bytes, bytearray)):
            raise TypeError(f"{place} is a text of up to {kind.size} ASCII characters, not {value!r}")
        try:
            raw = value.encode("ascii") if isinstance(value, str) else bytes(value)
        except UnicodeEncodeError:
            raise ValueError(f"{place} is ASCII only, not {value!r}") from None
        if len(raw) > kind.size:
            raise ValueError(f"{place} has at most {kind.size} characters, not {len(raw)}")
        return raw

    def raw(value: Any) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"{place} is {kind.size} bytes, not {value!r}")
        if len(value) not in (0, kind.size):
            raise ValueError(f"{place} is {kind.size} bytes, not {len(value)}")
        return bytes(value)

    def number(value: Any) -> int:
        if isinstance(value, (bool, float, str)) or not hasattr(value, "__index__"):
            raise TypeError(f"{place} is a whole number, not {value!r}")
        return cast(int, value.__index__())

    def unit(value: Any) -> int:
        try:
            return _UNITS[kind.name](value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{place}: {error}") from None

    if kind.name in _UNITS:
        return unit
    return {"enum": word, "set": choices, "text": text, "bytes": raw}.get(kind.kind, number)


def _reading(field: Field) -> Optional[_Convert]:
    """What makes a user's value of the wire's, where they differ. An enum's value that this client does not know
    stays a number."""
    kind = field.type
    if kind.kind == "enum":
        words = {number: word for word, number in kind.words}
        return lambda value: words.get(value, value)
    if kind.kind == "set":
        return lambda value: [word for word, bit in kind.words if value >> bit & 1]
    if kind.kind == "text":
        return lambda value: value.rstrip(b"\0").decode("ascii", "replace")
    return None


def _read(field: Field, value: Any) -> Any:
    change = _reading(field)
    if change:
        return change(value)
    return None if field.type.null is not None and value == field.type.null else value
