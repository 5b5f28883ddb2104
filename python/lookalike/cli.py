"""The command line: ``lookalike --help``."""

from __future__ import annotations

import sys

import click

from lookalike.images import ImageError
from lookalike.model_commands import model
from lookalike.weights import ModelError

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lookalike")
def cli() -> None:
    """Exact visual similarity: photos to features, features to neighbours."""


cli.add_command(model)


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        # Not click's own handling, which answers Ctrl-C with exit code 1.
        sys.exit(cli.main(prog_name="lookalike", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("lookalike: interrupted", err=True)
        sys.exit(130)
    except (ImageError, ModelError) as error:
        click.echo(f"lookalike: {error}", err=True)
        sys.exit(1)
