"""``python -m deepset_nb`` is the command ``deepset-nb``."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
