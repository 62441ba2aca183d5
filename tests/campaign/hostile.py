"""Hostile strings as texts, types, predicates, identifiers and descriptions: pictures, pages, reports, cards, graphs.

Nothing of them may become an element or an attribute: what is written has the elements that harmless strings of the
same shape give.
"""

import csv
import json
import re
import shutil
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

import networkx
import rdflib
import spacy
from helpers.graphs import document, merge
from helpers.pipelines import NAME
from lxml import etree
from markdown_it import MarkdownIt
from spacy.language import Language
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_dualre import Relation
from spacy_dualre.graph import KnowledgeGraph, write
from spacy_dualre.graph.writers import csv_paths
from spacy_dualre.pipeline.pipelines import load_pipeline
from spacy_dualre.training.reader import copy_mentions
from spacy_dualre.views import explain, model_card, render, write_report

from .ground import Ground
from .strings import choose, enclosed, harmless, make_doc
from .trials import Attempt, Campaign, Trial

#: Elements with the names of their attributes.
Shape = Counter
#: What XML cannot hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Elements that only make a text look different.
_LOOKS = {"em", "strong", "code", "p", "br"}


def campaigns(ground: Ground, seed: int, strings: int) -> List[Campaign]:
    """So many strings for each kind of output."""
    makers: Dict[str, Tuple[str, Callable]] = {
        "render": ("render: HTML and SVG", _render),
        "graph": ("graph: page, GraphML, RDF, CSV, JSON", _graph),
        "views": ("explain, report, card, to_disk", partial(_views, ground)),
    }
    found = [
        Campaign(f"hostile-{name}", what, partial(trials, name, run, seed, strings), 30, 2000)
        for name, (what, run) in makers.items()
    ]
    skipped = "" if find_browser() else "no Chromium"
    in_browser = partial(trials, "browser", _in_browser, seed, strings)
    return [*found, Campaign("hostile-browser", "pages in Chromium", in_browser, 120, skipped=skipped)]


def trials(name: str, run: Callable[[str, Attempt], Any], seed: int, strings: int) -> Iterator[Trial]:
    """A trial for each string."""
    for kind, text in choose(Random(seed), strings):
        yield Trial(f"hostile-{name}/{kind}", partial(_with_text, run, text))


def _with_text(run: Callable[[str, Attempt], Any], text: str, attempt: Attempt) -> None:
    attempt.tell(ascii(text))
    run(text, attempt)


# Pictures


def _render(text: str, attempt: Attempt) -> None:
    drawn, expected = (_drawn(one, page=False) for one in (text, harmless(text)))
    assert_same_shape(_shape(_xml(drawn)), _shape(_xml(expected)))
    assert_contains("".join(_xml(drawn).itertext()), enclosed(text))
    drawn, expected = (_drawn(one, page=True) for one in (text, harmless(text)))
    assert_same_shape(shape_of_html(drawn), shape_of_html(expected))


def _drawn(text: str, page: bool) -> str:
    # So wide that no line is broken
    options = {"width": 1e7}
    docs = [make_doc(Vocab(), text, number) for number in range(2)]
    return render(docs, page=page, jupyter=False, options=options) or ""


def _xml(html: str) -> Any:
    return etree.fromstring(f"<x>{html}</x>".encode(), etree.XMLParser(huge_tree=True))


def _shape(element: Any, without: str = "") -> Shape:
    return Counter(
        (one.tag, *sorted(one.attrib))
        for one in element.iter(etree.Element)
        if not without or one.tag == without or not any(parent.tag == without for parent in one.iterancestors())
    )


def parse_html(html: str) -> Tuple[Any, Set[str]]:
    """A page, and the kinds of errors in it."""
    parser = etree.HTMLParser(encoding="utf8", huge_tree=True)
    page = etree.fromstring(html.encode(), parser)
    return page, {error.type_name for error in parser.error_log}


def shape_of_html(html: str, without: str = "") -> Shape:
    """The elements of a page, and the errors in it."""
    page, errors = parse_html(html)
    return _shape(page, without) + Counter(("error", kind) for kind in errors)


def assert_same_shape(found: Shape, expected: Shape) -> None:
    """The same elements as often with the same attributes."""
    more, fewer = found - expected, expected - found
    assert not more and not fewer, f"elements that harmless strings do not give: {dict(more)}; missing: {dict(fewer)}"


