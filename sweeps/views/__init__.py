"""Pages of the work: thin; each parses, authorizes, asks one query or service, renders."""
