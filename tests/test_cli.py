"""The command line as a whole: help, exit codes, streams."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from carbonopt import cli, cli_model
from carbonopt.cli_text import plain
from carbonopt.errors import SearchError, SpecError, StoreError

COMMANDS = (
    *("run", "resume", "status", "evaluate", "front", "plot", "enumerate", "workload"),
    *("check", "problems", "studies", "map", "validate", "regions", "compare", "report", "export"),
)


def ask(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "carbonopt", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: carbonopt {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "quickstart", "--buget", "24"), "run: error: unknown option --buget (did you mean "
         "--budget?)"),
        (("front", "x", "--lim=3", "--qqq"), "unknown option --lim (did you mean --limit?), --qqq"),
    ],
)  # fmt: skip
def test_a_misspelt_option_is_told_with_the_nearest(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"\n    {command} " in shown for command in COMMANDS)


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("carbonopt")


ABBREVIATED = ("map", "--machine", "dimc", "--mapping", "exhaustive")


@pytest.mark.parametrize(
    "arguments", [(), ("fly",), ("run", "quickstart", "--budget", "0"), ABBREVIATED]
)
def test_what_the_parser_refuses_is_bad_input(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    assert ended.value.code == 2
    assert "usage: carbonopt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        (SpecError(["a.yaml:3: rows", "a.yaml:4: cols"]), 2, "carbonopt: a.yaml:4: cols"),
        (StoreError("runs/x: cannot be written"), 2, "carbonopt: runs/x: cannot be written"),
        (SearchError("a worker died"), 1, "carbonopt: a worker died"),
        (
            FileNotFoundError(2, "No such file or directory", "/proc/x"),
            2,
            "carbonopt: /proc/x: cannot be read or written (No such file or directory), allowed: ",
        ),
        (OSError(28, "No space left on device"), 1, "carbonopt: [Errno 28] No space left"),
        (KeyboardInterrupt(), 130, "carbonopt: interrupted"),
    ],
)
def test_faults_become_lines_and_exit_codes(monkeypatch, capsys, fault, code, line):
    def command(options):
        raise fault

    monkeypatch.setattr(cli_model, "workload", command)
    assert cli.main(["workload", "resnet8"]) == code
    told = capsys.readouterr()
    assert line in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_a_reader_that_leaves_early_is_no_fault():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "carbonopt", "workload", "resnet8", "--json"]
    with os.fdopen(write, "w") as closed:
        done = subprocess.run(
            command, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("arguments", [("--help",), ("problems",), ("studies", "--json")])
def test_light_commands_import_nothing_heavy(arguments):
    script = (
        "import sys; from carbonopt.cli import main\n"
        f"try: main({list(arguments)!r})\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'pymoo', 'optuna', 'matplotlib', 'onnx', 'pydantic'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_json_has_no_nan():
    assert plain({"a": [1.0, float("nan"), float("inf")], "b": ("x", None)}) == {
        "a": [1.0, None, None],
        "b": ["x", None],
    }


def test_a_terminal_that_lacks_a_sign_gets_another(tmp_path):
    (tmp_path / "µ.yaml").write_text("name: µ\n", encoding="utf-8")
    command = [sys.executable, "-m", "carbonopt", "check", str(tmp_path / "µ.yaml")]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    done = subprocess.run(command, env=ascii_only, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "?.yaml" in done.stderr
