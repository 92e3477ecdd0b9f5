"""The report says what changed, keeps nothing of the release lines, and draws the same picture again."""

from __future__ import annotations

from xml.etree import ElementTree

from bot.ask import Reply
from tests.evals.changes import FILE, Kept, as_lines, changes, from_lines, kept
from tests.evals.drawing import reliability_plot
from tests.evals.floors import FLOORS
from tests.evals.report import BEGIN, PAGE, PICTURE, figures, report, with_figures
from tests.evals.score import QUESTIONS, SEALED, Asked, Folder, Outcome, judge
from tests.evals.tally import Bin

BINS = [Bin(12, 0.15, 0.0), Bin(40, 0.95, 0.97)]


def line(text: str, kind: str = "card", first: str = "mlops-engineer", right: bool = True) -> Kept:
    return Kept("held-out questions", text, kind, first, "summary" if kind == "card" else None, right)


def outcome(folder: Folder, text: str) -> Outcome:
    got = Reply(kind="card", roles=["data-engineer"], facet="summary", confidence=0.8, text="")
    return judge(Asked(folder, QUESTIONS, {"text": text, "roles": ["mlops-engineer"], "facet": "summary"}), got)


def test_a_changed_outcome_is_reported_wrong_ones_first() -> None:
    before = [line("same"), line("other", right=False, first="data-engineer"), line("mended", "none", "", right=False)]
    after = [line("same"), line("other", right=False), line("mended"), line("new")]
    assert changes([*before, line("broken")], [*after, line("broken", "none", "", right=False)]) == [
        "now wrong: [held-out questions] 'broken': card mlops-engineer summary -> none",
        "now right: [held-out questions] 'mended': none -> card mlops-engineer summary",
        "changed: [held-out questions] 'other': card data-engineer summary -> card mlops-engineer summary",
    ]


def test_the_same_text_in_another_set_is_another_line() -> None:
    moved = Kept("development questions", "same", "none", "", None, False)
    assert changes([line("same")], [line("same"), moved]) == []


def test_outcomes_are_read_back_as_they_were_written() -> None:
    outcomes = [line("what is “MLOps”?"), line("weather", "none", "", right=True)]
    assert from_lines(as_lines(outcomes)) == outcomes


def test_nothing_is_kept_or_shown_of_a_release_line_but_totals() -> None:
    outcomes = [outcome("release", "a sealed line"), outcome("held-out", "an open line")]
    assert [one.text for one in kept(outcomes)] == ["an open line"]
    found = report(outcomes, ["mlops-engineer", "data-engineer"])
    assert found.sets["release", QUESTIONS].lines == 1
    assert found.roles["mlops-engineer"].lines == 1
    assert found.confusions == [("mlops-engineer", "data-engineer", 1)]
    assert found.varieties == {(QUESTIONS, "others"): (1, 0.0)}
    assert "sealed" not in "\n".join(figures(found))


def test_the_figures_go_between_their_marks() -> None:
    page = with_figures(PAGE.read_text("utf-8"), ["the figures"])
    before, after = PAGE.read_text("utf-8").split(BEGIN)[0], page.split(BEGIN)[1]
    assert page.startswith(before) and after.strip().startswith("the figures")
    assert with_figures(page, ["the figures"]) == page


def test_what_is_kept_and_the_page_are_of_the_sets_that_there_are() -> None:
    assert {one.set for one in from_lines(FILE.read_text("utf-8"))} == {
        f"{folder} {name}" for folder, name in FLOORS if folder not in SEALED
    }
    shown = [[cell.strip() for cell in row.split("|")] for row in PAGE.read_text("utf-8").splitlines()]
    floors = {(row[1], row[2]): row[5] for row in shown if len(row) > 5 and (row[1], row[2]) in FLOORS}
    assert floors == {key: f"{floor:.3f}" for key, floor in FLOORS.items()}


def test_the_picture_is_well_formed_says_what_it_shows_and_is_the_same_again() -> None:
    drawn = reliability_plot(BINS, 0.042)
    assert drawn == reliability_plot(BINS, 0.042)
    root = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    title, description = root[0].text or "", root[1].text or ""
    assert title == "Confidence against the share that is right"
    assert "said 0.95, right 0.97 (40 lines)" in description
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == len(BINS)
    assert "prefers-color-scheme: dark" in drawn


def test_the_picture_of_the_page_is_there() -> None:
    ElementTree.fromstring(PICTURE.read_text("utf-8"))  # noqa: S314 - our own
    assert f"]({PICTURE.name})" in PAGE.read_text("utf-8")
