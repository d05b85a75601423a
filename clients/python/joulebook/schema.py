"""Reads the schema: messages, fields and types, with the size and place of each field.

    schema = read(path)
    schema.messages[20].name, [field.name for field in schema.messages[20].fields]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, Optional, Tuple
from xml.etree import ElementTree

MARK = "{urn:joulebook:command}"

#: SBE's primitive types: format of `struct` and bytes.
PRIMITIVES = {
    "char": ("s", 1), "uint8": ("B", 1), "uint16": ("H", 2), "uint32": ("I", 4), "uint64": ("Q", 8),
    "int8": ("b", 1), "int16": ("h", 2), "int32": ("i", 4), "int64": ("q", 8)}


@dataclass(frozen=True)
class Type:
    """A type of fields. `kind` is number, text, bytes, enum, set or padding."""

    name: str
    kind: str
    #: Format of `struct` for one value.
    form: str
    size: int
    #: The number that stands for null; `None`: the type has no null.
    null: Optional[int] = None
    #: Words of an enum by number; words of a set by bit.
    words: Tuple[Tuple[str, int], ...] = ()
    #: What the words mean, in the same order.
    notes: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """A field of a message or of an entry of its group."""

    name: str
    type: Type
    offset: int
    since: int
    #: What a field that is left out has, by the schema; `None`: the schema does not say.
    default: Optional[str] = None
    #: Another name that users may write, and read, for it.
    former: Optional[str] = None


@dataclass(frozen=True)
class Group:
    """The repeating group of a message."""

    name: str
    length: int
    fields: List[Field]


@dataclass(frozen=True)
class MessageType:
    """A message of the schema, without the padding between its fields."""

    name: str
    number: int
    #: Length of the block in bytes.
    length: int
    fields: List[Field]
    group: Optional[Group]
    #: The command that the message carries; empty for others.
    command: str
    #: Whether clients send it, whether the server does.
    to_server: bool
    to_client: bool
    description: str = field(repr=False, default="")


@dataclass(frozen=True)
class Schema:
    """The protocol: messages by template id."""

    id: int
    version: int
    types: Dict[str, Type]
    messages: Dict[int, MessageType]


def read(path: Path) -> Schema:
    """Reads a schema. Raises `ValueError` for one that this client cannot use."""
    root = ElementTree.parse(path).getroot()
    types: Dict[str, Type] = {}
    for part in root.iter("types"):
        for element in part:
            types[element.get("name", "")] = _type(element)
    elements = [element for element in root if element.tag.endswith("message")]
    defaults = _defaults(elements)
    messages = [_message(element, types, defaults) for element in elements]
    return Schema(int(root.get("id", 0)), int(root.get("version", 0)), types,
                  {message.number: message for message in messages})


def _type(element: ElementTree.Element) -> Type:
    name = element.get("name", "")
    if element.tag == "composite":
        members = [member for member in element if member.get("presence") != "constant"]
        if len(members) == 1:
            return Type(name, "number", *PRIMITIVES[members[0].get("primitiveType", "")])
        size = sum(PRIMITIVES[member.get("primitiveType", "")][1] for member in members)
        return Type(name, "bytes", f"{size}s", size)
    if element.tag in ("enum", "set"):
        form, size = PRIMITIVES[element.get("encodingType", "")]
        words = tuple((choice.get("name", ""), int(choice.text or 0)) for choice in element)
        notes = tuple(choice.get("description", "") for choice in element)
        return Type(name, element.tag, form, size, None, words, notes)
    primitive = element.get("primitiveType", "")
    form, size = PRIMITIVES[primitive]
    length = int(element.get("length", 1))
    if name.startswith("Reserved"):
        return Type(name, "padding", f"{size * length}x", size * length)
    if primitive == "char":
        return Type(name, "text", f"{length}s", length)
    null = element.get("nullValue")
    return Type(name, "number", form, size, None if null is None else int(null))


def _defaults(elements: List[ElementTree.Element]) -> Dict[Tuple[str, str], str]:
    """The declared defaults by command and field: all messages of a command share them."""
    found: Dict[Tuple[str, str], str] = {}
    for element in elements:
        for item in element.iter("field"):
            default = item.get(MARK + "default")
            if element.get(MARK + "command") and default:
                word = default.lstrip(".")
                found[element.get(MARK + "command", ""), item.get("name", "")] = {
                    "false": "no", "true": "yes"}.get(word, word)
    return found


def _message(element: ElementTree.Element, types: Dict[str, Type],
             defaults: Dict[Tuple[str, str], str]) -> MessageType:
    command = element.get(MARK + "command", "")
    group: Optional[Group] = None
    for part in element.iter("group"):
        group = Group(part.get("name", ""), int(part.get("blockLength", 0)), _fields(part, types, "", {}))
    description = element.get("description", "")
    return MessageType(
        element.get("name", ""), int(element.get("id", 0)), int(element.get("blockLength", 0)),
        _fields(element, types, command, defaults), group, command,
        description.startswith(("To server", "Both")), description.startswith(("To client", "Both")),
        description)


def _fields(element: ElementTree.Element, types: Dict[str, Type], command: str,
            defaults: Dict[Tuple[str, str], str]) -> List[Field]:
    found, offset = [], 0
    for item in element:
        if item.tag != "field":
            continue
        name, kind = item.get("name", ""), types[item.get("type", "")]
        found.append(Field(name, kind, offset, int(item.get("sinceVersion", 1)),
                           defaults.get((command, name)) if command else None, item.get(MARK + "formerly")))
        offset += kind.size
    if offset != int(element.get("blockLength", offset)):
        raise ValueError(f"the fields of {element.get('name')} do not fill its block")
    return found
