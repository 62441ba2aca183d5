"""Words to ids of word pieces, every word cut once."""

from functools import cache
from itertools import accumulate, chain
from typing import Callable, Dict, Iterable, List, NamedTuple, Sequence

import numpy
from transformers import PreTrainedTokenizerBase

#: SentencePiece's sign for a blank
_BLANK = "\u2581"


class Cut(NamedTuple):
    """A text as piece ids; starts: (words + 1,) where each word's pieces begin, and the end of the last."""

    ids: numpy.ndarray
    starts: List[int]


class Pieces:
    """Cuts words with a tokenizer and remembers the pieces of this many; beyond that, remembering starts over."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, most_words: int = 50_000) -> None:
        self.tokenizer = tokenizer
        self.most_words = most_words
        self._words: Dict[str, List[int]] = {}
        #: The id of a marker
        self.marker: Callable[[str], int] = cache(tokenizer.convert_tokens_to_ids)

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
