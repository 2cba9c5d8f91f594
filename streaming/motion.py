"""Where a box is going: a constant-velocity Kalman filter in seconds, for frames that come when they come."""

from __future__ import annotations

import numpy as np

from streaming.frames import Box

MEASURED = 0.05
"""Standard deviation of a detected box's centre and size, as a share of its height (ByteTrack's 1/20)."""

SPEED_AT_FIRST = 0.6
"""How fast an object just seen may move, in its own heights a second (standard deviation)."""

PUSH = 0.5
"""How fast the velocity wanders: standard deviation gained in one second, in heights a second."""

FADE_S = 1.0
"""Without a sighting the velocity fades to 37 % in this time: nobody walks straight on behind a pillar for ever."""


def to_centre(box: Box) -> np.ndarray:
    """Return (centre x, centre y, width, height), float64 of shape (4,)."""
    x1, y1, x2, y2 = box
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], float)


class Motion:
    """Position and velocity of one box, each coordinate filtered by itself.

    The variances are kept as shares of the squared height, so that near and far objects behave alike.
    """

    def __init__(self, box: Box, at: float) -> None:
        self.position, self.velocity = to_centre(box), np.zeros(4)
        self.seen, self.seen_at, self.at = self.position, at, at
        self.misses = 0
        self._position_var = np.full(4, MEASURED**2)
        self._velocity_var = np.full(4, SPEED_AT_FIRST**2)
        self._covariance = np.zeros(4)

    @property
    def box(self) -> Box:
        x, y, width, height = self.position.tolist()
        return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def advance(self, at: float) -> None:
        """Predict the position at ``at`` (seconds); an earlier or equal time changes nothing."""
        elapsed = at - self.at
        if elapsed <= 0:
            return
        if self.misses:
            self.velocity *= np.exp(-elapsed / FADE_S)
            self.velocity[2:] = 0
        self.position = self.position + self.velocity * elapsed
        self.position[2:] = np.maximum(self.position[2:], 1)
        self._spread(elapsed)
        self.at = at
        self.misses += 1

    def _spread(self, elapsed: float) -> None:
        push = PUSH**2
        self._position_var += 2 * elapsed * self._covariance + elapsed**2 * self._velocity_var + push * elapsed**3 / 3
        self._covariance += elapsed * self._velocity_var + push * elapsed**2 / 2
        self._velocity_var += push * elapsed

    def correct(self, box: Box, at: float) -> None:
        """Take in where the object was detected at ``at``, to which `advance` has brought this already.

        After a loss the velocity is taken from the two sightings around it, not from the guesses between them
        (observation-centric, as in OC-SORT).
        """
        measured = to_centre(box)
        if self.misses > 1:
            self._start_again(measured, (measured - self.seen) / (at - self.seen_at))
        else:
            self._blend(measured)
        self.seen, self.seen_at, self.misses = measured, at, 0

    def _start_again(self, position: np.ndarray, velocity: np.ndarray) -> None:
        self.position, self.velocity = position, velocity * (1, 1, 0, 0)
        self._position_var = np.full(4, MEASURED**2)
        self._velocity_var = np.minimum(self._velocity_var, SPEED_AT_FIRST**2)
        self._covariance = np.zeros(4)

    def _blend(self, measured: np.ndarray) -> None:
        total = self._position_var + MEASURED**2
        gain, velocity_gain = self._position_var / total, self._covariance / total
        error = measured - self.position
        self.position = self.position + gain * error
        self.velocity = self.velocity + velocity_gain * error
        self._velocity_var = self._velocity_var - velocity_gain * self._covariance
        self._covariance = self._covariance * (1 - gain)
        self._position_var = self._position_var * (1 - gain)
