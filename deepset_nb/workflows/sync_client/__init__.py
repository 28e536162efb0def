"""Plain functions and generators."""
