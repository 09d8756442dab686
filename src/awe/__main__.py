"""``python -m awe``: the command line."""

from awe.cli import main

if __name__ == "__main__":
    main()
