"""Questions in other languages: which are recognised, what they are read as, and how they are answered."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from bot.ask import Line, Reply, answer_line, temporary_guide
from knowledge.answers import Subject
from knowledge.errors import ContentError
from knowledge.glossaries import load_glossaries
from knowledge.languages import Translator
from knowledge.people import Candidate, PassedOver
from knowledge.ports import People, Threads
from knowledge.team import NoTeam
from tests import bundled
from tests.conftest import MakeGuide
from tests.evals.score import HERE

TEAM = [
    {"id": "U1", "name": "Ada", "declared": [{"role": "mlops-engineer", "level": "lead"}], "topics": ["Kafka"]},
    {"id": "U2", "name": "Grete", "topics": ["Datenschutzfolgen"]},
]
GLOSSARY = """\
name: German
notice: Ich verstehe Deutsch und antworte auf Englisch.
also_english: >-
  war die
phrases: |
  # The roles
  daten: data
"""


@pytest.fixture(scope="session")
def translator() -> Translator:
    return bundled.translator()


@pytest.mark.parametrize(
    ("accented", "plain"),
    [
        ("qué hace un científico de datos", "que hace un cientifico de datos"),
        ("¿Quién decide qué métricas usar?", "quien decide que metricas usar?"),
        ("quels sont les métiers qui émergent en ce moment", "quels sont les metiers qui emergent en ce moment"),
        ("Comment les données sont-elles étiquetées ?", "comment les donnees sont-elles etiquetees ?"),
        (
            "Quais são as responsabilidades de um engenheiro de dados?",
            "quais sao as responsabilidades de um engenheiro de dados?",
        ),
        ("Was macht ein Dateningenieur für KI", "was macht ein dateningenieur fuer ki"),
        ("Wer kümmert sich um die Überwachung?", "wer kuemmert sich um die ueberwachung?"),
        ("Wer kümmert sich um die Überwachung?", "wer kummert sich um die uberwachung?"),
        ("Welche Fähigkeiten braucht ein Qualitätsprüfer?", "welche faehigkeiten braucht ein qualitaetspruefer?"),
        ("Wie groß sind die Größen?", "wie gross sind die groessen?"),
    ],
)
def test_what_is_typed_without_accents_reads_as_with_them(translator: Translator, accented: str, plain: str) -> None:
    with_accents, without = translator.translate(accented), translator.translate(plain)
    assert with_accents is not None
    assert without == with_accents


def test_an_accent_on_a_word_that_english_has_too_is_passed_over(translator: Translator) -> None:
    translated = translator.translate("¿Quién sabe de visión por computadora?")
    assert translated is not None
    assert "vision" in translated.english


class Nobody:
    """People of a workspace in which nobody declared anything."""

    async def holders(self, workspace: str, role: str) -> Sequence[Candidate]:
        return ()

    async def candidates(self, workspace: str, **sought: object) -> Sequence[Candidate]:
        return ()

    async def passed_over(self, workspace: str, **sought: object) -> PassedOver:
        return PassedOver()

    async def declared_topics(self, workspace: str, keys: Sequence[str]) -> Sequence[str]:
        return ()


class LastSubject:
    """Conversations of which the last one alone is kept."""

    def __init__(self) -> None:
        self.kept: Subject | None = None

    async def subject(self, *conversation: object) -> Subject | None:
        return self.kept

    async def remember(
        self, workspace: str, channel: str, thread: str, user: str, subject: Subject, now: datetime
    ) -> None:
        self.kept = subject

    async def secret(self, workspace: str) -> bytes:
        return b""


Ask = Callable[[Line], Awaitable[Reply]]


@pytest.fixture
def ask(make_guide: MakeGuide) -> Ask:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    guide = make_guide(cast(People, Nobody()), cast(Threads, LastSubject()), lambda: now, NoTeam())
    return lambda line: answer_line(guide, line)


def english_lines() -> Iterator[str]:
    """Give the English questions of the evaluation."""
    for name in ("lookups", "questions", "titles", "who_kind", "not_who"):
        for line in (HERE / "questions" / f"{name}.jsonl").read_text("utf-8").splitlines():
            yield json.loads(line).get("text", "")


# Which language


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Was macht ein Prompt Engineer?", "de"),
        ("Unterschied zwischen Data Scientist und Data Engineer", "de"),
        ("Datenwissenschaftlerin", "de"),
        ("Datenwissenschaftlerinnen", "de"),
        ("KI-Ethik", "de"),
        ("ingénieur MLOps", "fr"),
        ("quel role s'occupe des modeles", "fr"),
        ("¿Qué hace una ingeniera de datos?", "es"),
        ("habilidades de um cientista de dados", "pt"),
        ("AIリサーチサイエンティストとは", "ja"),
        ("役割", "ja"),
        ("डेटा साइंटिस्ट क्या काम करता है?", "hi"),
        ("data scientist kya karta hai", "hi"),
        ("<@U0BOT> merci beaucoup :pray:", "fr"),
    ],
)
def test_a_language_is_recognised(translator: Translator, text: str, code: str) -> None:
    found = translator.translate(text)
    assert found is not None and found.language.code == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?!",
        "<@U0BOT>",
        "what do the models say about El Niño",
        "I have a feeling of déjà vu about this pipeline",
        "Does François Dubois know Docker?",
        "Is Gabriel García Márquez on the data team?",
        "die rolls and die cutting",
        "what does 仕事 mean in the docs",
        "what is the meaning of नमस्ते",
        "机器学习工程师是做什么的",
        "кто такой инженер данных",
        "R programmer",
        "dataengineer",
        "x" * 2000,
        "datenpipeline" * 150,
    ],
)
def test_english_and_unknown_languages_are_left_alone(translator: Translator, text: str) -> None:
    assert translator.translate(text) is None


def test_english_questions_are_never_taken_for_another_language(translator: Translator) -> None:
    assert [text for text in english_lines() if translator.translate(text)] == []


# What it is read as


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Datenwissenschaftlerin", "data scientist"),
        ("Trainingsdaten", "training data"),
        ("hybride Suche", "hybrid search"),
        ("KI-Ethik", "ai ethics"),
        ("ingeniera de seguridad de IA", "ai safety engineer"),
        ("एआई सुरक्षा इंजीनियर", "ai safety engineer"),
        ("AI リサーチサイエンティスト", "ai research scientist"),
    ],
)
def test_names_become_english_names(translator: Translator, text: str, english: str) -> None:
    found = translator.translate(text)
    assert found is not None and found.english == english


def test_what_is_not_in_the_glossary_stays(translator: Translator) -> None:
    found = translator.translate("Wer kennt sich mit Kubernetes und Zwiebelkuchen aus?")
    assert found is not None and "kubernetes" in found.english and "zwiebelkuchen" in found.english


def test_latin_letters_in_japanese_count_as_whole_words_only(translator: Translator) -> None:
    found = translator.translate("MAIとは")
    assert found is not None and found.english.startswith("mai ")


# How it is answered


@pytest.mark.parametrize(
    ("text", "role", "facet"),
    [
        ("Welche Kenntnisse braucht ein MLOps-Ingenieur?", "mlops-engineer", "skills"),
        ("Quelles sont les responsabilités d'un chef de produit IA ?", "ai-product-manager", "responsibilities"),
        ("¿Qué herramientas usa una ingeniera de datos?", "data-engineer", "skills"),
        ("diferença entre cientista de dados e engenheiro de dados", "data-scientist", "compare"),
        ("モデルトレーナーの例を教えて", "model-trainer", "example"),
        ("हमारा MLOps इंजीनियर कौन है?", "mlops-engineer", "people"),
    ],
)
async def test_the_right_card_in_english_and_a_line_that_says_so(ask: Ask, text: str, role: str, facet: str) -> None:
    got = await ask(Line(text=text))
    assert (got.roles[0], got.facet) == (role, facet)
    assert got.text.startswith("I read ") and "and answer in English." in got.text.splitlines()[0]


async def test_the_line_is_in_the_language_too(ask: Ask) -> None:
    got = await ask(Line(text="Modelltrainerin"))
    assert got.text.splitlines()[:2] == [
        "I read German, and answer in English. Ich verstehe Deutsch und antworte auf Englisch.",
        "Model Trainer and Fine-Tuning Specialist",
    ]


async def test_what_is_not_known_says_so_with_the_line(ask: Ask) -> None:
    got = await ask(Line(text="Wie wird das Wetter morgen in Köln?"))
    assert got.kind == "none" and got.text.startswith("I read German, and answer in English.")


async def test_an_english_answer_has_no_such_line(ask: Ask) -> None:
    got = await ask(Line(text="what is an MLOps engineer"))
    assert "I read" not in got.text


@pytest.mark.parametrize("text", ["hola", "Guten Tag!", "merci beaucoup", "obrigada", "ありがとうございます", "नमस्ते"])
async def test_greetings_and_thanks(ask: Ask, text: str) -> None:
    got = await ask(Line(text=text))
    assert got.kind == "help"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("Was ist ein Prompt Engineer?", "Und welche Fähigkeiten braucht er?"),
        ("what is a prompt engineer", "et les compétences ?"),
        ("プロンプトエンジニアとは", "必要なスキルは?"),
    ],
)
async def test_follow_ups(ask: Ask, first: str, then: str) -> None:
    got = await ask(Line(text=then, turns=[first]))
    assert (got.roles[:1], got.facet) == (["prompt-engineer"], "skills")


async def test_people_and_declared_topics(tmp_path: Path) -> None:
    team = tmp_path / "team.json"
    team.write_text(json.dumps(TEAM), "utf-8")
    texts = [
        "Wer ist unser MLOps-Ingenieur?",
        "Wer kennt sich mit Kafka aus?",
        "Wer kennt sich mit Datenschutzfolgen aus?",
    ]
    async with temporary_guide(team) as guide:
        found = [await answer_line(guide, Line(text=text)) for text in texts]
    assert [got.people for got in found] == [["U1"], ["U1"], ["U2"]]


# The glossaries


def write(folder: Path, **files: str) -> Path:
    (folder / "languages").mkdir()
    for name, text in files.items():
        (folder / "languages" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def test_a_glossary_is_read(tmp_path: Path) -> None:
    (found,) = load_glossaries(write(tmp_path, de=GLOSSARY))
    assert (found.language.code, found.language.name, found.phrases) == ("de", "German", {"daten": "data"})


def test_every_problem_of_every_glossary_is_reported(tmp_path: Path) -> None:
    broken = GLOSSARY.replace("name: German\n", "colour: red\n") + "  daten: dates\n  wer?: who\n  rolle:\n"
    with pytest.raises(ContentError) as caught:
        load_glossaries(write(tmp_path, de=broken, es="- a list", fr="name: [", pt=GLOSSARY))
    assert [problem.partition(": line")[0] for problem in caught.value.problems] == [
        "languages/de.yaml: colour: unknown",
        "languages/de.yaml: name: a text is needed",
        "languages/de.yaml: phrases: 'daten' stands there twice",
        "languages/de.yaml: phrases: 'wer?: who' is not 'phrase: english', with no sign in the phrase",
        "languages/de.yaml: phrases: 'rolle:' is not 'phrase: english', with no sign in the phrase",
        "languages/es.yaml: name: a text is needed",
        "languages/es.yaml: notice: a text is needed",
        "languages/es.yaml: phrases: a text is needed",
        "languages/fr.yaml: not readable as YAML",
    ]
