"""The text that the demo model learns: fetched from Debian packages, cleaned, split, tokenized. `python -m corpus --help`."""
