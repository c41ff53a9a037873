"""The service of the examples as a process of its own, and questions to it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["EXAMPLES", "Service", "served", "waited_for"]

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 60.0


class Service(NamedTuple):
    """A service that runs."""

    process: subprocess.Popen[str]
    port: int
    number: int
    """Instant at which it began."""

    def asked(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and object of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("GET" if body is None else "POST", path, content)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if answer.headers[
            "Content-Type"
        ] == "application/json" else text

    def state(self) -> Any:
        """State of the book, once there is one."""
        return waited_for(self._state)

    def state_after(self, number: int) -> Any:
        """State of the book once this instant has passed."""
        return waited_for(lambda: found if (found := self.state())["number"] > number else None)

    def workers(self) -> list[int]:
        """Processes of its workers."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [int(child) for child in children.split()]

    def kill(self) -> None:
        """Kill the writer, and wait until its workers are gone too."""
        workers = self.workers()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        waited_for(lambda: not any(_runs(worker) for worker in workers))

    def _state(self) -> Any:
        try:
            status, state = self.asked("/state")
        except (ConnectionError, http.client.BadStatusLine):
            return None
        return state if status == 200 else None


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Service]:
    """Start the service in a folder; it is killed at the end."""
    command = [sys.executable, "-m", "service", "--folder", str(folder), "--port", "0", *options]
    with subprocess.Popen(command, cwd=EXAMPLES, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            assert words, "the service did not start"
            yield Service(process, int(words[0].rstrip("/").rsplit(":", 1)[1]), int(words[-1]))
        finally:
            process.kill()


def waited_for(condition: Callable[[], Any]) -> Any:
    """What a condition is once it is true."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
