"""Tests of the package that need no server: `python -m unittest` in the package's folder."""
