"""What the evaluation must reach: below it a change does not land. `make check` asserts it, `make eval` prints it."""

from __future__ import annotations

from collections.abc import Mapping

from tests.evals.score import LOOK_UPS, QUESTIONS
from tests.evals.tally import Tally

FLOORS: Mapping[tuple[str, str], float] = {
    ("blind", "everyday talk"): 0.99,
    ("blind", "look-ups"): 0.98,
    ("blind", "near-misses"): 0.99,
    ("blind", "not who"): 0.98,
    ("blind", "questions"): 0.97,
    ("blind", "titles"): 0.98,
    ("blind", "who, by kind"): 0.98,
    ("borders", "near-misses"): 0.97,
    ("borders", "not who"): 0.97,
    ("borders", "questions"): 0.84,
    ("borders", "who, by kind"): 0.79,
    ("development", "look-ups"): 0.96,
    ("development", "multilingual"): 0.85,
    ("development", "not who"): 0.9,
    ("development", "out of scope"): 0.97,
    ("development", "questions"): 0.98,
    ("development", "titles"): 0.96,
    ("development", "who"): 0.99,
    ("fresh", "everyday talk"): 0.99,
    ("fresh", "look-ups"): 0.97,
    ("fresh", "near-misses"): 0.99,
    ("fresh", "not who"): 0.97,
    ("fresh", "out of scope, typed"): 0.97,
    ("fresh", "questions"): 0.98,
    ("fresh", "who, by kind"): 0.94,
    ("held-out", "languages"): 0.97,
    ("held-out", "languages, out of scope"): 0.94,
    ("held-out", "look-ups"): 0.99,
    ("held-out", "multilingual"): 0.96,
    ("held-out", "not who"): 0.95,
    ("held-out", "out of scope"): 0.98,
    ("held-out", "out of scope, typed"): 0.93,
    ("held-out", "questions"): 0.98,
    ("held-out", "titles"): 0.97,
    ("held-out", "who, by kind"): 0.97,
    ("release", "descriptions"): 0.98,
    ("release", "look-ups"): 0.97,
    ("release", "not who"): 0.98,
    ("release", "out of scope"): 0.99,
    ("release", "public"): 0.99,
    ("release", "questions"): 0.97,
    ("release", "titles"): 0.98,
    ("release", "who, by kind"): 0.98,
    ("unseen", "everyday talk"): 0.99,
    ("unseen", "look-ups"): 0.98,
    ("unseen", "near-misses"): 0.99,
    ("unseen", "not who"): 0.93,
    ("unseen", "questions"): 0.96,
    ("unseen", "who, by kind"): 0.95,
}
"""The least share of right lines, by folder and set."""
FACETS = 0.95
"""The least share of right answers to look-ups and questions that show the part that was asked for."""
FACETS_SHORT: Mapping[tuple[str, str], float] = {("unseen", "questions"): 0.92}
"""The same, for the set where it is not reached yet: "responsibilities" is taken for "summary"."""
NAMED_WRONGLY = 0
"""So many lines of ``who`` may name somebody who must not be named."""
CALIBRATION_ERROR = 0.07
"""The expected calibration error must stay under this."""


def below(tallies: Mapping[tuple[str, str], Tally], error: float) -> list[str]:
    """Say what is under its floor."""
    found = [
        f"{folder}, {name}: {tallies[folder, name].right:.3f} right, the floor is {floor}"
        for (folder, name), floor in FLOORS.items()
        if tallies[folder, name].right < floor
    ]
    for (folder, name), tally in tallies.items():
        least = FACETS_SHORT.get((folder, name), FACETS)
        if name in (LOOK_UPS, QUESTIONS) and tally.facet is not None and tally.facet < least:
            found.append(f"{folder}, {name}: {tally.facet:.3f} show the right part, the floor is {least}")
    wrongly = tallies["development", "who"].named_wrongly or 0
    if wrongly > NAMED_WRONGLY:
        found.append(f"development, who: somebody who must not be is named in {wrongly} lines")
    if error >= CALIBRATION_ERROR:
        found.append(f"calibration: the expected error is {error:.3f}, it must stay under {CALIBRATION_ERROR}")
    return found
