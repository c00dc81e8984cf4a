"""Work beside the page, a piece at a time, in a thread: no control waits for it.

Where no event loop runs, as in a script, the work waits until `finish` is called.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

END = object()


class Background:
    """At most one piece of work of each kind; a new one takes the place of the old."""

    def __init__(self):
        self.tasks: dict[str, asyncio.Task] = {}
        self.waiting: dict[str, tuple[Callable, Callable]] = {}

    def start(self, kind: str, pieces: Callable[[], Iterator], got: Callable[[Any], None]) -> None:
        """Call `got` with each of `pieces()` as it comes; an exception is given to it as well."""
        self.stop(kind)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.waiting[kind] = (pieces, got)
        else:
            self.tasks[kind] = loop.create_task(self.run(pieces, got))

    def stop(self, kind: str) -> None:
        """Forget a piece of work; what its thread is at is thrown away."""
        self.waiting.pop(kind, None)
        if task := self.tasks.pop(kind, None):
            task.cancel()

    @staticmethod
    async def run(pieces, got) -> None:
        # The iterator is made in the thread too: making it may be the larger part of the work.
        iterator = None

        def step():
            nonlocal iterator
            iterator = iterator or iter(pieces())
            return next(iterator, END)

        while True:
            try:
                piece = await asyncio.to_thread(step)
            except Exception as error:  # a page says it; nobody else would see it
                got(error)
                return
            if piece is END:
                return
            got(piece)

    def finish(self) -> None:
        """Do what is waiting, here and now."""
        while self.waiting:
            _, (pieces, got) = self.waiting.popitem()
            try:
                for piece in pieces():
                    got(piece)
            except Exception as error:  # as in a thread
                got(error)
