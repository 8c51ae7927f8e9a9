"""Senders of notices, one file per kind of channel: values in, an answer or `NotSent` out."""
