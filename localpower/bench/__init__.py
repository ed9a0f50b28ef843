"""What `localpower bench` measures: rows of one table, interleaved in one process."""
