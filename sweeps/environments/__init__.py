"""Virtual environments for trials: reading what people ask for, and building it with uv."""
