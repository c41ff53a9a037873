"""What an installation says of itself, and that its check can fail."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.errors import FileFormatError, InternalError
from levcore.reports import installation
from levcore.rules import bundles


def test_it_names_versions_processor_and_tables(capsys: pytest.CaptureFixture[str]) -> None:
    found = installation.installation()
    assert found["levcore"] == lc.__version__
    assert found["numpy"] == np.__version__
    assert "baseline" in found["instruction sets"]
    assert len(found["SHA-256 of the tables"]) == hashlib.sha256().digest_size * 2
    lc.show_versions()
    assert capsys.readouterr().out == installation.installation_text(installation.installation()) + "\n"


def test_an_absent_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert installation.installation()["polars"] == 'absent, pip install "levcore[files]"'


def test_the_doctor_finds_nothing_wrong_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "kernel and reference agree to the bit" in capsys.readouterr().out


def test_the_doctor_sees_a_changed_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = bundles.bundle_names()[0]
    text = (bundles.FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    (tmp_path / f"{name}.txt").write_text(text.replace("0.1", "0.2"), encoding="utf-8")
    bundles.read_bundle.cache_clear()
    monkeypatch.setattr(bundles, "FOLDER", tmp_path)
    try:
        with pytest.raises(FileFormatError, match=name):
            installation.check_installation()
    finally:
        bundles.read_bundle.cache_clear()


def test_the_doctor_sees_a_differing_bit(monkeypatch: pytest.MonkeyPatch) -> None:

    def off_by_a_bit(*arguments: object) -> dict[str, object]:
        result = dict(lc.reference.evaluate(*arguments))  # type: ignore[arg-type]
        result["equity"] = np.nextafter(np.asarray(result["equity"]), np.inf)
        return result

    monkeypatch.setattr(installation, "evaluate", off_by_a_bit)
    with pytest.raises(InternalError, match="equity"):
        installation.check_installation()
