"""Description of the machine and the software that a measurement was taken with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

TOOLS = ("levcore", "numpy", "numba", "polars", "duckdb")


def _first(path: str, key: str) -> str:
    """Value of the first line ``key : value`` of a file of /proc; empty where there is none."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")


def _caches() -> dict[str, str]:
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _version(tool: str) -> str:
    try:
        return version(tool)
    except PackageNotFoundError:
        return "not installed"


def describe() -> dict[str, object]:
    """Processor, memory, system, versions, the load when asked."""
    from levcore import _levcore

    huge = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "family_model_stepping": "/".join(
            _first("/proc/cpuinfo", key) for key in ("cpu family", "model\t", "stepping")
        ),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "caches": _caches(),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "huge_pages": huge.read_text().strip() if huge.exists() else "",
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {tool: _version(tool) for tool in TOOLS},
        "instruction_set": _levcore.used_instruction_set(),
        "commit": _output("git", "describe", "--always", "--dirty"),
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }
