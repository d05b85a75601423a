"""Encodes and decodes frames, and makes signatures.

    u16 frame length | u16 0xEB50 | SBE header (8) | block | group
"""

import os
import struct
from xml.etree import ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

import sbe
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ENCODING_TYPE = 0xEB50
SIGNATURE_LENGTH = 64


@dataclass(frozen=True)
class Message:
    """A message from the exchange. A null field is `None`."""

    name: str
    fields: Dict[str, Any]

    def __getattr__(self, field: str) -> Any:
        try:
            return self.fields[field]
        except KeyError:
            raise AttributeError(f"{self.name} has no field {field}") from None


def read_private_key(seed: bytes) -> Ed25519PrivateKey:
    """The Ed25519 private key with this 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def read_key_file(path: Union[str, "os.PathLike[str]"]) -> Ed25519PrivateKey:
    """The private key in a file of 64 hexadecimal digits, as `joulebook admin keygen` writes it. Raises
    `PermissionError` if others than the file's owner have access to it, `ValueError` if it contains no key."""
    mode = os.stat(path).st_mode & 0o777
    if mode & 0o077:
        raise PermissionError(f"{path} is a private key to which others have access (mode {mode:o}): chmod 600 {path}")
    seed = bytes.fromhex(Path(path).read_text().strip())
    if len(seed) != 32:
        raise ValueError(f"{path} contains no key of 64 hexadecimal digits")
    return read_private_key(seed)


def sign_reading(key: Ed25519PrivateKey, market: bytes, meter: int, register_sequence: int,
                 interval_start: int, interval_end: int, produced: int, consumed: int) -> bytes:
    """The signature of a meter reading, over the tag, the market's id (`Client.market`, 16 bytes) and the
    44 bytes from meter to consumed. No other market accepts it."""
    return key.sign(b"JOULEBOOK-READING-2" + market + struct.pack(
        "<IQQQqq", meter, register_sequence, interval_start, interval_end, produced, consumed))


class Codec:
    """Converts messages to frames and back. It reads the schema at run time."""

    def __init__(self, schema_path: Optional[Path] = None) -> None:
        path = schema_path or Path(__file__).with_name("joulebook.xml")
        with open(path) as file:
            self.schema = sbe.Schema.parse(file)
        self._messages = {message.name: message for message in self.schema.messages.values()}
        self._defaults = _declared_defaults(path)
        self._allowed = _allowed_values(path)

    def encode(self, name: str, fields: Dict[str, Any]) -> bytes:
        """The frame of message `name`. Missing fields are null, zero or empty. In a command, a missing enum
        field gets the default of the schema; a `ValueError` is raised if the schema has none."""
        message = self._messages[name]
        unknown = fields.keys() - {field.name for field in message.fields}
        if unknown:
            raise ValueError(f"{name} has no field {', '.join(sorted(unknown))}")
        values = {}
        for field in message.fields:
            value = fields.get(field.name)
            if value is None and isinstance(field.type, sbe.Enum):
                # Requests and subscriptions get the first value, which asks for the least.
                value = self._defaults.get((name, field.name), field.type.valid_values[0].name)
                if value is None:
                    choices = ", ".join(choice.name for choice in field.type.valid_values)
                    raise ValueError(f"{name} needs {field.name}: one of {choices}")
            values[field.name] = _to_wire(field.type, value)
        body = self.schema.encode(message, values)
        return struct.pack("<HH", len(body) + 4, ENCODING_TYPE) + body

    def allowed(self, field: Optional[str]) -> Optional[str]:
        """What a field that a reject names may be; None for a field that the schema does not list."""
        return self._allowed.get(field or "none")

    def signed(self, name: str, fields: Dict[str, Any], tag: bytes, challenge: Message,
               key: Ed25519PrivateKey) -> bytes:
        """The frame of Negotiate or Establish, with a signature over tag, the connection's challenge, SBE
        header and block."""
        unsigned = self.encode(name, fields)[:-SIGNATURE_LENGTH]
        return unsigned + key.sign(tag + challenge.marketId + challenge.nonce + unsigned[4:])

    def decode(self, frame: bytes) -> Optional[Message]:
        """The message in `frame`; `None` for a template that is not in the schema."""
        body = frame[4:]
        if self.schema.decode_header(body)["templateId"] not in self.schema.messages:
            return None
        decoded = self.schema.decode(body)
        return Message(decoded.message_name, {k: _from_wire(v) for k, v in decoded.value.items()})


def _declared_defaults(path: Path) -> Dict[Tuple[str, str], Optional[str]]:
    """The defaults of the commands' fields by message and field; `None` for a mandatory field. All messages of a
    command share the defaults."""
    mark = "{urn:joulebook:command}"
    messages = [m for m in ElementTree.parse(path).getroot() if m.get(mark + "command")]
    declared: Dict[Tuple[str, str], str] = {}
    for message in messages:
        for field in message.iter("field"):
            if field.get(mark + "default"):
                key = (message.get(mark + "command", ""), field.get("name", ""))
                default = field.get(mark + "default", "").lstrip(".")
                declared[key] = {"false": "no", "true": "yes"}.get(default, default)
    return {
        (message.get("name", ""), field.get("name", "")):
            declared.get((message.get(mark + "command", ""), field.get("name", "")))
        for message in messages for field in message.iter("field")
    }


def _allowed_values(path: Path) -> Dict[str, str]:
    """What the fields that a reject can name may be."""
    fields = ElementTree.parse(path).getroot().iterfind("types/enum[@name='RejectField']/validValue")
    return {f.get("name", ""): f.get("description", "") for f in fields if f.get("name") != "none"}


def _words(composite: sbe.Composite) -> List[str]:
    return [t.name for t in composite.types if t.presence != sbe.Presence.CONSTANT]


def _to_wire(kind: Any, value: Any) -> Any:
    if isinstance(kind, sbe.Composite):
        names = _words(kind)
        if len(names) == 1:
            return {names[0]: int(value or 0)}
        words: Tuple[int, ...] = struct.unpack(
            f"<{len(names)}Q", value or bytes(8 * len(names)))
        return dict(zip(names, words))
    if value is not None:
        return value
    if isinstance(kind, sbe.Set):
        return []
    if kind.primitiveType == sbe.PrimitiveType.CHAR:
        return ""
    return None if kind.nullValue is not None else 0


def _from_wire(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [{k: _from_wire(v) for k, v in entry.items()} for entry in value]
    if isinstance(value, dict):
        if len(value) == 1:
            return next(iter(value.values()))
        return struct.pack(f"<{len(value)}Q", *value.values())
    return value
