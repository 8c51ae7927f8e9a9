"""Early termination: which of the running trials are not worth their slot. One file per policy."""
