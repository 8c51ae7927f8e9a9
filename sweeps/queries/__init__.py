"""Every read: rows into records and page data."""
