"""Escaping and cutting."""

from __future__ import annotations

import html
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.blocks.message import MESSAGE_BLOCKS, MESSAGE_TEXT, cut, escape, message, plain, readable, section
from tests.schemas.block_kit import problems

TEXTS = st.text(alphabet=st.sampled_from("ab &<>;|@!#😀é\n"), max_size=60) | st.text(max_size=60)


@given(TEXTS)
def test_what_is_escaped_reads_as_it_was_and_holds_no_markup(text: str) -> None:
    escaped = escape(text)
    assert not set("<>") & set(escaped)
    assert html.unescape(escaped) == html.unescape(html.unescape(escaped)) or "&" in text
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@given(TEXTS, st.integers(min_value=1, max_value=40))
def test_a_cut_keeps_to_the_limit_and_breaks_no_entity(text: str, limit: int) -> None:
    shortened = cut(escape(text), limit)
    assert len(shortened) <= limit
    assert not re.search(r"&(?!amp;|lt;|gt;)", shortened)
    if len(escape(text)) <= limit:
        assert shortened == escape(text)
    else:
        assert shortened.endswith("…")


@pytest.mark.parametrize(
    ("text", "limit", "shortened"),
    [
        ("", 5, ""),
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("two words", 5, "two…"),
        ("a &amp; b", 6, "a…"),
        ("a &amp; b", 8, "a &amp;…"),
        ("&lt;&lt;", 4, "…"),
    ],
)
def test_cutting(text: str, limit: int, shortened: str) -> None:
    assert cut(text, limit) == shortened


@given(st.text(max_size=200))
def test_any_text_makes_a_block_that_slack_takes(text: str) -> None:
    # Lone surrogates do not get past the front door.
    block = section(escape(text)) if text.strip() else section("–")
    assert problems([block, {"type": "header", "text": plain(text, 150)}], "Blocks") == []


def test_what_nobody_sees_is_taken_out_of_every_text_and_nothing_else() -> None:
    unseen = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {*map(ord, "\t\n\r")}
    for code in range(sys.maxunicode + 1):
        assert readable(f"a{chr(code)}b") == ("ab" if code in unseen else f"a{chr(code)}b"), hex(code)
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert readable(every) == "".join(sign for sign in every if ord(sign) not in unseen)


def test_a_message_keeps_to_slacks_limits() -> None:
    long = message(["<" * 3000, "&" * 3000], [section("x")] * 60)
    payload = long.payload()
    assert len(payload["text"]) <= MESSAGE_TEXT
    assert len(payload["blocks"]) == MESSAGE_BLOCKS
    assert (payload["unfurl_links"], payload["unfurl_media"]) == (False, False)
