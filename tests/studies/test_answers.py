"""What the pages of studies answer in words is what was found."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import geometric_mean

import pytest
from study_files import NAMES, STUDIES, expected, page_of

from carbonopt.report.imc_validation import validate_imc

ROOT = STUDIES.parent
LISTS = {"README.md": "studies/{}/README.md", "studies/README.md": "{}/README.md"}
"""Pages with an answer in a line per study, and how they link to it."""


def quickstart(found: dict) -> tuple[list[str], list[str]]:
    share, near = found["hypervolume_log_ratio"], found["share_within_2_percent"]
    above = [f"{found['least_over_exact'][f'carbon_{each}_g'] - 1:.1%}" for each in ("ca", "pa")]
    said = [
        f"With {found['designs'] / 2880:.0%} of the designs evaluated {share:.1%} of",
        f"reached: {found['front']} designs, within 2 % of {near:.0%} of its",
        f"CA found is {above[0]} above the least of all 2880 designs, the least carbon PA",
        f"carbon PA {above[1]} (",
    ]
    return said, [f"{found['designs']} of 2880 designs reach {share:.0%} of"]


def nsga2_vs_tpe(found: dict) -> tuple[list[str], list[str]]:
    medians = {name: each["hypervolume_log_ratio_median"] for name, each in found["groups"].items()}
    problems = sorted({name.split(", ")[0] for name in medians})
    budgets = sorted({int(name.split(", ")[1]) for name in medians})
    pairs = [f"{problem}, {budget}" for problem in problems for budget in budgets]
    assert all(medians[f"{pair}, tpe"] > medians[f"{pair}, nsga2-plain"] for pair in pairs)
    slower = [
        p for p in problems if medians[f"{p}, 400, nsga2-plain"] < medians[f"{p}, 150, nsga2"]
    ]
    assert slower == ["eyeriss_bitwidth", "mlperf_tiny"]
    reached = medians["eyeriss_bitwidth, 400, nsga2"]
    said = [
        "On two problems of three NSGA-II as published needs more than twice the designs: with",
        "with 400 it has less than `nsga2` with 150 on `mlperf_tiny` and `eyeriss_bitwidth`.",
        f"`nsga2` reaches {reached:.2f} of the logarithmic hypervolume",
    ]
    return said, [f"from {budgets[0]} to {budgets[-1]} designs", "two problems of three"]


def eyeriss_alexnet(found: dict) -> tuple[list[str], list[str]]:
    dense, small = found["dense"], found["compressed"]
    guess, real = (small[name] / dense[name] for name in ("estimate", "energy_j"))
    parts = dense["energy_parts_j"]
    said = [
        f"| {dense['estimate']:,.0f} | {small['estimate']:,} | {guess:.1%} |",
        f"| {dense['energy_j'] * 1e3:.2f} mJ | {small['energy_j'] * 1e3:.2f} mJ | {real:.1%} |",
        f"control ({parts['control'] / dense['energy_j']:.0%} of the energy)",
        f"DRAM itself costs {parts['dram'] / dense['energy_j']:.0%}:",
        f"({dense['area_mm2']:.2f} mm², {dense['embodied_g']:.0f} g",
    ]
    return said, [f"leave {guess:.0%} of AlexNet's energy", f"{real:.0%} on a machine"]


def macs_are_not_energy(found: dict) -> tuple[list[str], list[str]]:
    far = {
        (machine, count): own[f"energy_j by {count}"]["outliers_over_median"]
        for machine, own in found.items()
        for count in ("macs", "weights")
    }
    chip, array = far["eyeriss", "macs"], far["digital_ws", "macs"]
    maps = [far[machine, "weights"]["deeplab_v3"] for machine in found]
    wrong = found["eyeriss"]["energy_over_that_of_one_with_more_of_both"]
    said = [
        f"`autoencoder` takes {chip['autoencoder']:.0f} times and `llm_decode_block` "
        f"{chip['llm_decode_block']:.1f} times the energy",
        f"{array['autoencoder']:.0f} times both on `digital_ws`",
        f"`deeplab_v3` takes {maps[0]:.0f} and {maps[1]:.0f} times the median",
        f"takes {wrong['deeplab_v3 / mobilebert']:.2f} times the energy of `mobilebert`",
    ]
    return said, ["not between networks of one size"]


def carbonspot_literature(found: dict) -> tuple[list[str], list[str]]:
    tiny, tasks = found["default"]["MLPerf Tiny"], found["our tasks"]
    rank = tiny["carbon_ca_g"]["rank_agrees_with_tops_per_w"]
    late = 13 - found["default"]["MLPerf Mobile"]["carbon_pa_g"]["chips"]
    for suite, own in found["carbonspot"].items():
        for name, each in own.items():
            assert each["best"] == found["default"][suite][name]["best"], (suite, name)
    said = [
        f"drop {('no', 'one', 'two', 'three', 'four', 'five')[late]} chips; the winners stay.",
        f"CA of Tiny falls to {tasks['MLPerf Tiny, carbon_ca_g']:.2f}.",
    ]
    return said, [f"(rank correlation {rank:.2f})"]


def winners(found: dict, end: str, activity: str) -> dict[str, str]:
    """Who has the least carbon of each network."""
    prefix = f"carbon_{activity}_g@"
    own = {k.removeprefix(prefix): v["best"] for k, v in found[end].items() if k.startswith(prefix)}
    assert len(own) == 4
    return own


def changed(found: dict, activity: str) -> int:
    """For how many networks another design wins by default than with CarbonSpot's numbers."""
    ours, theirs = (winners(found, end, activity) for end in ("default", "CarbonSpot"))
    return sum(ours[name] != theirs[name] for name in ours)


