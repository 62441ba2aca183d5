"""Words to ids of word pieces, every word cut once."""

from functools import cache
from itertools import accumulate, chain, count
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import numpy
from transformers import PreTrainedTokenizerBase

from ..instances.markers import marker_tokens, type_words
from ..types import MarkedText

#: SentencePiece's sign for a blank
_BLANK = "\u2581"


class Cut(NamedTuple):
    """A text as piece ids; starts: (words + 1,) where each word's pieces begin, and the end of the last."""

    ids: numpy.ndarray
    starts: List[int]


class Pieces:
    """Cuts words with a tokenizer and remembers the pieces of this many; beyond that, remembering starts over.

    `first_marker` is the first id of a marker if markers are made of words, None if they are the tokenizer's tokens.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, most_words: int = 50_000, first_marker: Optional[int] = None
    ) -> None:
        self.tokenizer = tokenizer
        self.most_words = most_words
        self.first_marker = first_marker
        self._words: Dict[str, List[int]] = {}
        self._token: Callable[[str], int] = cache(tokenizer.convert_tokens_to_ids)

    def learn(self, texts: Iterable[Sequence[str]]) -> None:
        """Cut the new words of these texts in one call of the tokenizer; `cut` then knows all words."""
        words = set(chain.from_iterable(texts))
        if len(self._words) + len(words) > self.most_words:
            self._words.clear()
        new = sorted(words.difference(self._words))
        if not new:
            return
        # Words that look like special tokens are words all the same
        encoded = self.tokenizer(new, add_special_tokens=False, split_special_tokens=True, verbose=False)
        for word, pieces in zip(new, encoded["input_ids"]):
            self._words[word] = pieces if word.startswith(" ") else self._without_blank(pieces)

    def cut(self, words: Sequence[str]) -> Cut:
        """The pieces of known words."""
        cut = [self._words[word] for word in words]
        ids = numpy.fromiter(chain.from_iterable(cut), dtype="int64")
        return Cut(ids, [0, *accumulate(map(len, cut))])

    def markers(self, texts: Sequence[MarkedText]) -> Tuple[Dict[str, int], Optional[numpy.ndarray]]:
        """The id of each marker of the types in these texts.

        If markers are made of words, the ids hold for these texts alone: they count the types, as rows of (types, K)
        the pieces of each type's words, -1 beyond the last. Otherwise there are no such rows.
        """
        types = sorted({mark.type for text in texts for mark in text.marks})
        tokens = marker_tokens(types)
        if self.first_marker is None:
            return {token: self._token(token) for token in tokens}, None
        words = [f" {type_words(type)}" for type in types]
        self.learn([words])
        cut = [self._words[word] for word in words]
        pieces = numpy.full((len(cut), max(map(len, cut), default=0)), -1, dtype="int64")
        for row, ids in zip(pieces, cut):
            row[: len(ids)] = ids
        return dict(zip(tokens, count(self.first_marker))), pieces

    def _without_blank(self, cut: List[int]) -> List[int]:
        """Take away the blank that SentencePiece puts before every text, and so before each word that is cut alone."""
        first = self.tokenizer.convert_ids_to_tokens(cut[0]) if cut else ""
        if not first.startswith(_BLANK):
            return cut
        rest = first[len(_BLANK) :]
        if not rest:
            return cut[1:]
        bare = self.tokenizer.convert_tokens_to_ids(rest)
        return cut if bare is None or bare == self.tokenizer.unk_token_id else [bare, *cut[1:]]
