"""PubMed's XML (PubmedArticleSet): title and abstract of each article or book, with its PMID as id.

Each section of the abstract is the start of a sentence and follows its label, as "LABEL: ", other than UNLABELLED.
Source: https://dtd.nlm.nih.gov/ncbi/pubmed/doc/out/190101/.
"""

from itertools import accumulate
from typing import Any, Iterator

from ..errors import Errors
from ..records.record import Document, Place, Record, attempt
from . import Format
from .files import Source, read_elements


def stream(source: Source) -> Iterator[Document]:
    """Stream one document for each article or book."""
    with source.open() as file:
        for place, element in read_elements(file, source.path, "PubmedArticle", "PubmedBookArticle"):
            yield attempt(_record, element, place)


def _record(article: Any, place: Place) -> Record:
    citation = article.find("MedlineCitation")
    citation = article.find("BookDocument") if citation is None else citation
    pmid = (citation.findtext("PMID") or "").strip() if citation is not None else ""
    if not pmid:
        raise place.error(Errors.DR360, tag=article.tag)
    content = citation.find("Article")
    content = citation if content is None else content
    titles = content.findall("ArticleTitle") or content.findall("Book/BookTitle")
    texts = [*map(_text, titles), *map(_section, content.iterfind("Abstract/AbstractText"))]
    texts = [text for text in texts if text]
    if not texts:
        raise place.error(Errors.DR361, id=pmid)
    breaks = tuple(accumulate(len(text) + 1 for text in texts[:-1]))
    return Record(pmid, " ".join(texts), place, breaks=breaks, mentions_given=False)


def _section(element: Any) -> str:
    label, text = element.get("Label", ""), _text(element)
    return f"{label}: {text}" if label and text and label != "UNLABELLED" else text


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


FORMATS = {"pubmed": Format(stream=stream, inputs={".xml": b"<Pubmed"})}
