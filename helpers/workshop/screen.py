"""What the command line prints: on any console, and without commands to it."""

from typing import TextIO

from helpers.loading.names import visible


def print_anywhere(*streams: TextIO) -> None:
    """Have characters that a console or pipe lacks written out, as \\u2265, instead of an error.

    A Windows console, a pipe or a log is often in cp1252 or ASCII, and a "≥" in the name of an
    arm must not cost its reader the tables.
    """
    for stream in streams:
        if hasattr(stream, "reconfigure"):  # not where a notebook or a test caught the stream
            stream.reconfigure(errors="backslashreplace")


class Screen:
    """A stream to which texts from files may be printed: what a terminal would obey is shown."""

    def __init__(self, stream: TextIO):
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(visible(text))
        return len(text)

    def __getattr__(self, name: str):
        return getattr(self.stream, name)
