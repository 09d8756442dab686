"""Published and user tables, and queries over them."""
