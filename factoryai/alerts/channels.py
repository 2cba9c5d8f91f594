"""The ways out: e-mail and signed webhooks. Each sends one delivery or raises; neither knows of retries."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from factoryai.alerts.models import Channel, Delivery

TIMEOUT_S = 10

Sender = Callable[[Delivery], None]


class DeliveryError(Exception):
    """Not sent now; may work later."""


class PermanentError(DeliveryError):
    """Refused for good: trying again gives the same answer."""


def message(delivery: Delivery) -> dict[str, Any]:
    """Return what is told, in the field names of the API. ``delivery`` is the same for every try."""
    alert = delivery.alert
    return {
        "delivery": delivery.pk,
        "occasion": delivery.occasion,
        "id": alert.pk,
        "site": alert.site.slug,
        "kind": alert.kind,
        "severity": alert.severity,
        "title": alert.title,
        "detail": alert.detail,
        "state": alert.state,
        "raised_at": alert.raised_at.isoformat(),
    }


def send_email(delivery: Delivery) -> None:
    alert = delivery.alert
    if not settings.EMAIL_HOST and settings.EMAIL_BACKEND.endswith("dummy.EmailBackend"):
        raise PermanentError("No mail server is set: FACTORYAI_EMAIL_URL.")
    local = alert.raised_at.astimezone(alert.site.zone)
    subject = f"[{alert.get_severity_display()}] {alert.site.name}: {alert.title}".translate({10: " ", 13: " "})
    lines = [alert.title, "", alert.detail, "", f"Raised {local:%d %b %Y %H:%M:%S} ({alert.site.timezone})."]
    lines.append(f"This message: {delivery.occasion}; the alert is {alert.get_state_display().lower()}.")
    mail = EmailMessage(
        subject,
        "\n".join(lines),
        to=[delivery.channel.target],
        headers={"Message-ID": f"<delivery-{delivery.pk}@factoryai>"},
    )
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        raise PermanentError("The mail server refuses the address.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(f"The mail server does not take it ({type(error).__name__}).") from error


def signature(secret: str, body: bytes) -> str:
    """Return what ``X-FactoryAI-Signature`` says: HMAC-SHA256 of the body in hexadecimal."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect could lead a signed message anywhere, also into the factory's own network."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def send_webhook(delivery: Delivery) -> None:
    channel = delivery.channel
    body = json.dumps(message(delivery)).encode()
    headers = {"Content-Type": "application/json", "X-FactoryAI-Delivery": str(delivery.pk)}
    if channel.secret:
        headers["X-FactoryAI-Signature"] = signature(channel.secret, body)
    if not channel.target.startswith(("https://", "http://")):
        raise PermanentError("The address is not a web address.")
    request = urllib.request.Request(channel.target, body, headers)  # noqa: S310 - the scheme is checked above
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        raise _judge_status(error.code) from error
    except (OSError, ValueError) as error:
        raise DeliveryError(f"The receiver does not answer ({type(error).__name__}).") from error


def _judge_status(status: int) -> DeliveryError:
    """404 and its like will not change; 408, 425, 429 and every 5xx may."""
    if 400 <= status < 500 and status not in {408, 425, 429}:
        return PermanentError(f"The receiver refuses it ({status}).")
    return DeliveryError(f"The receiver answers {status}.")


SENDERS: dict[str, Sender] = {Channel.Kind.EMAIL: send_email, Channel.Kind.WEBHOOK: send_webhook}
