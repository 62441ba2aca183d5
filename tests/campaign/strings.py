"""Strings that something could stumble over, harmless ones of the same shape, and documents with either of them."""

import re
from random import Random
from typing import Dict, List, Tuple

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_dualre import Relation

#: By name, so that a trial keeps its name when others are added.
STRINGS: Dict[str, str] = {
    "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "attribute": "' onmouseover='alert(1)' x=\"y",
    "svg": "<svg/onload=alert(1)><g><text>x</text></g></svg>",
    "closing": "</title></text></svg></script></p></td><b id=injected>",
    "comment": "<!-- a --> --> ]]> <![CDATA[ x ]]> <?php x ?>",
    "doctype": '<!DOCTYPE x [<!ENTITY a "b">]>&a;',
    "entities": "&lt;b&gt; &amp; &#60; &nbsp; &bogus; &",
    "jinja": "{{ 7*7 }}{% raw %}{# x #}{%endraw",
    "braces": "{subject} {object} {0} {} {{ }} { }",
    "percent": "%s %d %(x)s %% 100%",
    "dollar": "$HOME ${x} $1 $(x) `x`",
    "pipe": "a|b\\|c||",
    "tab": "a\tb\t\tc",
    "line": "a\nb\n\nc",
    "carriage": "a\r\nb\rc",
    "separators": "a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i",
    "controls": "a\x01b\x07c\x1b[31md\x7fe\x9ff",
    "nul": "a\0b",
    "csv": '"a","b";\'c\',""',
    "formula": "=1+1",
    "minus": "-OH @x +y",
    "directions": "\u202eabc\u202c\u200f\u061c\u2066x",
    "hebrew": "\u05d0\u05d1\u05d2 \u0645\u0631\u062d\u0628\u0627",
    "combined": "e\u0301\u200d\U0001f469\u200d\U0001f469\u200d\U0001f467\ufe0f\u0300\u0300",
    "no-characters": "\ufffe\uffff\U0010ffff\ue000\ufdd0",
    "marks": "\ufeff\u200b\u00a0\u3000\u00ad",
    "long": "long" * 5000,
    "many-tags": "<b>" * 200,
    "many-words": "word " * 100,
    "path": "../../x/C:\\y~",
    "brat": "T1\tX 0 1;2 3\tx # * ; :",
    "pubtator": "71|t|x 71|a|y C1;C2,C3",
    "turtle": "\"\"\" ''' \\ \\u0041 <x> @prefix : ^^x . ;",
    "markdown": "`code` [x](javascript:alert(1)) ![y](z) **b** <br> ``` # |",
    "url": "javascript:alert(1) data:text/html,x //x",
    "json": '","a":[1,{"b":null}],\\u0000\\',
    "markers": "[CLS] [SEP] <S:CHEMICAL> </S:CHEMICAL> [PAD] </s>",
    "number": "NaN 1e999 -0 0x10 null None true",
}


def choose(random: Random, n: int) -> List[Tuple[str, str]]:
    """N of the strings with their names; beyond these, mixtures of pieces of them."""
    if n <= len(STRINGS):
        return sorted(random.sample(sorted(STRINGS.items()), n))
    pieces = [piece for text in STRINGS.values() for piece in re.findall(r"\w+|\s|\W", text[:60])]

    def mixture() -> str:
        return "".join(random.choice(pieces) for _ in range(random.randint(1, 12)))

    return [*STRINGS.items(), *((f"mixture-{number}", mixture()) for number in range(n - len(STRINGS)))]


def enclosed(text: str) -> str:
    """What a mention can be: neither empty nor with blanks at its ends."""
    return f"x{text}x"


def harmless(text: str) -> str:
    """A text of the same shape: letters for everything but blanks."""
    return re.sub(r"\S", "o", text)


def words_of(text: str) -> List[str]:
    """Words, each with the blank after it if there is one; other white space is a word."""
    return re.findall(r"(?:\S+|[^\S ]+| (?= )) ?", text)


def make_doc(vocab: Vocab, text: str, number: int = 0) -> Doc:
    """Two sentences with four mentions, types, predicates and identifiers that all are the text."""
    # Even harmless names differ, so that there are as many of them
    names = [enclosed(f"{part}{text}") for part in "abcdef"]
    words: List[str] = []
    places: List[Tuple[int, int]] = []
    for first, second in ((names[0], names[1]), (names[2], names[3])):
        for mention, rest in ((first, f" {enclosed(text)} acts on "), (second, " .")):
            start = len(words)
            words += words_of(mention)
            places.append((start, len(words)))
            words += words_of(rest.lstrip() + " ")
    half = places[2][0]
    doc = Doc(
        vocab,
        words=[word.rstrip(" ") or " " for word in words],
        spaces=[word.endswith(" ") and word.strip(" ") != "" for word in words],
        sent_starts=[i in (0, half) for i in range(len(words))],
    )
    types = [names[4], names[5]] * 2
    doc.ents = [Span(doc, start, end, label=type, kb_id=name) for (start, end), type, name in zip(places, types, names)]
    subject, object, other, last = doc.ents
    doc._.rels = [Relation(subject, names[4], object, 0.5), Relation(other, names[5], last, 0.75)]
    doc.user_data.update({"doc_id": f"{number}{text}", "title": enclosed(text)})
    return doc
