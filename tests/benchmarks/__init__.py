"""How fast and how frugal: measured beside others on the same machine in the same run, never as absolute times."""
