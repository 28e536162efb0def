"""What people look at, measured in a real browser: the way of bytes through a page, first paint, 100,000 rows."""
