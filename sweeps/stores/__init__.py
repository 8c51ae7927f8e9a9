"""Files that people hand in: code snapshots and data uploads, kept by content."""
