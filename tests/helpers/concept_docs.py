"""Documents whose mentions have concepts, made by hand."""

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_dualre import Relation
from spacy_dualre.annotations.mentions import get_mentions

VOCAB = Vocab()


def doc_of(n_tokens, mentions, relations=()):
    """Tokens t0 t1 ...; mentions (start, end, type, kb_id) in a span group; relations by number of mention."""
    doc = Doc(VOCAB, words=[f"t{i}" for i in range(n_tokens)], sent_starts=[i == 0 for i in range(n_tokens)])
    doc.spans["m"] = [Span(doc, start, end, label=type, kb_id=id) for start, end, type, id in mentions]
    spans = doc.spans["m"]
    doc._.rels = [Relation(spans[s], predicate, spans[o]) for s, predicate, o in relations]
    return doc


def candidates_of(doc, policy, type_pairs=None):
    return list(policy(doc, get_mentions(doc, "m"), type_pairs))


def annotate(vocab, text, relations=()):
    """Sentences of words; a mention is word|TYPE|kb_id; relations (number of mention, predicate, number of mention)."""
    words = [word.split("|") for word in text.split()]
    starts = [i == 0 or words[i - 1][0] == "." for i in range(len(words))]
    doc = Doc(vocab, words=[word for word, *_ in words], sent_starts=starts)
    doc.ents = [Span(doc, i, i + 1, label=word[1], kb_id=word[2]) for i, word in enumerate(words) if len(word) > 1]
    doc._.rels = [Relation(doc.ents[s], predicate, doc.ents[o]) for s, predicate, o in relations]
    return doc
