"""Capabilities: state, permissions, input and output. No HTTP, no XML."""
