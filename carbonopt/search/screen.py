"""A model of the designs evaluated so far, which tells promising children from the rest."""

from __future__ import annotations

import moocore
import numpy as np
import numpy.typing as npt

from carbonopt.space import IndexArray, Space

Matrix = npt.NDArray[np.float64]

_MOST_FEATURES = 64
_MOST_ROWS = 500
_MOST_DESIGNS = 2000
_VIOLATION_WEIGHT = 0.3
_SMOOTHING = 1e-6
_DIGITS = 6
_STRETCH = 1.5
_STRETCHED_AT_ONCE = 6
_MOST_LEFT_OUT = 200
_LEAST_ERROR = 1e-4
"""Of an objective's logarithm: to know it better than to 0.01 % is worth nothing."""


class Screen:
    """Chooses among proposed designs by a cubic radial basis function through the known ones.

    The model is s(x) = sum_i w_i |x - x_i|^3 + a + b x, of each objective and each constraint.
    Variables that matter more count more in the distance: whenever it has to choose, a few of
    them in turn are stretched or shrunk by 1.5 where the error at designs that the model is not
    told of, the mean over designs of its logarithm, gets less.
    The best design is the one that is expected farthest beyond the front, less a share of what
    it is expected to exceed the constraints by: max over designs of
    min over the front of max_k (front_k - s_k) / range_k - 0.3 sum_c max(s_c, 0).
    It joins the front, and so on. A share, because a model of few designs errs about constraints.

    It learns from at most 500 designs, those of the front and the latest, and is of use up to
    2000: after that, evolution alone is as good and costs less time.

    Parameters
    ----------
    space
        The variables: ordered ones enter as an index in [0, 1], others as one number per value.

    References
    ----------
    Regis, Shoemaker: Constrained global optimization of expensive black box functions using
    radial basis functions, J. Global Optimization 31, 2005. Blank, Deb: GPSAF: a generalized
    probabilistic surrogate-assisted framework, 2022 (screening of an algorithm's children).
    Rippa: An algorithm for selecting a good value for the parameter c in radial basis function
    interpolation, Adv. Comput. Math. 11, 1999 (errors of designs left out).
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.index: IndexArray = np.empty((0, len(space.shape)), dtype=np.int64)
        self.objectives: Matrix = np.empty((0, 0))
        self.violations: Matrix = np.empty((0, 0))
        widths = [1 if v.ordered else len(v.values) for v in space.variables]
        self.owner = np.repeat(np.arange(len(widths)), widths)
        self.stretch = np.ones(len(self.owner))
        self.turn = 0

    @property
    def can_learn(self) -> bool:
        """Whether the space is small enough in variables for a model of so few designs."""
        return len(self.owner) <= _MOST_FEATURES

    @property
    def is_useful(self) -> bool:
        """Whether there is a front to extend, and a search that needs help."""
        return 2 < len(self.index) <= _MOST_DESIGNS

    def learn(self, index: IndexArray, objectives: Matrix, violations: Matrix) -> None:
        """Remember designs (n, v) with objectives (n, m) on a log scale and constraints (n, c)."""
        self.index = np.vstack([self.index, index])
        self.objectives = _below(self.objectives, objectives)
        self.violations = _below(self.violations, np.maximum(violations, -1.0))

    def best(self, designs: IndexArray, count: int) -> IndexArray:
        """Choose up to `count` of some designs (n, v), the most promising first."""
        met = np.all(self.violations <= 0.0, axis=1)
        rows = self._rows_to_learn(met)
        excess = np.maximum(self._predict(self.violations, rows, designs), 0.0).sum(axis=1)
        if not met.any():
            return designs[np.argsort(np.round(excess, _DIGITS), kind="stable")[:count]]
        with_result = rows[self.violations[rows, -1] <= 0.0]
        self._stretch(with_result[-_MOST_LEFT_OUT:])
        expected = self._predict(self.objectives, with_result, designs)
        front = self.objectives[met]
        front = front[moocore.is_nondominated(front)]
        return designs[_beyond(front, expected, _VIOLATION_WEIGHT * excess, count)]

    def _rows_to_learn(self, met: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Places of the designs that the model goes through: the front and the latest."""
        if len(self.index) <= _MOST_ROWS:
            return np.arange(len(self.index))
        feasible = np.flatnonzero(met)
        front = feasible[moocore.is_nondominated(self.objectives[feasible])] if met.any() else []
        latest = np.arange(len(self.index) - _MOST_ROWS, len(self.index))
        return np.union1d(np.asarray(front, dtype=np.int64)[-_MOST_ROWS:], latest)

    def _predict(self, values: Matrix, rows: npt.NDArray[np.int64], designs: IndexArray) -> Matrix:
        """Values (n, k) that the model through some rows expects of designs (n, v)."""
        known, wanted = (features(self.space, part) for part in (self.index[rows], designs))
        return interpolated(known * self.stretch, values[rows], wanted * self.stretch)

    def _stretch(self, rows: npt.NDArray[np.int64]) -> None:
        """Stretch or shrink the next few variables where that makes the model of rows better."""
        known, values = features(self.space, self.index[rows]), self.objectives[rows]
        least = _log_error(known * self.stretch, values)
        count = len(self.space.variables)
        for _ in range(min(count, _STRETCHED_AT_ONCE)):
            own = self.owner == self.turn % count
            self.turn += 1
            for factor in (_STRETCH, 1.0 / _STRETCH):
                tried = np.where(own, factor * self.stretch, self.stretch)
                error = _log_error(known * tried, values)
                if error < least:
                    least, self.stretch = error, tried
                    break


