"""``python -m levcore``: the command line."""

from levcore.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
