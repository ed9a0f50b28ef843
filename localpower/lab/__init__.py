"""The laboratory: problems whose answers can be verified exactly, on models small enough for a laptop's CPU."""
