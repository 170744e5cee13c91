"""Figures of alternating rounds, told as medians and ratios with their targets."""

from collections.abc import Callable, Sequence
from statistics import median

Say = Callable[[str], None]
Pairs = Sequence[tuple[float, float]]


def say_rates(say: Say, name: str, pairs: Pairs, target: float | None, of: str) -> None:
    """Answers a second, of others'; `target` at least."""
    rate, other = (median(pair[side] for pair in pairs) for side in (0, 1))
    ratio = median(one / two for one, two in pairs)
    due = f"  target {target:.2f} {of}" if target is not None else ""
    say(f"  {name:<16}{rate:>9,.0f}/s   of {other:>9,.0f}/s   ratio {ratio:6.3f}{due}")


def say_times(say: Say, name: str, pairs: Pairs, target: float | None, of: str) -> None:
    """Seconds of an answer, and of another's; `target` at most."""
    took, other = (median(pair[side] for pair in pairs) * 1000 for side in (0, 1))
    ratio = median(one / two for one, two in pairs)
    due = f"  target at most {target:.0f}" if target is not None else ""
    say(f"  {name:<24}{took:6.2f} ms   {other:6.2f} ms with {of}   ratio {ratio:5.2f}{due}")
