from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests import texts
from tests.texts import catalogue


def main() -> int:
    """Compare every catalogue with the sources, or bring it up to date."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.texts", description=texts.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", action="store_true", help="write the catalogues")
    parser.add_argument("--compendium", type=Path, help="another catalogue to take translations from")
    asked = parser.parse_args()
    compendium = catalogue.read(asked.compendium) if asked.compendium else None
    sentences, lacking = list(catalogue.sources()), 0
    for path in sorted(catalogue.FOLDER.glob("*.po")):
        known = catalogue.read(path)
        before = catalogue.twins(known)
        now = catalogue.brought_up_to_date(known, sentences, compendium)
        if asked.update:
            catalogue.write(now, path)
        after = catalogue.twins(now)
        without = [one for (one, _), twin in after.items() if not twin]
        for sign, found in ("+", without), ("-", [one for one, many in before if (one, many) not in after]):
            for sentence in found:
                print(f"{path.name} {sign} {sentence}")
        print(f"{path.name}: {len(after)} sentences, {len(without)} without a translation")
        lacking += len(without)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
