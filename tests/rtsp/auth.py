"""RTSP authentication as cameras ask for it: Basic, or Digest with MD5 and no qop (RFC 2069, what cameras speak)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

REALM = "test camera"


@dataclass(frozen=True, slots=True)
class Gate:
    """Who may watch. Without a user everybody may; ``is_locked`` refuses the right password as well."""

    user: str = ""
    password: str = ""
    scheme: str = "digest"
    is_locked: bool = False
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def challenge(self) -> str:
        if self.scheme == "basic":
            return f'Basic realm="{REALM}"'
        return f'Digest realm="{REALM}", nonce="{self.nonce}", algorithm="MD5"'

    def lets_in(self, method: str, headers: Mapping[str, str]) -> bool:
        """Whether a request with these headers (names in lower case) may go on."""
        if self.is_locked or not self.user:
            return not self.is_locked
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != self.scheme:
            return False
        return self._basic_fits(given) if self.scheme == "basic" else self._digest_fits(method, given)

    def _basic_fits(self, given: str) -> bool:
        wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return hmac.compare_digest(given.strip(), wanted)

    def _digest_fits(self, method: str, given: str) -> bool:
        values = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
        secret = _md5(f"{self.user}:{REALM}:{self.password}")
        asked = _md5(f"{method}:{values.get('uri', '')}")
        wanted = _md5(f"{secret}:{self.nonce}:{asked}")
        return values.get("username") == self.user and hmac.compare_digest(values.get("response", ""), wanted)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
