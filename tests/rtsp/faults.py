"""What may be wrong with a test camera, and how a faulty one sends its pictures."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

FAULTS = ("refuse", "silent", "http", "locked", "garbage", "slow", "redirect", "redirect-later", "hang-up")
"""refuse: nobody listens. silent: takes the connection and never answers. http: answers as a web server does.
locked: refuses every password. garbage: random bytes instead of pictures after some. slow: so many bytes a second.
redirect: sends the viewer elsewhere. redirect-later: answers the question of the product, and sends FFmpeg elsewhere
when it asks after it. hang-up: closes the connection after some pictures."""

GARBAGE_BYTES = 40_000
SLICES_A_SECOND = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault by its name in `FAULTS`, or none when ``kind`` is empty, with the figures it needs."""

    kind: str = ""
    after_frames: int = 50
    bytes_per_s: int = 300_000
    target: str = ""

    def redirect_for(self, viewer: str) -> str:
        """Return where a viewer with this user agent is sent, nowhere when empty."""
        is_sent = self.kind == "redirect" or (self.kind == "redirect-later" and viewer != "factoryai")
        return self.target if is_sent else ""

    async def write(self, writer: asyncio.StreamWriter, packets: bytes, sent: int) -> None:
        """Send the ``sent``-th picture of a viewer, counted from one, as this camera does."""
        is_spoilt = sent > self.after_frames
        if self.kind == "hang-up" and is_spoilt:
            writer.close()
            raise ConnectionResetError
        if self.kind == "garbage" and is_spoilt:
            packets = random.Random(sent).randbytes(GARBAGE_BYTES)
        if self.kind == "slow":
            await self._drip(writer, packets)
        else:
            writer.write(packets)
            await writer.drain()

    async def _drip(self, writer: asyncio.StreamWriter, packets: bytes) -> None:
        size = max(1, self.bytes_per_s // SLICES_A_SECOND)
        for start in range(0, len(packets), size):
            writer.write(packets[start : start + size])
            await writer.drain()
            await asyncio.sleep(1 / SLICES_A_SECOND)
