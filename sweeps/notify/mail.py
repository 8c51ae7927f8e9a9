"""E-mail in plain text, over the server that the studio was told of."""

import smtplib

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from sweeps.notify.base import NotSent, Parcel
from sweeps.notify.words import headline, lines

_LONGEST_SUBJECT = 150


def send(parcel: Parcel) -> str:
    """Mail the notice. Raises NotSent."""
    if not settings.STUDIO_SMTP_URL:
        raise NotSent("This studio sends no mail: STUDIO_SMTP_URL is not set.")
    subject = headline(parcel.payload)
    body = "\n\n".join([f"{subject}.", *lines(parcel.payload)])
    sender = settings.DEFAULT_FROM_EMAIL
    message = EmailMessage(
        subject[:_LONGEST_SUBJECT],
        body + "\n",
        sender,
        [parcel.address],
        headers={
            # The same at every try: who gets it twice can tell.
            "Message-ID": f"<{parcel.uid}@{sender.rpartition('@')[2].rstrip('>')}>",
            "Auto-Submitted": "auto-generated",
        },
        connection=get_connection(),
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        [(code, said), *_] = error.recipients.values()
        raise NotSent(_told(code, said), again=code < 500) from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(_told(error.smtp_code, error.smtp_error)) from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise NotSent(f"The mail server could not be used: {why}.") from error
    return "handed to the mail server"


def _told(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"The mail server answered {code}: {' '.join(text.split())[:200]}"
