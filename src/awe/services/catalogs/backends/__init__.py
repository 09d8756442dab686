"""The engines awe can keep tables in, one module each."""