def assert_contains(found: str, text: str) -> None:
    """A text is in another, whatever became of blanks and of what XML cannot hold."""
    one, other = (re.sub(r"\s|\ufffd|\0", "", _NOT_XML.sub("", value)) for value in (found, text))
    assert other in one, f"{ascii(text)} is not in what was written"


# Graphs


def _graph(text: str, attempt: Attempt) -> None:
    graph, expected = _merged(text), _merged(harmless(text))
    folder = attempt.folder
    for ending in (".html", ".graphml", ".ttl", ".nt", ".json", ".csv"):
        write(graph, folder / f"kg{ending}")
        write(expected, folder / f"harmless{ending}")
    names = {node.name: node.label for node in graph.nodes}
    html = (folder / "kg.html").read_text(encoding="utf8")
    assert_same_shape(shape_of_html(html), shape_of_html((folder / "harmless.html").read_text(encoding="utf8")))
    data = json.loads(parse_html(html)[0].findtext(".//script[@id='data']"))
    assert {node["label"] for node in data["nodes"]} == set(names.values()), "the page has other labels"
    values = json.loads((folder / "kg.json").read_text(encoding="utf8"))
    assert {node["id"]: node["label"] for node in values["nodes"]} == names, "JSON has other nodes"
    _check_graphml(folder, names, len(graph.edges))
    _check_rdf(folder, graph)
    _check_csv(folder, names, graph)


def _merged(text: str) -> KnowledgeGraph:
    # A comma would separate two identifiers
    own = enclosed(text.replace(",", ""))
    one, other, third = (
        (enclosed(f"{part}{text}"), enclosed(f"{part}{text}"), id) for part, id in (("a", ""), ("b", "C1"), ("a", own))
    )
    facts = [(one, enclosed(text), other, 0.5), (other, "BINDS", third, 0.25)]
    return merge([document(f"{number}{text}", *facts) for number in range(2)], symmetric=["BINDS"])


def _check_graphml(folder: Path, names: Dict[str, str], edges: int) -> None:
    shapes = [_shape(etree.parse(folder / f"{name}.graphml").getroot()) for name in ("kg", "harmless")]
    assert_same_shape(*shapes)
    network = networkx.read_graphml(folder / "kg.graphml", force_multigraph=True)
    found = {name: values["label"] for name, values in network.nodes(data=True)}
    expected = {_NOT_XML.sub("\ufffd", name): _NOT_XML.sub("\ufffd", label) for name, label in names.items()}
    assert found == expected, f"GraphML has other nodes: {found} instead of {expected}"
    assert network.number_of_edges() == edges


def _check_rdf(folder: Path, graph: KnowledgeGraph) -> None:
    turtle, ntriples = (rdflib.Graph().parse(folder / f"kg.{ending}") for ending in ("ttl", "nt"))
    assert set(turtle) == set(ntriples), "Turtle and N-Triples differ"
    assert len(turtle) == len(rdflib.Graph().parse(folder / "harmless.ttl"))
    labels = {str(label) for label in turtle.objects(None, rdflib.RDFS.label)}
    assert labels == {node.label for node in graph.nodes} | {edge.predicate for edge in graph.edges}


def _check_csv(folder: Path, names: Dict[str, str], graph: KnowledgeGraph) -> None:
    rows = []
    for path in csv_paths(folder / "kg.csv"):
        with path.open(encoding="utf8", newline="") as file:
            rows.append(list(csv.DictReader(file)))
    nodes, edges = rows
    assert {row["id:ID"]: row["label"] for row in nodes} == names, "CSV has other nodes"
    assert [row[":TYPE"] for row in edges] == [edge.predicate for edge in graph.edges], "CSV has other relations"


# Views of a pipeline


def _views(ground: Ground, text: str, attempt: Attempt) -> None:
    made = [_initialized(ground, one) for one in (text, harmless(text))]
    if made[0] is None:
        return
    found, expected = (
        _written(nlp, one, attempt.folder / str(number))
        for number, (nlp, one) in enumerate(zip(made, (text, harmless(text))))
    )
    report, card = found
    assert_same_shape(shape_of_html(report, "svg"), shape_of_html(expected[0], "svg"))
    new = set(shape_of_html(report)) - set(shape_of_html(expected[0]))
    assert not new, f"elements that harmless strings do not give: {new}"
    # As a mention in a caption
    assert_contains("".join(parse_html(report)[0].itertext()), f"a{text}x")
    _check_card(card, expected[1], len(made[0].get_pipe(NAME).labels))


