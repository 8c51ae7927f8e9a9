"""The new-sweep form: what was typed, kept as typed, and read as a job document."""
