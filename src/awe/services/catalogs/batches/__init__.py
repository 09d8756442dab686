"""Batches of statements, run: queries, and the tables that they make and change."""