def _initialized(ground: Ground, text: str) -> Optional[Language]:
    """A pipeline whose predicates, types and descriptions are the text; None if it is refused with reason."""
    nlp = spacy.blank("xx")
    architecture = {"@architectures": "spacy-dualre.DualEncoder.v1", "name": str(ground.encoder)}
    nlp.add_pipe(NAME, config={"model": architecture, "threshold": 1.0})
    examples = _examples(nlp, text)
    labels = {rel.predicate for example in examples for rel in example.reference._.rels}
    descriptions = {label: f"{{subject}} and {{object}}: {text}" for label in sorted(labels)}
    try:
        nlp.get_pipe(NAME).initialize(lambda: examples, nlp=nlp, descriptions=descriptions)
    except ValueError as err:
        assert "[DR" in str(err), f"refused by an error that is not the package's: {err}"
        return None
    return nlp


def _examples(nlp: Language, text: str) -> List[Example]:
    docs = [make_doc(nlp.vocab, text, number) for number in range(2)]
    return [Example(copy_mentions(doc), doc) for doc in docs]


def _written(nlp: Language, text: str, folder: Path) -> Tuple[str, str]:
    """The report and the card of a pipeline, which also explains, is stored and loaded."""
    examples = _examples(nlp, text)
    for example in examples:
        example.predicted = nlp.get_pipe(NAME)(example.predicted)
        json.dumps([one.to_json() for one in explain(nlp, example.predicted)], allow_nan=False)
        # A mistake of each kind, whatever a random network finds
        first, second, *_ = example.predicted.ents
        predicate = example.reference._.rels[1].predicate
        example.predicted._.rels = [Relation(first, predicate, second, 0.9)]
    write_report(nlp, examples, folder)
    json.loads((folder / "report.json").read_text(encoding="utf8"))
    labels = nlp.get_pipe(NAME).labels
    scores = {label: {"p": 0.5, "r": 0.5, "f": 0.5} for label in labels}
    card = model_card(nlp, {"documents": 2, "rels_p": 0.5, "rels_r": 0.5, "rels_f": 0.5, "rels_per_type": scores})
    nlp.to_disk(folder / "pipeline")
    again = load_pipeline(folder / "pipeline").get_pipe(NAME)
    assert again.labels == labels and again.label_data == nlp.get_pipe(NAME).label_data, "labels differ once loaded"
    shutil.rmtree(folder / "pipeline")
    return (folder / "index.html").read_text(encoding="utf8"), card


def _check_card(card: str, expected: str, labels: int) -> None:
    """As HTML, a card has the expected elements, except for those that only change its looks, and a row for each label
    that says whether it is directed.
    """
    pages = [MarkdownIt("commonmark", {"html": True}).enable("table").render(text) for text in (card, expected)]
    page, other = (parse_html(f"<html><body>{html}</body></html>")[0] for html in pages)
    found, shape = (
        Counter({kind: n for kind, n in _shape(one).items() if kind[0] not in _LOOKS}) for one in (page, other)
    )
    assert not found - shape, f"in the card, elements that harmless strings do not give: {dict(found - shape)}"
    directed = [row.findtext("td[2]") for row in page.iter("tr") if len(row.findall("td")) == 3]
    assert directed.count("yes") == labels, f"in the card, the table of predicates is broken: {directed}"


# A browser


def find_browser() -> Optional[str]:
    """The path of a Chromium: one on the path, or playwright's own; None if there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def _in_browser(text: str, attempt: Attempt) -> None:
    """A dialog, an error or a message on the console, or a request to elsewhere is a failure."""
    from playwright.sync_api import sync_playwright

    page_path, graph_path = attempt.folder / "page.html", attempt.folder / "kg.html"
    page_path.write_text(_drawn(text, page=True), encoding="utf8")
    write(_merged(text), graph_path)
    wrong: List[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith("file") else None)
        for path in (page_path, graph_path):
            page.goto(path.as_uri())
            page.mouse.click(400, 300)
            page.wait_for_timeout(200)
        browser.close()
    assert not wrong, f"in the browser: {wrong}"
