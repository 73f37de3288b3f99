"""Hostile texts and files: whatever they are, what reads them ends soon, with a value or with an error of the engine's own.

Each test looks at a few dozen examples; with `FLUXOR_FUZZ=<number>` at so many times more, and ``-m long`` at twenty times as many.
"""
