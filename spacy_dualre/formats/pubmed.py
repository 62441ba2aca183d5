"""PubMed's XML (PubmedArticleSet): title and abstract of each article or book, with its PMID as id.

The text is the title and the sections of the abstract, joined by blanks; "LABEL: " stands before a section that has a
label other than UNLABELLED. A sentence starts at each.

Source: https://dtd.nlm.nih.gov/ncbi/pubmed/doc/out/190101/.
"""

from typing import Any, Iterator, List

from ..errors import Errors
from ..records.record import Document, Place, Record, attempt
from . import Format
from .elements import read_elements
from .files import Source


def stream(source: Source) -> Iterator[Document]:
    """One document for each article or book."""
    with source.open() as file:
        for place, element in read_elements(file, source.path, "PubmedArticle", "PubmedBookArticle"):
            yield attempt(_record, element, place)


def _record(article: Any, place: Place) -> Record:
    citation = article.find("MedlineCitation")
    citation = article.find("BookDocument") if citation is None else citation
    pmid = (citation.findtext("PMID") or "").strip() if citation is not None else ""
    if not pmid:
        raise place.error(Errors.DR360, tag=article.tag)
    texts = _texts(citation)
    if not texts:
        raise place.error(Errors.DR361, id=pmid)
    breaks = tuple(sum(len(text) + 1 for text in texts[:number]) for number in range(1, len(texts)))
    return Record(pmid, " ".join(texts), place, breaks=breaks, mentions_given=False)


def _texts(citation: Any) -> List[str]:
    holder = citation.find("Article")
    holder = citation if holder is None else holder
    titles = [_text(title) for title in holder.findall("ArticleTitle")]
    titles = titles or [_text(title) for title in holder.findall("Book/BookTitle")]
    return [text for text in [*titles, *map(_section, holder.iterfind("Abstract/AbstractText"))] if text]


def _section(element: Any) -> str:
    label, text = element.get("Label", ""), _text(element)
    return f"{label}: {text}" if label and text and label != "UNLABELLED" else text


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


FORMATS = {"pubmed": Format(stream=stream, inputs={".xml": b"<Pubmed"})}
