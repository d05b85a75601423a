"""Keys and the signatures of meters."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Union

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def read_private_key(seed: bytes) -> Ed25519PrivateKey:
    """The Ed25519 private key with this 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def read_key_file(path: Union[str, "os.PathLike[str]"]) -> Ed25519PrivateKey:
    """The private key in a file of 64 hexadecimal digits, as `joulebook admin keygen` writes it. Raises
    `PermissionError` if others than the file's owner have access to it, `ValueError` if it contains no key."""
    mode = os.stat(path).st_mode & 0o777
    if mode & 0o077:
        raise PermissionError(f"{path} is a private key to which others have access (mode {mode:o}): chmod 600 {path}")
    text = Path(path).read_text(encoding="ascii", errors="replace").strip()
    try:
        seed = bytes.fromhex(text)
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise ValueError(f"{path} contains no key of 64 hexadecimal digits")
    return read_private_key(seed)


_QUALITIES = ("measured", "substituted", "estimated")


def sign_reading(key: Ed25519PrivateKey, market: bytes, meter: int, register_sequence: int,
                 interval_start: int, interval_end: int, produced: int, consumed: int, quality: str = "measured") -> bytes:
    """The signature of a meter reading, over the tag, the market's id (`Client.market`, 16 bytes), the
    44 bytes from meter to consumed, and the quality where it is not measured. No other market accepts it."""
    fields = struct.pack("<IQQQqq", meter, register_sequence, interval_start, interval_end, produced, consumed)
    if quality == "measured":
        return key.sign(b"JOULEBOOK-READING-2" + market + fields)
    return key.sign(b"JOULEBOOK-READING-3" + market + fields + bytes([_QUALITIES.index(quality)]))