def carbonspot_tiny(found: dict) -> tuple[list[str], list[str]]:
    assert {*winners(found, "default", "pa").values()} == {"dimc 32, 8 KiB"}
    assert (changed(found, "pa"), changed(found, "ca")) == (0, 3)
    said = [
        "PA: the smallest chip, always",
        "CA: three of the four networks have another winner in default settings than in Carbon",
    ]
    return said, ["change three of four in CA"]


def carbonspot_mobile(found: dict) -> tuple[list[str], list[str]]:
    assert (changed(found, "pa"), changed(found, "ca")) == (4, 4)
    for activity in ("ca", "pa"):
        assert all(
            best.endswith(", 1 MiB") for best in winners(found, "default", activity).values()
        )
    return ["All eight winners change", "the smallest SRAM wins everywhere"], ["all eight change"]


def performance_versus_carbon(found: dict) -> tuple[list[str], list[str]]:
    own = found["all"]
    busy, waiting = (own[f"default, {each}, TOP/s"] for each in ("CA", "PA"))
    theirs = [own[f"CarbonSpot, {each}, TOP/s"]["differ"] for each in ("CA", "PA")]
    assert (busy["differ"], waiting["differ"], sum(theirs)) == (8, 8, 15)
    fast = [each["TOP/s"]["carbon"] for case, each in found["default"].items() if "PA" in case]
    worst = own["default, CA, TOP/s/W"]["most"]
    said = [
        "They differ in all sixteen cases by default, and in fifteen in CarbonSpot's settings.",
        f"up to {busy['most']:.1f} times the least carbon, {busy['median']:.1f} in the median",
        f"in PA it gives away {min(fast):.0f} to {max(fast):.0f} times the least",
        f"({worst:.0f} times the least for `ssd_mobilenet_v2`)",
    ]
    return said, [f"{busy['median']:.1f} times it if busy, {waiting['median']:.0f} times if mostly"]


def what_mapping_buys(found: dict) -> tuple[list[str], list[str]]:
    pairs = found["times less"].values()
    mean = {name: geometric_mean(each[name] for each in pairs) for name in next(iter(pairs))}
    most = max(each["carbon_ca_g"] for each in pairs)
    energy, latency, carbon = (mean[name] for name in ("energy_j", "latency_s", "carbon_ca_g"))
    half, quarter, tenth, twentieth = (
        found["quantiles"][q] for q in ("0.5", "0.75", "0.9", "0.95")
    )
    said = [
        f"Over all {len(pairs)} pairs the mean is {energy:.2f} in energy, {latency:.2f} in",
        f"in latency, {carbon:.2f} in carbon, up to {most:.2f}",
        f"Half the layers gain less than {half:.2f} in energy x latency, a quarter more than "
        f"{quarter:.2f}, a tenth more than {tenth:.2f}, one in twenty more than {twentieth:.2f}",
    ]
    saved = [f"{1 - 1 / each:.0%}" for each in (energy, latency, carbon, most)]
    return said, [
        "save {} of energy, {} of latency, {} of carbon CA in the mean, up to {} of it".format(
            *saved
        )
    ]


