"""Every write: one verb each, in short transactions. Callers wake the queue after commit."""
