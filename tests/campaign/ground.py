"""What campaigns work on: pipelines with random encoders, made once, and documents."""

import json
from pathlib import Path
from random import Random
from typing import Any, Dict, List

import spacy
from helpers.pipelines import DESCRIPTIONS, NAME, in_blocks, make_examples, save_bert
from spacy.language import Language

CHEMICALS = ["Aspirin", "Isoprenaline", "Propranolol", "losartan"]
GENES = ["COX-1", "ADRB1", "ADRB2", "AGTR1"]
_VERBS = ["inhibits", "activates", "does not bind", "is near"]


class Ground:
    """A folder with what several campaigns need.

    Attributes:
        encoder: A random encoder of one layer.
        pipeline: A pipeline on disk that finds mentions, and for each pair of them a relation.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.encoder = save_bert(folder / "encoder", lowercase=True)
        self.pipeline = folder / "pipeline"
        nlp = self.make_pipeline(threshold=0.0)
        patterns = [
            {"label": label, "pattern": text}
            for label, texts in (("CHEMICAL", CHEMICALS), ("GENE", GENES))
            for text in texts
        ]
        nlp.add_pipe("entity_ruler", first=True).add_patterns(patterns)
        nlp.add_pipe("sentencizer", first=True)
        nlp.to_disk(self.pipeline)
        # Damage must find the same bytes in any folder; the name of the encoder is not needed any more
        config = self.pipeline / "config.cfg"
        config.write_text(config.read_text(encoding="utf8").replace(str(self.encoder), "encoder"), encoding="utf8")

    def make_pipeline(self, model: Dict[str, Any] = {}, **settings: Any) -> Language:
        """An initialised pipeline with the component alone; settings as in `conftest.make_nlp`."""
        spacy.util.fix_random_seed(0)
        nlp = spacy.blank("xx")
        architecture = {"@architectures": "spacy-dualre.DualEncoder.v1", "name": str(self.encoder), **in_blocks(model)}
        nlp.add_pipe(NAME, config={"model": architecture, **settings})
        examples = make_examples(nlp.vocab)
        nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=DESCRIPTIONS)
        return nlp


def make_text(random: Random) -> str:
    """One to three sentences with mentions."""

    def sentence() -> str:
        return f"{random.choice(CHEMICALS)} {random.choice(_VERBS)} {random.choice(GENES)}, says {random.random()}."

    return " ".join(sentence() for _ in range(random.randint(1, 3)))


def make_lines(random: Random, n: int) -> List[str]:
    """Documents to extract from: most are texts alone, some have mentions, and some are damaged."""
    lines = []
    for number in range(n):
        document: Dict[str, Any] = {"id": f"D{number}", "text": make_text(random)}
        if number % 7 == 3:
            words = document["text"].split()
            end = document["text"].index(words[-1])
            mentions = [{"start": 0, "end": len(words[0]), "type": "CHEMICAL"}]
            document["mentions"] = [*mentions, {"start": end, "end": len(document["text"]) - 1, "type": "GENE"}]
        lines.append(json.dumps(document) if number % 11 != 5 else '{"txt": 1}')
    return lines
