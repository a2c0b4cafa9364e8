"""The recipes for clusters, which no test can run, are at least read as their tools read them."""

from __future__ import annotations

import shlex
import subprocess

import pytest
import yaml
from doc_pages import DOCS, blocks

from carbonopt.campaign.plan import Share
from carbonopt.cli import make_parser

RECIPES = blocks(DOCS / "how-to" / "scaling.md")
SHELL = [block.text for block in RECIPES if block.language == "sh"]
(JOB,) = (yaml.safe_load(block.text)["spec"] for block in RECIPES if block.language == "yaml")
(CONTAINER,) = JOB["template"]["spec"]["containers"]
TASKS = 20


def commands(script):
    """Words of every line of a script that runs carbonopt."""
    lines = (shlex.split(line, comments=True) for line in script.splitlines())
    return [words[1:] for words in lines if words[:1] == ["carbonopt"]]


def expanded(script, **environment):
    """Words of the only command of a script, as a shell hands them over."""
    shown = script.replace("carbonopt ", "printf '%s\\n' ")
    done = subprocess.run(
        ["sh", "-c", shown], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("script", [*SHELL, CONTAINER["command"][-1]])
def test_a_shell_reads_every_recipe(script):
    subprocess.run(["bash", "-n", "-c", script], check=True)


def test_every_command_has_options_that_there_are():
    asked = [words for script in SHELL for words in commands(script)]
    assert [words[0] for words in asked] == [
        *("run", "worker", "worker", "collect", "dashboard", "run")
    ]
    for words in asked:
        assert make_parser().parse_args(words).command == words[0]


def test_an_array_runs_every_part_once():
    script = next(text for text in SHELL if "#SBATCH" in text)
    (header,) = (line for line in script.splitlines() if line.startswith("#SBATCH"))
    assert f"--array=1-{TASKS}" in header.split()
    parts = [expanded(script, SLURM_ARRAY_TASK_ID=str(task)) for task in range(1, TASKS + 1)]
    assert_every_part_once(parts)


def test_an_indexed_job_runs_every_part_once():
    assert (JOB["completionMode"], JOB["completions"]) == ("Indexed", TASKS)
    assert CONTAINER["command"][:2] == ["sh", "-c"]
    mounts = {mount["name"] for mount in CONTAINER["volumeMounts"]}
    assert mounts == {volume["name"] for volume in JOB["template"]["spec"]["volumes"]}
    script = CONTAINER["command"][-1]
    parts = [expanded(script, JOB_COMPLETION_INDEX=str(index)) for index in range(TASKS)]
    assert_every_part_once(parts)


def assert_every_part_once(commands):
    options = [make_parser().parse_args(words) for words in commands]
    assert {each.jobs for each in options} == {1}
    assert [Share.of(each.only) for each in options] == [
        Share(number, TASKS) for number in range(1, TASKS + 1)
    ]
