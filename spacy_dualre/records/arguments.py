"""Which mentions the arguments of relations stand for."""

from typing import Dict, Iterable, List, Optional, Tuple

from .record import MentionRecord, Offsets, Record, free_id

#: start, end, type
Key = Tuple[int, int, str]


class Arguments:
    """The mentions of a record, found by what an argument says of itself.

    Args:
        record: Gets the mentions.
        given_ids: Ids that mentions bring along and that no other mention may be given.
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
        """Add a mention, or drop one that cannot be used, and return its id, which is made if there is none."""
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
        """The id of the mention that an argument stands for, which is added if there is none.

        An argument with other concepts than the mentions at its place, such as one of several, is one more mention.
        """
        same = [mention.id for mention in self.at.get(key, ()) if concepts in ((), mention.concepts)]
        if id in same:
            return str(id)
        return same[0] if same else self.add(key, None if id in self.by_id else id, concepts, listed=False)
