"""Whether compiled functions are at hand, and that a terminal is told where they are not."""

from __future__ import annotations

import io
import os
import sys
from types import SimpleNamespace

import pytest

from carbonopt.cli_text import tell_of_compiling
from carbonopt.mapping import compiled


def kernel(tmp_path):
    source = tmp_path / "search.py"
    source.write_text("")
    function = SimpleNamespace(__code__=SimpleNamespace(co_filename=str(source)))
    stats = SimpleNamespace(cache_path=str(tmp_path / "cache"))
    return SimpleNamespace(__name__="solve", py_func=function, stats=stats), source


def test_a_function_is_compiled_once_its_index_is_younger_than_its_file(tmp_path):
    solve, source = kernel(tmp_path)
    assert not compiled.is_compiled(solve)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "search.solver-3.py311.nbi").touch()
    assert not compiled.is_compiled(solve)
    index = tmp_path / "cache" / "search.solve-3.py311.nbi"
    index.touch()
    assert compiled.is_compiled(solve)
    os.utime(source, (index.stat().st_mtime + 10,) * 2)
    assert not compiled.is_compiled(solve)


@pytest.mark.parametrize(("terminal", "known", "lines"), [(1, 0, 1), (0, 0, 0), (1, 1, 0)])
def test_a_terminal_is_told_before_the_first_compiling(monkeypatch, terminal, known, lines):
    stream = io.StringIO()
    stream.isatty = lambda: bool(terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(compiled, "is_compiled", lambda kernel: bool(known))
    tell_of_compiling()
    told = "carbonopt: compiling the models, about a minute, once per installation\n"
    assert stream.getvalue() == told * lines
