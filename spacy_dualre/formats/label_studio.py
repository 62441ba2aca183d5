"""Label Studio's annotations of texts, as its export "JSON" has them, and tasks with predictions for it to import.
Offsets are code points.

Source: https://labelstud.io/guide/export, https://labelstud.io/guide/predictions, and the tags Labels and Relations.
"""

import json
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Dict, Iterable, Iterator, List, Literal, Optional, Set, Tuple, Union

from pydantic import BaseModel, BeforeValidator, RootModel

from ..errors import Errors
from ..records.record import MentionRecord, Place, Record, RelationRecord, as_corpus
from . import Format
from .files import count_lost_in_tools, parse_json, read_text, set_id, write_lines

_REGIONS = ("labels", "hypertextlabels")


class _Annotation(BaseModel):
    result: List[Dict[str, Any]]
    was_cancelled: bool = False


class _Task(BaseModel):
    id: Union[int, str, None] = None
    data: Dict[str, Any] = {}
    annotations: List[_Annotation] = []
    predictions: List[Any] = []


class _Tasks(RootModel):
    """A list of tasks, or one alone, as in cloud storage."""

    root: Annotated[List[_Task], BeforeValidator(lambda value: [value] if isinstance(value, dict) else value)]


class _Offsets(BaseModel):
    start: int
    end: int


class _Value(BaseModel):
    """In HTML, start and end are paths, with offsets in what is displayed beside them."""

    start: Union[int, str]
    end: Union[int, str]
    globalOffsets: Optional[_Offsets] = None
    text: Optional[str] = None
    labels: List[str] = []
    hypertextlabels: List[str] = []


class _Region(BaseModel):
    id: str
    to_name: str = ""
    value: _Value


class _Relation(BaseModel):
    from_id: str
    to_id: str
    direction: Literal["right", "left", "bi"] = "right"
    labels: Optional[List[str]] = None


def read(path: Path) -> Iterator[Record]:
    """Read an export. Every annotation that was not cancelled is a document; predictions are not taken.

    Mentions have the ids of their regions; further labels of a region make further mentions, and its relations are of
    the first. Each label of a relation is a predicate. Its id is ``id`` in a task's data or the task's; see `set_id`.
    The text is that in the data under the name of the tag, under "text", or the only one.
    """
    return as_corpus(path, "label-studio", _records(path))


def _records(path: Path) -> Iterator[Record]:
    place = Place(path)
    seen: Set[str] = set()
    tasks = parse_json(read_text(path), _Tasks, place).root
    not_taken: Counter = Counter()
    for task in tasks:
        submitted = [one for one in task.annotations if not one.was_cancelled]
        not_taken["predictions not taken"] += len(task.predictions)
        not_taken["annotations not taken: cancelled"] += len(task.annotations) - len(submitted)
        not_taken["tasks not taken: no annotation"] += not submitted
        task.annotations = submitted
    for number, task in enumerate(tasks, 1):
        if not task.data:
            raise place.error(Errors.DR348, number=number)
        for annotation in task.annotations:
            record = _record(task, annotation, number, place, seen)
            record.notes += not_taken
            not_taken.clear()
            yield record
    if not seen:
        raise place.error(Errors.DR358, n=len(tasks))


def _record(task: _Task, annotation: _Annotation, number: int, place: Place, seen: Set[str]) -> Record:
    typed = [(one.get("type"), one) for one in annotation.result]
    where = f"a result of task {number}"
    regions = [parse_json(one, _Region, place, where) for type, one in typed if type in _REGIONS]
    name = regions[0].to_name if regions else ""
    texts = [key for key, value in task.data.items() if isinstance(value, str) and key != "id"]
    named = [key for key in (name, "text") if key in texts]
    if not named and len(texts) != 1:
        raise place.error(Errors.DR349, number=number, keys=", ".join(task.data))
    key = (named or texts)[0]
    record = Record("", task.data[key], place)
    set_id(record, seen, number, task.data.get("id"), task.id)
    if len(task.data) > 1:
        record.meta["label-studio"] = {name: value for name, value in task.data.items() if name != key}
    for region in regions:
        _add_mentions(record, region, name)
    for type, one in typed:
        if type == "relation":
            _add_relations(record, parse_json(one, _Relation, place, where))
        elif type not in _REGIONS:
            record.notes[f"result of type {type!r} not read"] += 1
    return record


def _add_mentions(record: Record, region: _Region, name: str) -> None:
    where = region.value.globalOffsets or region.value
    if isinstance(where.start, str) or isinstance(where.end, str):
        record.drop("mention", "no offsets in characters", detail=f"mention {region.id}")
        return
    why = "" if region.to_name == name else "of another text of the task"
    labels = region.value.labels or region.value.hypertextlabels or [""]
    if len(labels) > 1:
        record.notes["region with several labels, a mention for each; its relations are of the first"] += 1
    for id, label in zip([region.id, *(f"{region.id}-{label}" for label in labels[1:])], labels):
        record.add_mention(MentionRecord(id, label, where.start, where.end), text=region.value.text, why=why)


def _add_relations(record: Record, relation: _Relation) -> None:
    subject, object = relation.from_id, relation.to_id
    if relation.direction == "left":
        subject, object = object, subject
    if relation.direction == "bi":
        record.notes["relation without direction"] += 1
    for label in relation.labels or [""]:
        record.add_relation(RelationRecord(label, subject, object))


def write(records: Iterable[Record], path: Path, lost: Counter) -> None:
    """Write tasks to import, each with a prediction, whose score is the lowest of its relations'."""
    tasks = (f"{',' * (number > 0)}{_task(record, lost)}" for number, record in enumerate(records))
    write_lines(path, chain("[", tasks, "]"))


def _task(record: Record, lost: Counter) -> str:
    count_lost_in_tools(record, lost)
    ids = {mention.id: f"m{number}" for number, mention in enumerate(record.mentions, 1)}
    result: List[Dict[str, Any]] = []
    for one in record.mentions:
        value = {"start": one.start, "end": one.end, "text": record.covered(one), "labels": [one.type]}
        result.append({"id": ids[one.id], "from_name": "label", "to_name": "text", "type": "labels", "value": value})
    # Label Studio takes one relation from a region to another
    labels: Dict[Tuple[str, str], List[str]] = {}
    for rel in record.relations:
        labels.setdefault((ids[rel.subject], ids[rel.object]), []).append(rel.predicate)
    for (start, end), names in labels.items():
        result.append({"type": "relation", "from_id": start, "to_id": end, "direction": "right", "labels": names})
    prediction: Dict[str, Any] = {"result": result}
    if record.relations:
        prediction["score"] = min(rel.score for rel in record.relations)
    if "model" in record.meta:
        prediction["model_version"] = f"{record.meta['model']} {record.meta.get('version', '')}".strip()
    return json.dumps({"data": {"id": record.id, "text": record.text}, "predictions": [prediction]}, ensure_ascii=False)


FORMATS = {"label-studio": Format(read, write=write)}
