"""What `localpower selftest` proves on the user's machine."""
