"""YAML as we read it: lines, duplicate keys, and none of the traps of YAML 1.1."""

import pytest

from carbonopt.errors import SpecError
from carbonopt.spec.load import read_document


def read(tmp_path, text):
    file = tmp_path / "f.yaml"
    file.write_text(text)
    return read_document(file)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1e6", 1e6),
        (".5", 0.5),
        ("-2.", -2.0),
        ("010", 10),
        ("on", "on"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("12:30:00", "12:30:00"),
        ("2024-01-01", "2024-01-01"),
        ("40 ms", "40 ms"),
        ("'1e3'", "1e3"),
        ('"true"', "true"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
    ],
)
def test_scalars(tmp_path, text, value):
    read_value = read(tmp_path, f"a: {text}\n").data["a"]
    assert read_value == value
    assert type(read_value) is type(value)


def test_every_key_knows_its_line(tmp_path):
    document = read(tmp_path, "a: 1\nb:\n  c: [1,\n    2]\n  d: x\n")
    assert document.lines[("b", "c")] == 3
    assert document.lines[("b", "c", 1)] == 4
    assert document.fault(("b", "d", "e"), "hm").endswith("f.yaml:5: b.d.e: hm")


def test_anchors_are_followed(tmp_path):
    assert read(tmp_path, "a: &x [1, 2]\nb: *x\n").data == {"a": [1, 2], "b": [1, 2]}


def test_a_file_that_contains_itself_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"f.yaml:\d+: .*levels"):
        read(tmp_path, "a: &x [*x]\n")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"a: [1\nb: 2\n", r"f.yaml:2: got no YAML"),
        (b"a: 1\n\tb: 2\n", r"f.yaml:2: got no YAML"),
        (b"\xff\xfe\x00", r"f.yaml: got bytes that are no UTF-8 text"),
        (b"a: 1\n---\nb: 2\n", r"f.yaml:2: got no YAML"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(tmp_path, content, fault):
    file = tmp_path / "f.yaml"
    file.write_bytes(content)
    with pytest.raises(SpecError, match=fault):
        read_document(file)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SpecError, match=r"nothing.yaml: cannot be read: No such file"):
        read_document(tmp_path / "nothing.yaml")