def features(space: Space, index: IndexArray) -> Matrix:
    """Place designs (n, v) in a room (n, d) where near means alike.

    Examples
    --------
    >>> from carbonopt.variable import Variable
    >>> space = Space([Variable.integer("a", 1, 5), Variable.choice("b", ["x", "y"])])
    >>> features(space, np.array([[1, 0], [4, 1]])).round(2)
    array([[0.25, 0.71, 0.  ],
           [1.  , 0.  , 0.71]])
    """
    columns = []
    for place, variable in enumerate(space.variables):
        column = index[:, place : place + 1]
        size = len(variable.values)
        if variable.ordered:
            columns.append(column / max(size - 1, 1))
        else:
            columns.append((column == np.arange(size)) / np.sqrt(2.0))
    return np.hstack(columns)


def interpolated(known: Matrix, values: Matrix, wanted: Matrix) -> Matrix:
    """Values (n, k) at `wanted` (n, d) of the cubic radial basis function through known points.

    Examples
    --------
    >>> line = np.linspace(0.0, 1.0, 5)[:, None]
    >>> interpolated(line, 2.0 * line + 1.0, np.array([[0.3]])).round(3).tolist()
    [[1.6]]
    """
    system = _system(known)
    right = np.vstack([values, np.zeros((len(system) - len(known), values.shape[1]))])
    weights = np.linalg.solve(system, right)
    basis = np.column_stack([_distance(wanted, known) ** 3, np.ones(len(wanted)), wanted])
    result: Matrix = basis @ weights
    return result


def left_out(known: Matrix, values: Matrix) -> Matrix:
    """Errors (n, k) of the function through all known points but one, at this one.

    Examples
    --------
    >>> line = np.linspace(0.0, 1.0, 5)[:, None]
    >>> bool(np.abs(left_out(line, 2.0 * line + 1.0)).max() < 1e-4)
    True
    """
    size = len(known)
    inverse = np.linalg.inv(_system(known))[:size, :size]
    errors: Matrix = inverse @ values / np.diag(inverse)[:, None]
    return errors


def _log_error(known: Matrix, values: Matrix) -> float:
    """Mean logarithm of the errors of points left out: a few far ones do not decide it."""
    return round(float(np.mean(np.log(np.abs(left_out(known, values)) + _LEAST_ERROR))), _DIGITS)


def _system(known: Matrix) -> Matrix:
    """Equations of the weights of the known points (n, d) and of the linear part."""
    linear, size = np.column_stack([np.ones(len(known)), known]), len(known)
    system = np.zeros((size + linear.shape[1],) * 2)
    system[:size, :size] = _distance(known, known) ** 3
    system[:size, size:] = linear
    system[size:, :size] = linear.T
    # solvable also where features depend on each other
    sign = np.where(np.arange(len(system)) < size, 1.0, -1.0)
    system[np.diag_indices(len(system))] += sign * _SMOOTHING
    return system


def _distance(first: Matrix, second: Matrix) -> Matrix:
    """Distances (n, k) between two sets of points (n, d) and (k, d)."""
    squared = np.sum(first**2, axis=1)[:, None] + np.sum(second**2, axis=1) - 2.0 * first @ second.T
    distance: Matrix = np.sqrt(np.maximum(squared, 0.0))
    return distance


def _beyond(
    front: Matrix, expected: Matrix, penalty: npt.NDArray[np.float64], count: int
) -> list[int]:
    """Places of the values (n, m) that lie farthest beyond a front (k, m), each joining it."""
    spread = np.ptp(front, axis=0)
    scale = np.where(spread > 0.0, spread, 1.0)
    gain = np.full(len(expected), np.inf)
    for point in front:
        gain = np.minimum(gain, np.max((point - expected) / scale, axis=1))
    chosen: list[int] = []
    for _ in range(min(count, len(expected))):
        # rounded, so that the last bits of a linear solver, which differ by machine, decide nothing
        merit = np.round(gain - penalty, _DIGITS)
        merit[chosen] = -np.inf
        chosen.append(int(np.argmax(merit)))
        gain = np.minimum(gain, np.max((expected[chosen[-1]] - expected) / scale, axis=1))
    return chosen


def _below(known: Matrix, new: Matrix) -> Matrix:
    """Put new rows below the known ones."""
    return np.vstack([known, new]) if known.size else np.array(new)
