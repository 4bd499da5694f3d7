"""`python -m canut` is the `canut` command."""

from canut.cli.main import main

main()
