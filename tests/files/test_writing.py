"""How a file is written: whole or not at all, with the mode and through the link of what stands there."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from levcore.cli.main import main
from levcore.files.writing import replacing, write_text
from levcore.reports.steering import shown

HEADER = "account,instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage\n"
ROW = "a,BTCUSDT,1,60000,61000,isolated,20000,3\n"
POLICY = "--policy=binance-usdm@2024-10-24"
OUTPUTS = ("out.csv", "out.json", "out.parquet", "out.arrow", "report.html")


def call(folder: Path, output: str, rows: int = 1) -> list[str]:
    """Arguments of a command that writes an output of some kind."""
    positions = folder / "positions.csv"
    positions.write_text(HEADER + ROW * rows)
    flag = "--report" if output.endswith(".html") else "--out"
    return ["score", str(positions), POLICY, f"{flag}={folder / output}"]


def rests(folder: Path) -> list[Path]:
    """Unfinished files left behind."""
    return list(folder.glob(".*"))


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_mode_of_what_stands_there_is_kept(tmp_path: Path, output: str) -> None:
    target = tmp_path / output
    target.write_text("old")
    target.chmod(0o640)
    assert main(call(tmp_path, output)) == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_bytes() != b"old"
    assert rests(tmp_path) == []


def test_a_new_file_has_the_mode_of_the_mask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "new.txt", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path, output: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / f"target-{output}"
    target.write_text("old")
    (tmp_path / output).symlink_to(target)
    assert main(call(tmp_path, output)) == 0
    assert (tmp_path / output).is_symlink()
    assert target.read_bytes() != b"old"
    assert rests(elsewhere) == []


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_planted_name_is_not_written_to(tmp_path: Path, output: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    planted = [f".{output}.unfinished", f".{output}.{os.getpid()}.unfinished", f"{output}.tmp", f".{output}."]
    for name in planted:
        (tmp_path / name).symlink_to(victim)
    assert main(call(tmp_path, output)) == 0
    assert victim.read_text() == "precious"
    assert not (tmp_path / output).is_symlink()


def test_an_unfinished_name_cannot_be_known(tmp_path: Path) -> None:
    names = set()
    for _ in range(20):
        with replacing(tmp_path / "out.csv") as file:
            (unfinished,) = tmp_path.glob(".*")
            names.add(unfinished.name)
            assert stat.S_IMODE(unfinished.stat().st_mode) == 0o600
            file.write(b"x")
    assert len(names) == 20


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, output: str) -> None:
    target = tmp_path / output
    target.write_text("old")
    # Python ignores SIGXFSZ, so that a file beyond the limit fails as one on a full disk does.
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024));"
        "from levcore.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *call(tmp_path, output, rows=5_000)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "levcore: error:" in done.stderr
    assert "Traceback" not in done.stderr
    assert target.read_text() == "old"
    assert rests(tmp_path) == []


def test_a_device_is_written_to_and_may_be_full(tmp_path: Path) -> None:
    link = tmp_path / "full.csv"
    link.symlink_to("/dev/full")
    assert main([*call(tmp_path, "x.csv")[:-1], f"--out={link}"]) == 1
    assert link.is_symlink()
    assert Path("/dev/full").is_char_device()


def test_sigterm_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    code = (
        "import sys, time, levcore.files.results as results\n"
        "def slow(file, table, path):\n    file.write(b'half'); file.flush(); print('writing', flush=True)\n"
        "    time.sleep(60)\n"
        "results.write_table = slow\n"
        "from levcore.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *call(tmp_path, "out.csv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        assert len(rests(tmp_path)) == 1
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    assert time.monotonic() - started < 10
    assert process.returncode == 143
    assert target.read_text() == "old"
    assert rests(tmp_path) == []


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")

    def interrupted() -> None:
        with replacing(target) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "old"
    assert rests(tmp_path) == []


def test_a_folder_that_does_not_exist_is_an_error_of_ours_or_the_systems(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_text(tmp_path / "nowhere" / "x.txt", "x")


# What a terminal gets to see

STEERING = [
    "\x1b]0;owned\x07",
    "\x1b[2J",
    "\x9b31m",
    "\u202egnp",
    "\u2066x\u2069",
    "\u200bx",
    "\rrewritten",
    "\x08x",
]


@pytest.mark.parametrize("name", STEERING)
def test_what_steers_a_terminal_is_shown_as_its_escape(name: str) -> None:
    text = shown(f"BTC{name}USDT\tx\n")
    assert text.isprintable() or set(text) & {"\n", "\t"}
    assert all(character.isprintable() or character in "\n\t" for character in text)


@pytest.mark.parametrize("name", STEERING)
def test_names_of_a_file_never_steer_the_terminal(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "positions.csv"
    path.write_text(HEADER + ROW.replace("a,", f'"{name}",').replace("isolated", "cross"), newline="")
    main(["score", str(path), POLICY])
    main(["explain", str(path), POLICY, "--row=0"])
    path.write_text(HEADER.replace("account", f"levrage{name}") + ROW, newline="")
    main(["score", str(path), POLICY])
    path.write_text(HEADER + ROW.replace("60000", f'"{name}"'), newline="")
    main(["score", str(path), POLICY])
    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert all(character.isprintable() or character in "\n\t" for character in text)


def test_a_folder_that_is_not_there_is_told_by_the_name_that_was_given(tmp_path: Path) -> None:
    target = tmp_path / "none" / "report.html"
    with pytest.raises(FileNotFoundError) as caught:
        write_text(target, "")
    assert caught.value.filename == str(target)
