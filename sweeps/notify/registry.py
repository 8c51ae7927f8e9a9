"""Kinds of channels and their senders."""

from collections.abc import Mapping

from sweeps.domain.notices import ChannelKind
from sweeps.notify import mail, slack, webhook
from sweeps.notify.base import Sender

SENDERS: Mapping[ChannelKind, Sender] = {
    ChannelKind.EMAIL: mail.send,
    ChannelKind.WEBHOOK: webhook.send,
    ChannelKind.SLACK: slack.send,
}
