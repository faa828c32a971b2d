"""`python -m verify`: the same as the command `verify`."""

from verify.cli import main

if __name__ == "__main__":
    main()