def when_does_imc_pay(found: dict) -> tuple[list[str], list[str]]:
    cases = {(use, life): own for use, lives in found.items() for life, own in lives.items()}
    leads = [own["lead"] for own in cases.values() if own["best"] == "aimc"]
    corner = {case: own for case, own in cases.items() if own["best"] == "eyeriss"}
    assert {life for _, life in corner} == {"India, 10 y"}
    for (use, life), own in cases.items():
        if use.endswith((" 40 ms", " 1 s", " 1 h")) and "shared" not in use:
            assert own["lead"] < 0.005 or (use, life) in corner, (use, life)
    energy, area, time = validate_imc().errors("as they come")["median"][
        ["mac_fj", "area_mm2", "clock_ns"]
    ]
    said = [
        f"They lead by up to {max(leads):.0%}",
        "leads are below 0.5 % in a package of their own",
        f"{energy:.0%} of the array's energy, {area:.0%} of its area, {time:.0%} of the time",
    ]
    return said, ["for rare tasks the kind hardly matters"]


def where_and_when(found: dict) -> tuple[list[str], list[str]]:
    uses = ("CA", "PA", "PA, low standby")
    grams = [{r: own["carbon_g"] for r, own in found[f"regions {use}"].items()} for use in uses]
    busy, waiting, quiet = (own["India"] / own["Norway"] for own in grams)
    regret = max(own["regret"] for use in uses for own in found[f"regions {use}"].values())
    nine = found["days CA"]["US/CISO"]
    four = [own["4"] / own["24"] for own in found["days PA"].values()]
    said = [
        f"lies a factor of {busy:.0f} in CA, {waiting:.1f} in PA, {quiet:.2f} in PA with low-stand",
        f"is at most {regret:.1%} (Norway, CA) worse",
        f"to work 9 hours a day, and saves {1 - nine['9'] / nine['24']:.0%}",
        f"in 4 hours saves {1 - max(four):.0%} to {1 - min(four):.0%}".replace("%", "", 1),
    ]
    return said, [f"a factor of {busy:.0f} for a busy device, {quiet:.2f} for a waiting one"]


def how_sure_are_we(found: dict) -> tuple[list[str], list[str]]:
    busy = found["scenario_free_edge, CA"]
    factors = [own["p95_over_p5"] for name, own in found.items() if "known" not in name]
    known = found["mlperf_tiny, CA, grid known"]["p95_over_p5"]
    shares = [own["causes"]["package"] for name, own in found.items() if ", PA" in name]
    assert busy["regret"] < 0.01
    said = [
        f"within a factor of {min(factors):.1f} to {max(factors):.0f}",
        f"(ResNet-8, CA: {busy['best_in']:.0%}), the others are within 1 %",
        f"from {min(factors):.1f} to {known:.1f}",
        f"the package, {min(shares):.0%} to {max(shares):.0%} of the variance".replace("%", "", 1),
    ]
    return said, [f"within a factor of {min(factors):.1f} to {max(factors):.0f}", "within 1 %"]


ANSWERS = {
    each.__name__.replace("_", "-"): each
    for each in (
        *(quickstart, nsga2_vs_tpe, eyeriss_alexnet, macs_are_not_energy, carbonspot_literature),
        *(carbonspot_tiny, carbonspot_mobile, performance_versus_carbon, what_mapping_buys),
        *(when_does_imc_pay, where_and_when, how_sure_are_we),
    )
}


def missing(told: list[str], page: str) -> Iterator[str]:
    """Visit what a page does not say, however it writes shares and lines."""
    said = " ".join(page.split()).replace(" %", "%")
    return (each for each in told if each.replace(" %", "%") not in said)


def test_every_study_has_an_answer():
    assert sorted(ANSWERS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_what_was_found(name):
    in_full, in_short = ANSWERS[name](expected(name)[0])
    assert list(missing(in_full, page_of(name))) == []
    for page, link in LISTS.items():
        lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
        (line,) = [each for each in lines if each.startswith(f"| [{name}]({link.format(name)}) |")]
        assert list(missing(in_short, line)) == [], page
