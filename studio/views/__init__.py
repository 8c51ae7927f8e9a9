"""Pages of the place: sign-in, health, workspaces, computes, settings."""
