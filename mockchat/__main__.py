"""Let `python -m mockchat` do what the command `mockchat` does."""

from mockchat.cli import main

if __name__ == "__main__":
    main(prog_name="mockchat")
