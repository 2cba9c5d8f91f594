"""A signed ticket lets an `<img>` on another origin show one camera to one person without a cookie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core import signing

from factoryai.rest import Refusal

SALT: Final = "streaming.ticket"
LIFE: Final = timedelta(seconds=60)
"""Time to start; a picture that runs goes on for as long as the person may watch."""


@dataclass(frozen=True, slots=True)
class Ticket:
    camera: str
    user_id: int


def make_ticket(ticket: Ticket, at: datetime) -> str:
    """Return the signed text of a ticket that starts a picture until ``at`` + `LIFE`."""
    ends_at = int((at + LIFE).timestamp())
    return signing.Signer(salt=SALT).sign_object([ticket.camera, ticket.user_id, ends_at])


def read_ticket(text: str, at: datetime) -> Ticket:
    """Return the ticket. Raises `Refusal` with the code ``ticket_invalid`` or ``ticket_expired``."""
    try:
        camera, user_id, ends_at = signing.Signer(salt=SALT).unsign_object(text)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise Refusal("ticket_invalid", "This ticket was not made here.", 401) from error
    if at.timestamp() > ends_at:
        raise Refusal("ticket_expired", "This ticket was good for a minute. Ask for another.", 401)
    return Ticket(camera, user_id)
