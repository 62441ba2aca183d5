"""The mentions that arguments of relations refer to."""

from dataclasses import replace
from itertools import count
from typing import Dict, Iterable, List, Optional, Set, Tuple

from .record import MentionRecord, Record


class Arguments:
    """Finds a record's mentions by the offsets, type, id and concepts of an argument.

    Args:
        record: The record to which mentions are added.
        given_ids: The mentions' own ids, which are never generated for another mention.
    """

    def __init__(self, record: Record, given_ids: Iterable[Optional[str]]) -> None:
        self.record = record
        self.taken = set(filter(None, given_ids))
        self.ids: Set[str] = set()
        self.at: Dict[Tuple[int, int, str], List[MentionRecord]] = {}

    def add(self, mention: MentionRecord, text: Optional[str] = None) -> str:
        """Add a mention, or drop one that cannot be used, and return its id, generated if it has none."""
        mention = replace(mention, id=mention.id or free_id(*mention.key, self.taken))
        self.taken.add(mention.id)
        if mention.id not in self.ids:
            self.ids.add(mention.id)
            self.at.setdefault(mention.key, []).append(mention)
        self.record.add_mention(mention, text=text)
        return mention.id

    def id_of(self, argument: MentionRecord) -> str:
        """The id of the mention that an argument refers to.

        If there is none, or only mentions of other concepts, the argument is added as a mention.
        """
        same = [one.id for one in self.at.get(argument.key, ()) if argument.concepts in ((), one.concepts)]
        if not same:
            id = "" if argument.id in self.ids else argument.id
            return self.add(replace(argument, id=id, listed=False))
        return argument.id if argument.id in same else same[0]


def free_id(start: int, end: int, type: str, taken: Iterable[str]) -> str:
    """An id for a mention without one: "start-end-type", numbered if that is taken."""
    id = default = f"{start}-{end}-{type}"
    numbers = count(2)
    while id in taken:
        id = f"{default}-{next(numbers)}"
    return id
