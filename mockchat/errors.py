"""The one tree of exceptions; fields first, the text is built when it is read.

Every class pickles (pytest-xdist sends failures between processes) and says in `__str__`: the fact
with its value, where it is, closest first, and in one sentence what to do.
"""


class MockchatError(Exception):
    """Anything mockchat raises on purpose."""


class BadArgument(MockchatError, ValueError):
    """An argument, option or setting has a value that is not allowed.

    Args:
        name: The argument as the caller wrote it.
        value: What was given.
        allowed: What would have been accepted, in words.
        suggestion: The closest allowed value, if one is close.
    """

    def __init__(
        self, name: str, value: object, allowed: str, suggestion: str | None = None
    ) -> None:
        super().__init__(name, value, allowed, suggestion)
        self.name = name
        self.value = value
        self.allowed = allowed
        self.suggestion = suggestion

    def __str__(self) -> str:
        hint = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{self.name} is {self.value!r}; allowed: {self.allowed}.{hint}"


class UnknownProfile(MockchatError, LookupError):
    """A profile name that no schema folder has.

    Args:
        name: The name asked for.
        known: The names that exist, in order.
        suggestion: The closest of them, if one is close.
    """

    def __init__(self, name: str, known: tuple[str, ...], suggestion: str | None = None) -> None:
        super().__init__(name, known, suggestion)
        self.name = name
        self.known = known
        self.suggestion = suggestion

    def __str__(self) -> str:
        hint = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"no profile {self.name!r}; known: {', '.join(self.known) or 'none'}.{hint}"


class BrokenProfile(MockchatError, ValueError):
    """A profile folder that cannot be read as a contract.

    Args:
        path: The file at fault.
        pointer: JSON Pointer into it, "" for the whole file.
        problem: What is wrong, in one sentence.
    """

    def __init__(self, path: str, pointer: str, problem: str) -> None:
        super().__init__(path, pointer, problem)
        self.path = path
        self.pointer = pointer
        self.problem = problem

    def __str__(self) -> str:
        at = f" at {self.pointer}" if self.pointer else ""
        return f"{self.path}{at}: {self.problem}"


class ImpossibleSchema(MockchatError, ValueError):
    """A schema for which no value can be made.

    Args:
        pointer: JSON Pointer into the schema, where the trouble is.
        reason: Why: unsatisfiable, too large, not a schema, or not supported.
    """

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(pointer, reason)
        self.pointer = pointer
        self.reason = reason

    def __str__(self) -> str:
        return f"no value can be made for the schema at {self.pointer or '/'}: {self.reason}"
