"""Pure values and rules: no socket, no database, no web framework."""
