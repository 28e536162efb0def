"""Clients nobody here wrote, and what they need to find the sandbox."""
