"""The content files: what is refused, and what they hold."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from knowledge.catalog import Catalog, load_catalog
from knowledge.errors import ContentError
from knowledge.models import Statement

HERE = Path(__file__).parent

# The ids are a promise to users, deployments and other tests: an entry may be added, never renamed.
ROLES = """
ai-research-scientist machine-learning-engineer data-scientist data-engineer prompt-engineer model-trainer
mlops-engineer ai-ethics-specialist ai-product-manager ai-infrastructure-architect ai-ux-designer ai-qa-specialist
ai-safety-engineer multimodal-architect ai-governance-specialist ai-ethics-reviewer
""".split()
EMERGING = ROLES[12:]
TOOLS = """
pytorch tensorflow jax julia cpp python r sql aws azure gcp docker kubernetes ci-cd matplotlib seaborn tableau nltk
bleu rouge fid precision-recall spark hadoop bigquery snowflake redshift dvc mlflow langchain openai-api gpt claude
dall-e stable-diffusion deepspeed horovod rlhf learning-rate-scheduling gradient-clipping jenkins tensorflow-serving
torchserve ab-testing regression-testing gdpr fairness-metrics agile gpu tpu hpc hci chat-interfaces pinecone weaviate
elasticsearch
""".split()
GENERAL = ["multidisciplinary-teams", "collaboration", "best-practices", "future-trends"]
FAQ = """
faq-prompt-chains faq-metadata faq-prompt-storage faq-hybrid-search faq-sql-databases faq-rag faq-data-security
faq-versioning faq-vector-databases faq-embeddings faq-labeled-data faq-monitoring faq-external-knowledge
faq-databases-role faq-deduplication faq-model-storage faq-feedback-storage faq-scaling faq-nosql faq-efficient-access
faq-data-types faq-graph-databases faq-conversation-history faq-synthetic-data
""".split()

# What the guide names for each role: its skills, its responsibilities and its example.
NAMED_BY_THE_GUIDE = {
    "ai-research-scientist": "pytorch tensorflow jax python cpp julia",
    "machine-learning-engineer": "tensorflow pytorch aws azure gcp docker kubernetes ci-cd gpu",
    "data-scientist": "python r sql matplotlib seaborn tableau bleu fid rouge nltk",
    "data-engineer": "sql spark hadoop bigquery snowflake redshift dvc mlflow",
    "prompt-engineer": "gpt claude langchain openai-api",
    "model-trainer": "rlhf deepspeed horovod gpu learning-rate-scheduling gradient-clipping",
    "mlops-engineer": "ci-cd ab-testing kubernetes docker jenkins mlflow tensorflow-serving torchserve",
    "ai-ethics-specialist": "gdpr fairness-metrics",
    "ai-product-manager": "agile",
    "ai-infrastructure-architect": "gpu tpu hpc",
    "ai-ux-designer": "chat-interfaces hci",
    "ai-qa-specialist": "ab-testing regression-testing precision-recall fid bleu",
}
# How many responsibilities and skills the guide lists for each.
LISTED_BY_THE_GUIDE = {
    "ai-research-scientist": (4, 4),
    "machine-learning-engineer": (4, 4),
    "data-scientist": (4, 4),
    "data-engineer": (4, 3),
    "prompt-engineer": (4, 3),
    "model-trainer": (4, 3),
    "mlops-engineer": (4, 3),
    "ai-ethics-specialist": (4, 3),
    "ai-product-manager": (4, 3),
    "ai-infrastructure-architect": (3, 3),
    "ai-ux-designer": (3, 2),
    "ai-qa-specialist": (3, 3),
}
DATABASES_OF_THE_FAQ = {"faq-nosql": "pinecone weaviate elasticsearch", "faq-versioning": "dvc mlflow"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def statements(value: object) -> Iterator[Statement]:
    """Walk every sentence of an entry."""
    if isinstance(value, Statement):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from statements(item)
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from statements(getattr(value, field))


def texts(value: object) -> Iterator[str]:
    """Walk every text of an entry that is long enough to be a sentence: names and phrases are not."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            if field not in ("name", "short", "names", "titles", "tasks", "questions", "question"):
                yield from texts(getattr(value, field))


def from_guide(found: tuple[Statement, ...]) -> int:
    return sum(statement.source == "guide" for statement in found)


# What is there


def test_roles_come_in_the_order_of_the_guide(catalog: Catalog) -> None:
    assert list(catalog.roles) == ROLES
    assert [role.id for role in catalog.roles.values() if role.emerging] == EMERGING


def test_every_promised_tool_is_there(catalog: Catalog) -> None:
    assert not set(TOOLS) - set(catalog.tools)


def test_every_promised_topic_is_there(catalog: Catalog) -> None:
    assert not {*GENERAL, *FAQ} - set(catalog.topics)
    assert len(FAQ) == 24


def test_an_id_means_one_entry(catalog: Catalog) -> None:
    ids = [entry.id for entry in catalog]
    assert len(ids) == len(set(ids))
    assert all(catalog.entry(entry.id) is entry for entry in catalog)
    assert catalog.entry("no-such-entry") is None


