"""The REST API: thin; each operation authorizes, asks one query or service, shapes the answer."""
