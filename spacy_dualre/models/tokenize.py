"""Instances -> ids: every word cut into pieces once, every distinct sequence stored once, no marker ever lost."""

from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

import numpy
from transformers import PreTrainedTokenizerBase

from ..markers import OBJECT, SUBJECT, marker_events, start_marker
from ..types import Instance, MarkedText, PairBatch, Sequences, Shortened

Pieces = Dict[str, List[int]]
#: What SentencePiece writes for a blank
_BLANK = "\u2581"


class _Encoded(NamedTuple):
    ids: List[int]
    marks: Tuple[int, int]
    lost_words: bool
    lost_mention: bool


def tokenize(
    instances: Sequence[Instance], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Tuple[PairBatch, Shortened]:
    """Compose the ids of the input and of every description of P instances.

    Each sequence is [CLS] pieces [SEP], at most max_length long. Of a text that is too long context goes first, evenly
    on both sides, then the words farthest from both mentions, then the middles of the mentions. Of a description only
    the middles of the mentions go, the template stays.
    """
    texts = _Distinct()
    descriptions = _Distinct()
    text_index = [texts.add(instance.text) for instance in instances]
    rows = [[[descriptions.add(d) for d in described] for described in instance.descriptions] for instance in instances]
    pieces = _cut(tokenizer, (text for distinct in (texts, descriptions) for text in distinct.items))
    text_sequences = [_encode(text, pieces, tokenizer, max_length, False) for text in texts.items]
    description_sequences = [_encode(text, pieces, tokenizer, max_length, True) for text in descriptions.items]
    batch = PairBatch(
        texts=_to_sequences(text_sequences),
        descriptions=_to_sequences(description_sequences),
        text_index=numpy.asarray(text_index, dtype="int64"),
        description_index=_pad(rows),
    )
    encoded = text_sequences + description_sequences
    return batch, Shortened(len(encoded), sum(e.lost_words for e in encoded), sum(e.lost_mention for e in encoded))


class _Distinct:
    """Numbers texts by first appearance; equal ones share a number."""

    def __init__(self) -> None:
        self._numbers: Dict[MarkedText, int] = {}

    def add(self, text: MarkedText) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def items(self) -> List[MarkedText]:
        return list(self._numbers)


def _cut(tokenizer: PreTrainedTokenizerBase, texts: Iterable[MarkedText]) -> Pieces:
    words = sorted({word for text in texts for word in text.words})
    if not words:
        return {}
    # Words of the text that look like special tokens are words all the same.
    encoded = tokenizer(
        words,
        add_special_tokens=False,
        split_special_tokens=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    pieces = dict(zip(words, encoded["input_ids"]))
    return {word: cut if word.startswith(" ") else _without_blank(tokenizer, cut) for word, cut in pieces.items()}


def _without_blank(tokenizer: PreTrainedTokenizerBase, cut: List[int]) -> List[int]:
    """The pieces of a word that stands at the start or right behind another one.

    Tokenizers of the SentencePiece kind put a blank before every text, and so before each word that is cut alone.
    """
    first = tokenizer.convert_ids_to_tokens(cut[0]) if cut else ""
    if not first.startswith(_BLANK):
        return cut
    rest = first[len(_BLANK) :]
    if not rest:
        return cut[1:]
    bare = tokenizer.convert_tokens_to_ids(rest)
    return cut if bare is None or bare == tokenizer.unk_token_id else [bare, *cut[1:]]


def _encode(
    text: MarkedText, pieces: Pieces, tokenizer: PreTrainedTokenizerBase, max_length: int, keep_template: bool
) -> _Encoded:
    cut = [pieces[word] for word in text.words]
    budget = max_length - 2 - 2 * len(text.marks)
    lost_words = lost_mention = False
    if sum(map(len, cut)) > budget:
        cut, lost_words, lost_mention = _shorten(text, cut, budget, keep_template)
    ids = [tokenizer.cls_token_id]
    first: Dict[int, int] = {}
    done = 0
    for position, token in marker_events(text.marks):
        for word in cut[done:position]:
            ids.extend(word)
        done = position
        marker = tokenizer.convert_tokens_to_ids(token)
        first.setdefault(marker, len(ids))
        ids.append(marker)
    for word in cut[done:]:
        ids.extend(word)
    ids.append(tokenizer.sep_token_id)
    starts = {mark.role: tokenizer.convert_tokens_to_ids(start_marker(mark.role, mark.type)) for mark in text.marks}
    return _Encoded(ids, (first[starts[SUBJECT]], first[starts[OBJECT]]), lost_words, lost_mention)


def _shorten(
    text: MarkedText, cut: List[List[int]], budget: int, keep_template: bool
) -> Tuple[List[List[int]], bool, bool]:
    """Keep the budget's worth of pieces that matter most; says too whether other words of the core and of a mention
    were lost.
    """
    word_of = numpy.repeat(numpy.arange(len(cut)), [len(word) for word in cut])
    position = numpy.arange(len(word_of))
    core = (word_of >= text.core[0]) & (word_of < text.core[1])
    within = numpy.zeros(len(word_of), dtype=bool)
    to_mention = numpy.full(len(word_of), len(word_of))
    from_edge = numpy.full(len(word_of), len(word_of))
    for mark in text.marks:
        inside = (word_of >= mark.start) & (word_of < mark.end)
        within |= inside
        start, end = numpy.searchsorted(word_of, (mark.start, mark.end))
        to_mention = numpy.minimum(to_mention, numpy.maximum(start - position, position - end + 1).clip(0))
        edge = numpy.minimum(position - start, end - 1 - position)
        from_edge = numpy.where(inside, numpy.minimum(from_edge, edge), from_edge)
    start, end = numpy.searchsorted(word_of, text.core)
    to_core = numpy.maximum(start - position, position - end + 1).clip(0)
    mention_class, core_class = (1, 0) if keep_template else (0, 1)
    rank = numpy.where(within, mention_class, numpy.where(core, core_class, 2))
    distance = numpy.where(within, from_edge, numpy.where(core, to_mention, to_core))
    kept = numpy.zeros(len(word_of), dtype=bool)
    kept[numpy.lexsort((position, distance, rank))[: max(budget, 0)]] = True
    shortened: List[List[int]] = [[] for _ in cut]
    flat = [piece for word in cut for piece in word]
    for i in numpy.flatnonzero(kept):
        shortened[word_of[i]].append(flat[i])
    return shortened, bool((~kept & core).any()), bool((~kept & within).any())


def _to_sequences(encoded: Sequence[_Encoded]) -> Sequences:
    return Sequences(
        ids=numpy.asarray([i for sequence in encoded for i in sequence.ids], dtype="int64"),
        lengths=numpy.asarray([len(sequence.ids) for sequence in encoded], dtype="int64"),
        marks=numpy.asarray([sequence.marks for sequence in encoded], dtype="int64").reshape(-1, 2),
    )


def _pad(rows: List[List[List[int]]]) -> numpy.ndarray:
    """(P, L, K) from nested lists, -1 where there is no template."""
    widest = max((len(described) for row in rows for described in row), default=1) or 1
    padded = [[described + [-1] * (widest - len(described)) for described in row] for row in rows]
    n_labels = len(rows[0]) if rows else 0
    return numpy.asarray(padded, dtype="int64").reshape(len(rows), n_labels, widest)
