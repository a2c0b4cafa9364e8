"""What a user says of quality: from files, from modules, and in other processes."""

import pickle

import pytest

from carbonopt.compress.quality import QualityTable, quality_function
from carbonopt.errors import QualityError
from carbonopt.workload.load import load_network

NETWORK = load_network("resnet8")


def test_modules_of_one_name_in_two_folders_are_two(tmp_path):
    losses = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "judge.py").write_text(f"def loss(network, chosen):\n    return {number}.5\n")
        losses.append(quality_function("judge:loss", folder)([NETWORK], {}))
    assert losses == [1.5, 2.5]


def test_a_function_pickles_and_its_path_finds_it_from_anywhere(tmp_path):
    (tmp_path / "judge.py").write_text("def loss(network, chosen):\n    return chosen['x']\n")
    found = quality_function("judge.py:loss", tmp_path)
    assert pickle.loads(pickle.dumps(found))([NETWORK], {"x": 3.0}) == 3.0
    again = quality_function(found.path, tmp_path.parent)
    before = found.content
    assert again.content == before
    (tmp_path / "judge.py").write_text("def loss(network, chosen):\n    return 1.0\n")
    assert found.content != before


def test_the_loss_of_several_networks_is_their_mean(tmp_path):
    (tmp_path / "judge.py").write_text(
        "def loss(network, chosen):\n    return len(network.layers)\n"
    )
    two = [NETWORK, load_network("autoencoder")]
    mean = sum(len(each.layers) for each in two) / 2
    assert quality_function("judge:loss", tmp_path)(two, {}) == mean


def test_a_table_without_the_row_says_which():
    table = QualityTable("t.csv", ("weight_bits", "pruned_share"), {(4.0, 0.5): 0.1})
    assert table([NETWORK], {"weight_bits": 4, "pruned_share": 0.5}) == 0.1
    with pytest.raises(QualityError, match=r"t.csv: weight_bits 3, pruned_share 0.5: no such row"):
        table([NETWORK], {"weight_bits": 3, "pruned_share": 0.5})