def test_every_sentence_has_a_source(catalog: Catalog) -> None:
    found = [statement for entry in catalog for statement in statements(entry)]
    assert len(found) > 1_000
    assert {statement.source for statement in found} == {"guide", "ours"}


@pytest.mark.parametrize("role", LISTED_BY_THE_GUIDE)
def test_every_responsibility_and_skill_of_the_guide_is_there(catalog: Catalog, role: str) -> None:
    responsibilities, skills = LISTED_BY_THE_GUIDE[role]
    assert from_guide(catalog.roles[role].responsibilities) >= responsibilities
    assert from_guide(catalog.roles[role].skills) >= skills


@pytest.mark.parametrize("role", ROLES)
def test_the_guide_says_what_each_role_is(catalog: Catalog, role: str) -> None:
    assert from_guide(catalog.roles[role].summary) >= 1


@pytest.mark.parametrize(
    "role", ["ai-research-scientist", "machine-learning-engineer", "data-scientist", "prompt-engineer"]
)
def test_the_examples_of_the_guide_are_there(catalog: Catalog, role: str) -> None:
    assert catalog.roles[role].example.source == "guide"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_something_beyond_the_guide(catalog: Catalog, role: str) -> None:
    assert {"ours"} <= {statement.source for statement in statements(catalog.roles[role])}


@pytest.mark.parametrize(
    ("role", "tool"), [(role, tool) for role, tools in NAMED_BY_THE_GUIDE.items() for tool in tools.split()]
)
def test_what_the_guide_names_for_a_role_is_marked_as_its_own(catalog: Catalog, role: str, tool: str) -> None:
    assert [note.source for note in catalog.tools[tool].used_by if note.role == role] == ["guide"]


@pytest.mark.parametrize("tool", ["gpt", "claude", "dall-e", "stable-diffusion", "pinecone", "weaviate"])
def test_models_and_databases_that_the_guide_names_are_explained(catalog: Catalog, tool: str) -> None:
    assert list(statements(catalog.tools[tool].summary))


@pytest.mark.parametrize("topic", DATABASES_OF_THE_FAQ)
def test_answers_name_the_tools_that_the_guide_names(catalog: Catalog, topic: str) -> None:
    assert set(DATABASES_OF_THE_FAQ[topic].split()) <= set(catalog.topics[topic].tools)


@pytest.mark.parametrize("topic", [*GENERAL, *FAQ])
def test_every_answer_of_the_guide_is_there_with_its_question(catalog: Catalog, topic: str) -> None:
    entry = catalog.topics[topic]
    assert from_guide(entry.answer) >= 1
    assert entry.question.endswith("?")


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("best-practices", "disciplin document version ethic train|learn"),
        ("collaboration", "architectures scale fair users meetings feedback document"),
        ("multidisciplinary-teams", "linguists artists ethicists polic product business computer"),
        ("future-trends", "safety multimodal governance ethics real|real-time"),
        ("faq-data-security", "encrypt anonym role"),
        ("faq-scaling", "distribut replica shard"),
        ("faq-deduplication", "bias generali|not.seen"),
        ("faq-prompt-storage", "text metadata response|answer|output"),
        ("faq-model-storage", "blob|binary external|repositor|registry|link"),
        ("faq-monitoring", "usage|use feedback|say behav"),
        ("faq-feedback-storage", "user tim quality|score|rating"),
        ("faq-hybrid-search", "keyword vector"),
        ("faq-data-types", "text image|picture audio|sound structured"),
        ("faq-conversation-history", "session tim"),
        ("faq-synthetic-data", "beside|alongside|next metadata"),
        ("faq-embeddings", "meaning|semantic similar"),
        ("faq-metadata", "filter categor|sort|group|class evaluat|judge"),
    ],
)
def test_the_points_of_the_guides_answer_are_made(catalog: Catalog, topic: str, words: str) -> None:
    entry = catalog.topics[topic]
    said = " ".join(s.text for s in (*entry.answer, *entry.details) if s.source == "guide").casefold()
    assert not [word for word in words.split() if not re.search(word, said)]


def shingles(text: str) -> set[str]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    runs = (" ".join(found[at : at + 5]) for at in range(len(found) - 4))
    return {hashlib.blake2b(run.encode(), digest_size=5).hexdigest() for run in runs}


def test_no_sentence_is_taken_from_the_guide(catalog: Catalog) -> None:
    lines = (HERE / "guide_shingles.txt").read_text("utf-8").splitlines()
    guide = {found for line in lines if not line.startswith("#") for found in line.split()}
    names = {found for entry in catalog for name in (entry.name, *entry.names) for found in shingles(name)}
    assert len(guide) > 1_000
    taken = [(e.id, t) for e in catalog for t in texts(e) if (shingles(t) - names) & guide]
    assert taken == []


