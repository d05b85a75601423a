"""What a client knows of areas and instruments."""

from typing import Dict

from .codec import Message


class Definitions:
    """AreaDefinition and InstrumentDefinition by number, as they are now: from answers to
    ReferenceDataRequest and from the market data of subscribed areas, which tell changes."""

    def __init__(self) -> None:
        self.areas: Dict[int, Message] = {}
        self.instruments: Dict[int, Message] = {}

    def take(self, message: Message) -> None:
        """Takes a message; those about other things have no effect."""
        if message.name == "AreaDefinition":
            self.areas[message.area] = message
        elif message.name == "InstrumentDefinition":
            self.instruments[message.instrument] = message
        elif message.name == "StateChange" and message.instrument in self.instruments:
            fields = self.instruments[message.instrument].fields
            self.instruments[message.instrument] = Message(
                "InstrumentDefinition", {**fields, "state": message.state})
