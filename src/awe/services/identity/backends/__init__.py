"""The account systems awe can ask, one module each."""
