"""The items of faults: every named fault, told by how an exchange has its fault written."""

import re
from collections import defaultdict

from mockchat.scripting.fault_list import stream_faults

_NAMED = re.compile(r"stream_fault\('([^']+)'\)")
_PERHAPS = "sometimes("
_TOGETHER = "together("


class FaultItems:
    """Every named fault.

    Attributes:
        ids: The ids of the items.
        meanings: What each of them is, in words.
    """

    def __init__(self) -> None:
        faults = stream_faults()
        self.meanings = {f"fault/{fault.name}": fault.meaning for fault in faults}
        self.ids = list(self.meanings)
        self._by_code = {repr(fault.fault): f"fault/{fault.name}" for fault in faults}
        by_class = defaultdict(list)
        for fault in faults:
            by_class[_class(repr(fault.fault))].append(f"fault/{fault.name}")
        self._by_class = {name: ids[0] for name, ids in by_class.items() if len(ids) == 1}

    def mark(self, written: str, marks: set[str]) -> None:
        """Add the fault of an exchange, as its test wrote it.

        One without a name counts as the named one of its kind, where there is only one. Of a fault
        that happens `sometimes` nobody can tell whether it did.
        """
        if _PERHAPS in written:
            return
        names = _NAMED.findall(written)
        marks.update(item for name in names if (item := f"fault/{name}") in self.meanings)
        if not names or not written.startswith(_TOGETHER):
            alike = self._by_code.get(written) or self._by_class.get(_class(written))
            if alike is not None:
                marks.add(alike)


def _class(code: str) -> str:
    return code.partition("(")[0]
