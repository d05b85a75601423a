"""What a client knows of areas and instruments."""

from __future__ import annotations

from typing import Dict, cast

from .message import Message
from .messages import AreaDefinition, InstrumentDefinition


class Definitions:
    """AreaDefinition and InstrumentDefinition by number, as they are now: from answers to
    ReferenceDataRequest and from the market data of subscribed areas, which tell changes."""

    def __init__(self) -> None:
        self.areas: Dict[int, AreaDefinition] = {}
        self.instruments: Dict[int, InstrumentDefinition] = {}

    def take(self, message: Message) -> None:
        """Takes a message; those about other things have no effect."""
        if message.name == "AreaDefinition":
            self.areas[message.fields["area"]] = cast(AreaDefinition, message)
        elif message.name == "InstrumentDefinition":
            self.instruments[message.fields["instrument"]] = cast(InstrumentDefinition, message)
        elif message.name == "StateChange":
            known = self.instruments.get(message.fields["instrument"])
            if known is not None:
                self.instruments[known.instrument] = InstrumentDefinition(
                    **{**known.fields, "state": message.fields["state"]})
