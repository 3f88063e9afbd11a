"""Every table of ``make bench``, one after the other. ``python -m bench.signals`` and so on give one alone."""

from __future__ import annotations

from bench import browser, index, signals


def main() -> None:
    """Measure and show everything."""
    signals.main()
    index.main()
    browser.main()


if __name__ == "__main__":
    main()
