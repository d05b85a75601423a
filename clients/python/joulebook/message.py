"""The base class of all messages. Their classes stand in `joulebook.messages`."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, Dict, Iterable, Mapping, Type

#: The classes of messages by name.
CLASSES: Dict[str, Type["Message"]] = {}


def suggestion(word: object, known: Iterable[str]) -> str:
    """What a person who wrote `word` may have meant, as the end of a sentence; empty if nothing is close."""
    close = get_close_matches(str(word), list(known), 1, 0.5)
    return f"; did you mean {close[0]}?" if close else ""


class Message:
    """A message. Its fields are attributes with the names of the schema; a null field is `None`.

    A message cannot be changed. `name` is the name of the message, `fields` has all fields by name."""

    #: The name of the message.
    name: str = ""
    #: Whether it counts as a report of the session when it has a seqNo.
    is_report: ClassVar[bool] = False
    #: Names that fields had before, and those they have.
    former: ClassVar[Dict[str, str]] = {}

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        CLASSES[cls.__name__] = cls
        cls.name = cls.__name__
        cls.is_report = cls.__module__.endswith(".reports")

    @property
    def fields(self) -> Mapping[str, Any]:
        """All fields by name; a field that was renamed has its former name too."""
        if self.former:
            return {**self.__dict__, **{old: self.__dict__.get(name) for old, name in self.former.items()}}
        return self.__dict__

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{key}={value!r}' for key, value in self.__dict__.items())})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    if not TYPE_CHECKING:
        __hash__ = None

        def __getattr__(self, field: str) -> Any:
            known = suggestion(field, self.__dict__)
            raise AttributeError(f"{self.name} has no field {field}{known}")

        def __setattr__(self, field: str, value: Any) -> None:
            raise AttributeError(f"{self.name} cannot be changed")
