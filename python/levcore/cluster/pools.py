"""Where partitions are worked on: here, in processes of this machine, or on a cluster behind an executor."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import Any, TypeAlias

from levcore.errors import DTypeError, InputError, LevcoreError

__all__ = ["Pool", "Task", "run"]

Pool: TypeAlias = int | Executor | Callable[[], Executor] | None
"""Number of processes, an executor, a function that makes one, or None: this process."""
Task = tuple[Any, ...]

IN_FLIGHT = 64
"""Partitions that wait or are worked on at a time, where they come one by one."""


class _Pools:
    """Executors of a call: where one breaks, the next one takes its place."""

    def __init__(self, pool: Pool) -> None:
        self._make: Callable[[], Executor] | None = None
        self._executor: Executor | None = None
        if isinstance(pool, Executor):
            self._executor = pool
        elif isinstance(pool, int) and not isinstance(pool, bool):
            if pool < 1:
                raise InputError("executor", "must be a number of processes", "1 or more", repr(pool))
            # Not forked: threads of polars do not live on in a fork, and whoever waits for them hangs.
            self._make = lambda: ProcessPoolExecutor(pool, mp_context=get_context("spawn"))
        elif callable(pool):
            self._make = pool
        else:
            expected = "an Executor, a function that makes one, or a number of processes"
            raise DTypeError("executor", "must run partitions", expected, type(pool).__name__)

    def submit(self, work: Callable[..., Any], task: Task) -> "Future[Any]":
        """Hand a task over; a broken executor gives a future with its error."""
        if self._executor is None:
            assert self._make is not None
            self._executor = self._make()
        try:
            return self._executor.submit(work, *task)
        except BrokenExecutor as error:
            broken: Future[Any] = Future()
            broken.set_exception(error)
            return broken

    def renew(self, error: BaseException) -> None:
        """Put a new executor into the place of a broken one."""
        if self._make is None:
            expected = (
                "a function that makes an executor, or a number of processes: then the rest is tried again"
            )
            raise InputError(
                "executor", "has lost a worker and takes no more work", expected, str(error)
            ) from error
        self.close()

    def close(self) -> None:
        """End the executor, where it was made here."""
        if self._make is not None and self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None


def run(
    work: Callable[..., Any], tasks: Iterable[Task], pool: Pool, retries: int
) -> Iterator[tuple[int, Any, int]]:
    """Place, result and lost attempts of each task, as they are done.

    A task whose worker died is handed over again, to a new executor; after more than `retries` executors
    without a single result between them it is given up.

    Raises
    ------
    InputError
        An executor broke and there is no other, or too many did.
    Exception
        What a task raised, with a note that says which.
    """
    if pool is None:
        for place, task in enumerate(tasks):
            with _Noted(place):
                result = work(*task)
            yield place, result, 0
        return
    pools = _Pools(pool)
    try:
        yield from _run(work, tasks, pools, retries)
    finally:
        pools.close()


def _run(
    work: Callable[..., Any], tasks: Iterable[Task], pools: _Pools, retries: int
) -> Iterator[tuple[int, Any, int]]:
    left = enumerate(tasks)
    limit = len(tasks) if isinstance(tasks, Sequence) else IN_FLIGHT
    running: dict[Future[Any], int] = {}
    held: dict[int, Task] = {}
    lost: dict[int, int] = defaultdict(int)
    breaks = 0
    while True:
        for place, task in _up_to(limit - len(running), left):
            held[place] = task
            running[pools.submit(work, task)] = place
        if not running:
            return
        done, broken = _done(running)
        again = []
        for future in done:
            place = running.pop(future)
            if isinstance(future.exception(), BrokenExecutor):
                again.append(place)
                continue
            with _Noted(place):
                result = future.result()
            breaks = 0
            del held[place]
            yield place, result, lost.pop(place, 0)
        if broken is None:
            continue
        breaks += 1
        if breaks > retries:
            expected = f"a worker that lives, within {retries} retries (has it the memory for a partition?)"
            found = f"none, with partitions {', '.join(map(str, again[:5]))} at work"
            rule = "must not lose its workers again and again"
            raise InputError("executor", rule, expected, found) from broken
        pools.renew(broken)
        for place in again:
            lost[place] += 1
            running[pools.submit(work, held[place])] = place


def _done(running: dict["Future[Any]", int]) -> tuple[list["Future[Any]"], BaseException | None]:
    """What is done, by place, and the error of a broken executor: then all is done, or lost."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    errors = (future.exception() for future in done)
    broken = next((error for error in errors if isinstance(error, BrokenExecutor)), None)
    if broken is not None:
        done, _ = wait(running)
    return sorted(done, key=running.__getitem__), broken


def _up_to(count: int, left: Iterator[tuple[int, Task]]) -> Iterator[tuple[int, Task]]:
    """Next tasks, so many at most."""
    for _ in range(count):
        found = next(left, None)
        if found is None:
            return
        yield found


class _Noted:
    """Notes in an error which partition it is about."""

    def __init__(self, place: int) -> None:
        self.place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, LevcoreError):
            error.add_note(f"in partition {self.place}")
