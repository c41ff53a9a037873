"""Start the writer and its workers: ``python -m service --folder state`` in the folder ``examples``."""

import argparse
import asyncio
import sys
from pathlib import Path

from service.web import listening
from service.writer import Writer


async def keep_worker(command: list[str]) -> None:
    """Run a worker, and another one whenever it ends: it has nothing that could be lost."""
    while True:
        worker = await asyncio.create_subprocess_exec(*command)
        try:
            code = await worker.wait()
        except asyncio.CancelledError:
            worker.terminate()
            raise
        print(f"worker {worker.pid} ended with {code}; another one is started", file=sys.stderr)
        await asyncio.sleep(0.2)


async def run(options: argparse.Namespace) -> None:
    """Serve until interrupted."""
    writer = Writer(options.folder, options.positions, options.rate, options.room)
    # Held, not listened at: the port stays ours from now on, also where 0 had one chosen.
    held = listening(options.host, options.port)
    port = held.getsockname()[1]
    command = [sys.executable, "-m", "service.worker", str(options.folder)]
    command += ["--host", options.host, "--port", str(port), "--room", str(options.room)]
    async with asyncio.TaskGroup() as group:
        group.create_task(writer.run())
        for _ in range(options.workers):
            group.create_task(keep_worker(command))
        print(f"http://{options.host}:{port}/ at instant {writer.live.number}", flush=True)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(prog="service", description="A live book, served.")
    parser.add_argument("--folder", type=Path, default=Path("state"), help="of snapshots and journal")
    parser.add_argument("--positions", type=int, default=20_000, help="of a new book")
    parser.add_argument("--rate", type=float, default=100.0, help="ticks a second; 0: as fast as possible")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--host", default="127.0.0.1", help="there is no authentication: keep it local")
    parser.add_argument("--port", type=int, default=8377, help="0: one that is free")
    parser.add_argument("--room", type=int, default=50_000, help="events that may wait for a listener")
    try:
        asyncio.run(run(parser.parse_args()))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
