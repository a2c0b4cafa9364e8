"""Converters of analog macros: fitted to three chips, or regressed on a survey of ADCs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from carbonopt.arrays import Bools, Number
from carbonopt.data.tables import load_facts
from carbonopt.errors import ModelRangeError
from carbonopt.hardware.technology import Technology

_FACTS, _SURVEY = "imc_28nm.csv", "adc_survey.csv"
_MM2_PER_UM2, _FJ_PER_PJ, _NS_PER_S = 1e-6, 1e3, 1e9


def fitted_adc_mm2(technology: Technology, bits: Number, *, free_comparator: bool) -> Number:
    """Area of an ADC: 10^(-0.0369 R + 1.206) 2^R um2 at 28 nm; none for R = 0 [mm2].

    Parameters
    ----------
    bits
        Resolution R [bit].
    free_comparator
        None for R = 1 either, as both published forms have it.

    References
    ----------
    .. [1] zigzag-imc commit df34a6f, AimcArrayUnit.py:43-44, fitted to three chips.
    """
    facts = load_facts(_FACTS)
    exponent = facts["adc_area_slope"] * bits + facts["adc_area_offset"]
    area = 10**exponent * 2**bits * _MM2_PER_UM2 * technology.converter_area
    return np.where(_there(bits, free_comparator), area, 0.0)


def fitted_adc_ns(technology: Technology, bits: Number, rows: Number) -> Number:
    """Time of a conversion with the bit line's settling: R (0.00653 D2 + 0.640) ns [ns].

    References
    ----------
    .. [1] zigzag-imc commit df34a6f, AimcArrayUnit.py:47-49.
    """
    facts = load_facts(_FACTS)
    per_bit = facts["adc_ns_per_bit_row"] * rows + facts["adc_ns_per_bit"]
    return bits * per_bit * technology.converter_delay


def fitted_adc_pj(technology: Technology, bits: Number) -> Number:
    """Energy of a conversion: (100 R + 0.001 4^R) V^2 fJ; none for R = 0 [pJ].

    References
    ----------
    .. [1] zigzag-imc commit df34a6f, AimcArrayUnit.py:51-52.
    """
    facts = load_facts(_FACTS)
    energy_fj = (
        facts["adc_linear_fj_per_v2"] * bits + facts["adc_exponential_fj_per_v2"] * 4**bits
    ) * technology.supply_v**2
    energy = energy_fj / _FJ_PER_PJ * technology.converter_energy
    return np.where(np.asarray(bits) > 0, energy, 0.0)


def dac_pj(technology: Technology, bits: Number) -> Number:
    """Energy of driving one word line with `bits` bits: 50 fF b V^2, none for one bit [pJ].

    References
    ----------
    .. [1] zigzag-imc commit df34a6f, AimcArrayUnit.py; imc_model_validation/aimc_validation.py:40.
    """
    per_bit = load_facts(_FACTS)["dac_pj_per_bit_v2"]
    energy = per_bit * bits * technology.supply_v**2 * technology.converter_energy
    return np.where(np.asarray(bits) > 1, energy, 0.0)


def survey_adc_pj(node_nm: Number, bits: Number, rate_hz: Number) -> Number:
    """Energy of a conversion of a good ADC by Murmann's survey [pJ].

    E = 1/2 10^((SNDR - F) / 10) exp(26.05 + 1.880 ln(node) - 2.829 ln(R) - 1.470) pJ with
    SNDR = 6.02 R + 1.76 dB and F = min(213.78 - 2.872 ln(rate), 128.31 + 3.22 R) dB; never less
    than at the least resolution.

    Parameters
    ----------
    node_nm
        Node [nm].
    bits
        Effective resolution R, from 4 [bit].
    rate_hz
        Conversions per second, to 1e10 [Hz].

    Raises
    ------
    ModelRangeError
        A rate beyond the survey.

    Notes
    -----
    The best fifth of 215 stand-alone ADCs: about twice the energy that the three chips of the fit
    imply. The supply is that of the surveyed ADCs. The source rounds R up in F, so that a fraction
    of a bit more saves energy; here F is continuous, and both agree at whole bits.

    References
    ----------
    .. [1] Andrulis et al., "Modeling ADCs for architecture-level energy and area estimates",
       arXiv 2404.06553; coefficients of its plug-in, commit 6851cb8 (MIT).
    .. [2] Murmann, ADC performance survey 1997-2023.

    Examples
    --------
    >>> round(float(survey_adc_pj(28.0, 8.0, 1e8)), 3)
    1.333
    """
    facts = load_facts(_SURVEY)
    _check_rate(rate_hz, facts["rate_high_hz"])
    least = load_facts(_FACTS)["survey_bits_low"]
    return np.maximum(
        _survey_pj(facts, node_nm, bits, rate_hz), _survey_pj(facts, node_nm, least, rate_hz)
    )


def _survey_pj(
    facts: Mapping[str, float], node_nm: Number, bits: Number, rate_hz: Number
) -> Number:
    """Evaluate the equation of `survey_adc_pj`."""
    signal_db = bits * 20 * np.log10(2) + 10 * np.log10(1.5)
    merit_db = np.minimum(
        facts["foms_db_intercept"] + facts["foms_db_per_ln_hz"] * np.log(rate_hz),
        facts["foms_db_bits_0"] + facts["foms_db_per_bit"] * bits,
    )
    limit = 0.5 * 10 ** ((signal_db - merit_db) / 10)
    exponent = (
        facts["energy_ln_intercept"]
        + facts["energy_ln_per_ln_nm"] * np.log(node_nm)
        + facts["energy_ln_per_ln_bit"] * np.log(bits)
        + facts["energy_ln_residual"]
    )
    energy: Number = limit * np.exp(exponent)
    return energy


def survey_adc_mm2(node_nm: Number, bits: Number, rate_hz: Number) -> Number:
    """Area of a small ADC by Murmann's survey [mm2].

    A = exp(1.346 + 0.993 ln(node) + 0.181 ln(rate) + 0.299 ln(E / pJ)) um2, with E of
    `survey_adc_pj`, whose arguments and references it shares. The smallest tenth of the survey.

    Examples
    --------
    >>> round(float(survey_adc_mm2(28.0, 8.0, 1e8)) * 1e6, -2)
    3200.0
    """
    facts = load_facts(_SURVEY)
    exponent = (
        facts["area_ln_intercept"]
        + facts["area_ln_per_ln_nm"] * np.log(node_nm)
        + facts["area_ln_per_ln_hz"] * np.log(rate_hz)
        + facts["area_ln_per_ln_pj"] * np.log(survey_adc_pj(node_nm, bits, rate_hz))
    )
    area: Number = np.exp(exponent) * _MM2_PER_UM2
    return area


def conversion_hz(period_ns: Number) -> Number:
    """Rate of an ADC that converts once per period [Hz]."""
    return _NS_PER_S / period_ns


def _there(bits: Number, free_comparator: bool) -> Bools:
    """Whether there is an ADC that takes area."""
    least = np.asarray(bits)
    return np.asarray((least > 0) & (least != 1) if free_comparator else least > 0)


def _check_rate(rate_hz: Number, high: float) -> None:
    rates = np.atleast_1d(np.asarray(rate_hz, dtype=np.float64))
    outside = rates[~((rates > 0) & (rates <= high))]
    if outside.size:
        raise ModelRangeError(f"ADC rate: got {outside[0]:g} Hz, allowed: above 0 to {high:g} Hz")
