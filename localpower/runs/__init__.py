"""Runs: many chains over one engine, their events recorded and added up."""