def test_the_tools_of_a_role_begin_with_those_it_uses_most(catalog: Catalog) -> None:
    for role, found in catalog.tools_of.items():
        assert found, role
        places = [[note.role for note in tool.used_by].index(role) for tool, _ in found]
        assert places == sorted(places)


def test_every_two_roles_are_told_apart(catalog: Catalog) -> None:
    told = {frozenset((role.id, note.role)) for role in catalog.roles.values() for note in role.confused_with}
    assert [pair for pair in combinations(ROLES, 2) if frozenset(pair) not in told] == []


def test_entries_can_not_be_changed(catalog: Catalog) -> None:
    with pytest.raises(ValidationError):
        catalog.roles["mlops-engineer"].name = "Other"


# What is refused


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return shutil.copytree(Path(str(files("knowledge") / "content")), tmp_path / "content")


def edit(file: Path, change: Callable[[str], str]) -> None:
    before = file.read_text("utf-8")
    after = change(before)
    assert after != before
    file.write_text(after, "utf-8")


def problems_of(content: Path) -> list[str]:
    with pytest.raises(ContentError) as raised:
        load_catalog(content)
    assert str(raised.value) == "\n".join(raised.value.problems)
    return raised.value.problems


def test_an_untouched_copy_loads(content: Path, catalog: Catalog) -> None:
    assert load_catalog(content) == catalog


def test_every_problem_is_reported_at_once(content: Path) -> None:
    edit(content / "tools" / "jax.yaml", lambda text: text + "\nanswer_to_everything: 42\n")
    edit(content / "tools" / "dvc.yaml", lambda text: re.sub(r"(?m)^kind: .*\n", "", text))
    edit(content / "tools" / "fid.yaml", lambda text: text.replace("id: fid", "id: frechet", 1))
    edit(content / "tools" / "hpc.yaml", lambda text: re.sub(r"role: [a-z-]+", "role: wizard", text, count=1))
    edit(content / "tools" / "tpu.yaml", lambda text: re.sub(r"(?m)^name: .*$", "name: MLOps", text))
    (content / "tools" / "gpu.yaml").write_text("id: [gpu\nname: }", "utf-8")
    edit(content / "topics" / "faq-rag.yaml", lambda text: re.sub(r"(?m)^related: .*$", "related: [faq-none]", text))
    found = problems_of(content)
    for expected in (
        r"^tools/jax\.yaml: answer_to_everything: Extra inputs are not permitted",
        r"^tools/dvc\.yaml: kind: Field required",
        r"^tools/fid\.yaml: id is 'frechet': the file should be called frechet\.yaml",
        r"^tools/hpc\.yaml: used_by: there is no role 'wizard'",
        r"^(roles/mlops-engineer|tools/tpu)\.yaml: the name 'mlops' leads to (roles/mlops-engineer|tools/tpu)\.yaml",
        r"^tools/gpu\.yaml: not readable as YAML: ",
        r"^topics/faq-rag\.yaml: related: there is no topic 'faq-none'",
    ):
        assert [line for line in found if re.search(expected, line)], (expected, found)
    assert all("\n" not in line for line in found)


@pytest.mark.parametrize(
    ("file", "pattern", "replacement", "problem"),
    [
        ("tools/jax.yaml", r"guide: ", "heard_somewhere: ", "exactly one of 'guide:' and 'ours:'"),
        ("tools/jax.yaml", r"(?m)^kind: .*$", "kind: spell", "kind: Input should be 'framework'"),
        ("tools/jax.yaml", r"(?m)^id: .*$", "id: JAX!", "id: String should match pattern"),
        ("tools/jax.yaml", r"(?m)^name: .*$", "name: 7", "name: Input should be a valid string"),
        ("tools/jax.yaml", r"(?s).*", "", "Input should be keys with values"),
        ("roles/data-engineer.yaml", r"(?m)^short: .*$", f"short: {'x' * 30}", "short: String should have at most"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    content: Path, file: str, pattern: str, replacement: str, problem: str
) -> None:
    edit(content / file, lambda text: re.sub(pattern, replacement, text, count=1))
    assert [line for line in problems_of(content) if line.startswith(f"{file}: ") and problem in line]


def test_a_role_that_refers_to_itself_is_refused(content: Path) -> None:
    edit(
        content / "roles" / "data-engineer.yaml",
        lambda text: re.sub(r"(?s)(confused_with:\s+- role: )[a-z-]+", r"\1data-engineer", text, count=1),
    )
    assert "roles/data-engineer.yaml: confused_with: the role refers to itself" in problems_of(content)


def test_a_reference_that_is_listed_twice_is_refused(content: Path) -> None:
    edit(content / "tools" / "jax.yaml", lambda text: text.rstrip() + "\n" + re.findall(r"(?s)  - role:.*", text)[0])
    assert [line for line in problems_of(content) if "is listed twice" in line]


def test_a_file_that_is_gone_is_missed_by_those_that_refer_to_it(content: Path) -> None:
    (content / "roles" / "data-engineer.yaml").unlink()
    found = problems_of(content)
    assert [line for line in found if "there is no role 'data-engineer'" in line]
    assert len(found) > 10
