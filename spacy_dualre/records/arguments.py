"""The mentions that arguments of relations refer to."""

from typing import Dict, Iterable, List, Optional, Tuple

from .record import MentionRecord, Offsets, Record, free_id

#: start, end, type
Key = Tuple[int, int, str]


class Arguments:
    """Finds a record's mentions by the offsets, type, id and concepts of an argument.

    Args:
        record: The record to which mentions are added.
        given_ids: The mentions' own ids, which are never generated for another mention.
    """

    def __init__(self, record: Record, given_ids: Iterable[Optional[str]]) -> None:
        self.record = record
        self.taken = set(filter(None, given_ids))
        self.by_id: Dict[str, MentionRecord] = {}
        self.at: Dict[Key, List[MentionRecord]] = {}

    def add(
        self,
        key: Key,
        id: Optional[str],
        concepts: Tuple[str, ...],
        parts: Tuple[Offsets, ...] = (),
        text: Optional[str] = None,
        listed: bool = True,
    ) -> str:
        """Add a mention, or drop one that cannot be used, and return its id, generated if it has none."""
        id = id or free_id(*key, self.taken)
        self.taken.add(id)
        start, end, type = key
        mention = MentionRecord(id, type, start, end, concepts, parts, listed)
        if id not in self.by_id:
            self.by_id[id] = mention
            self.at.setdefault(key, []).append(mention)
        self.record.add_mention(mention, text=text)
        return id

    def id_of(self, key: Key, id: Optional[str], concepts: Tuple[str, ...]) -> str:
        """The id of the mention that an argument refers to.

        If there is none, or only mentions of other concepts, the argument is added as a mention.
        """
        same = [mention.id for mention in self.at.get(key, ()) if concepts in ((), mention.concepts)]
        if id in same:
            return str(id)
        return same[0] if same else self.add(key, None if id in self.by_id else id, concepts, listed=False)
