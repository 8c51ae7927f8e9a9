"""Texts that would run as script, in every place where a page shows what others wrote."""
