"""The command line: ``lookalike --help``.

Here is what all verbs share: how they are found, how they end and what their errors look like. A
verb's own module is imported when the verb is used, and what is heavy in it when it runs.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import signal
import sys
from importlib import import_module
from typing import TextIO

import click

from lookalike.files import reason
from lookalike.printable import printable

__all__ = ["cli", "main"]

VERBS = (
    "index",
    "search",
    "browse",
    "duplicates",
    "undo",
    "evaluate",
    "neighbors",
    "distances",
    "info",
    "check",
    "export",
    "relocate",
    "forget",
    "demo",
    "model",
)
"""The verbs in the order of ``--help``: each a click command in the module of its name."""

# What click, from 8.2 on, raises for a group without a verb; the message is the group's help.
NO_ARGUMENTS: tuple[type[click.UsageError], ...] = tuple(
    filter(None, [getattr(click.exceptions, "NoArgsIsHelpError", None)])
)


class Verbs(click.Group):
    """A group whose commands are imported when they are asked for."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb that is meant, or say which may be."""
        if args[0] not in VERBS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0].lower(), VERBS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb's command, or None if there is no such verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(import_module(f"lookalike.cli.{cmd_name}"), cmd_name)
        return command


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lookalike")
def cli() -> None:
    """Exact visual similarity: photos to features, features to neighbours."""


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # what the terminal cannot encode is written as escapes
            stream.reconfigure(errors="backslashreplace")
    try:
        # Not click's own handling, which answers Ctrl-C with exit code 1.
        code = cli.main(prog_name="lookalike", standalone_mode=False) or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where its errors are still understood
    except NO_ARGUMENTS as error:
        click.echo(error.format_message(), file=sys.stderr)
        code = 2
    except click.UsageError as error:
        name = error.ctx.command_path if error.ctx else _verb_asked_for()
        usage = " ".join(error.ctx.get_usage().split()) if error.ctx else f"Usage: {name} -h"
        code = _fail(f"{error.format_message()} ({usage})", 2, name)
    except click.ClickException as error:
        code = _fail(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would end in a traceback
        # click makes an Abort of a KeyboardInterrupt, which may say what has been kept.
        code = _fail(str(error.__cause__ or error) or "interrupted", 130)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        code = 1
    except MemoryError as error:
        code = _fail(f"not enough memory: {error}", 1)
    except OSError as error:
        code = _fail(_os_error(error), 1)
    except ValueError as error:
        code = _fail(_with_notes(error), 1 if _is_about_content(error) else 2)
    _silence(sys.stdout)
    sys.exit(code)


def _verb_asked_for() -> str:
    """Name the command for an error that does not: click's of an option without its value."""
    return " ".join(["lookalike", *(word for word in sys.argv[1:2] if word in VERBS)])


def _fail(message: str, code: int, name: str = "lookalike") -> int:
    # The ways out of a missing model come on lines of their own; each line is made printable.
    lines = "\n".join(printable(line) for line in message.splitlines())
    with contextlib.suppress(OSError):
        click.echo(f"{name}: {lines}", file=sys.stderr)
    return code


def _with_notes(error: ValueError) -> str:
    from lookalike.cli import console

    notes = getattr(error, "__notes__", [])
    if not notes:
        return str(error)
    if not console.verbosity[0]:
        return f"{error} (--verbose tells more)"
    return "\n".join([str(error), *notes])


def _os_error(error: OSError) -> str:
    file, why = error.filename, reason(error)
    return f"{os.fsdecode(file)}: {why}" if isinstance(file, (str, bytes)) else why


def _is_about_content(error: ValueError) -> bool:
    """Tell a file or gallery that cannot be used from an argument that makes no sense."""
    from lookalike.embedding.weights import ModelError
    from lookalike.gallery.storage.errors import GalleryError
    from lookalike.pictures.images import ImageError

    return isinstance(error, (GalleryError, ImageError, ModelError))


def _silence(stream: TextIO | None) -> None:
    """Keep the interpreter from complaining, as it exits, about output that nobody can take."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
