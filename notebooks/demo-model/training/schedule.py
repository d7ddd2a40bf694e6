"""The course of the learning rate: a short rise, constant for as long as one likes, then a straight fall.

A run at the constant rate can be stopped and resumed at any time; a fall is a run of its own that starts from a copy, so that the
constant run can go on later.
"""

from dataclasses import dataclass

WARM_UP = 40  # steps
LAST = 0.02  # of the rate at the end: a last step of nothing teaches nothing


@dataclass(frozen=True)
class Schedule:
    """`begin` and `seconds` of the fall are in seconds of training; without `seconds` the rate stays."""

    rate: float
    begin: float = 0.0
    seconds: float | None = None
    first: int = 0  # step of the run
    rounded: float = 0.0  # seconds at the end of the fall in which weights are rounded as the 4-bit file will have them

    def factor(self, step: int, trained: float) -> float:
        rise = min(1.0, (step - self.first + 1) / WARM_UP)
        if self.seconds is None:
            return rise
        left = 1 - (trained - self.begin) / self.seconds
        return rise * min(1.0, max(LAST, left))

    def at(self, step: int, trained: float) -> float:
        return self.rate * self.factor(step, trained)

    def rounds(self, trained: float) -> bool:
        return self.seconds is not None and trained >= self.begin + self.seconds - self.rounded

    def over(self, trained: float) -> bool:
        return self.seconds is not None and trained >= self.begin + self.seconds
