"""A small pattern language for number plates, and the automaton of one.

It is a part of regular expressions: letters, digits, ``[A-HJ-NP-Z]``, ``\\d``, groups, ``|``, ``?``, ``*``, ``+`` and
``{n,m}``; hyphens and spaces count for nothing, as in cleaned text. The automaton is Glushkov's: one state for each
character of the pattern, and a text is matched by walking all states at once, so no text takes longer than its length
times the size of the pattern, whatever either holds. The decoder of the reader walks the same automaton.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

DIGITS: Final = string.digits
LETTERS: Final = string.ascii_uppercase
ALPHABET: Final = DIGITS + LETTERS
SEPARATORS: Final = " -"
MOST_COPIES: Final = 20
"""Largest number in ``{n,m}``: no plate has more characters."""

MOST_KNOWN: Final = 4096
"""Sets of states whose successors an automaton remembers."""


class PatternError(ValueError):
    """A pattern that cannot be used; ``code`` says why, the text says what to write instead."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Automaton:
    """States are the characters of a pattern, numbered from 0.

    ``takes[s]`` are the characters that state ``s`` stands for, ``follow[s]`` the states that may come next, ``first``
    those a text may begin with, ``last`` those it may end with. Sets of states are bits of an integer.
    """

    takes: tuple[str, ...]
    follow: tuple[int, ...]
    first: int
    last: int
    takers: dict[str, int]
    _known: dict[int, int] = field(default_factory=dict, compare=False, repr=False)

    def matches(self, text: str) -> bool:
        """Whether the whole text is one of the pattern's. An empty text never is."""
        at, ahead = 0, self.first
        for letter in text:
            at = ahead & self.takers.get(letter, 0)
            if not at:
                return False
            ahead = self._after(at)
        return bool(at & self.last)

    def matches_nearly(self, text: str, lookalikes: dict[str, str]) -> bool:
        """Whether the whole text is one of the pattern's once at most one character is changed for a look-alike."""
        exact_ahead, changed_ahead, exact, changed = self.first, 0, 0, 0
        for letter in text:
            takers = self.takers.get(letter, 0)
            others = 0
            for other in lookalikes.get(letter, ""):
                others |= self.takers.get(other, 0)
            exact, changed = exact_ahead & takers, (changed_ahead & takers) | (exact_ahead & others)
            if not exact | changed:
                return False
            exact_ahead, changed_ahead = self._after(exact), self._after(changed)
        return bool((exact | changed) & self.last)

    def example(self, alphabet: str = ALPHABET) -> str | None:
        """Return a shortest text of the pattern that only uses ``alphabet``; None when it has none."""
        texts = {state: letter for state in bits(self.first) if (letter := self._letter(state, alphabet))}
        seen = set(texts)
        while texts:
            for state, text in texts.items():
                if self.last >> state & 1:
                    return text
            longer: dict[int, str] = {}
            for state, text in texts.items():
                for after in bits(self.follow[state]):
                    if after not in seen and (letter := self._letter(after, alphabet)):
                        seen.add(after)
                        longer[after] = text + letter
            texts = longer
        return None

    def _letter(self, state: int, alphabet: str) -> str:
        return next((letter for letter in self.takes[state] if letter in alphabet), "")

    def _after(self, states: int) -> int:
        """Return the states that may come next; what was worked out once is remembered, up to a bound."""
        ahead = self._known.get(states)
        if ahead is None:
            ahead = _union(self.follow[state] for state in bits(states))
            if len(self._known) < MOST_KNOWN:
                self._known[states] = ahead
        return ahead


def bits(states: int) -> Iterator[int]:
    """Yield the numbers of the states in a set, the lowest first."""
    while states:
        low = states & -states
        yield low.bit_length() - 1
        states ^= low


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a pattern as Glushkov's construction needs it. ``is_simple``: nothing in it repeats or branches."""

    first: int = 0
    last: int = 0
    is_nullable: bool = True
    is_simple: bool = True
    has_loop: bool = False


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of a pattern as it was written: one of a class of characters, a sequence, or a choice; and how often."""

    takes: str = ""
    parts: tuple[_Node, ...] = ()
    is_choice: bool = False
    least: int = 1
    most: int | None = 1

    @property
    def is_repeated(self) -> bool:
        return (self.least, self.most) != (1, 1)


def compile_pattern(pattern: str, *, most_states: int) -> Automaton:
    """Return the automaton of a pattern. Raises `PatternError`.

    Codes: ``not_closed``, ``not_supported``, ``foreign_characters``, ``bad_range``, ``bad_count``, ``empty``,
    ``nothing_to_repeat``, ``too_large``, and ``can_run_away``: a repetition without end of what repeats or branches.
    """
    node = _Parser(pattern).parse()
    return _Builder(most_states).build(node)


class _Parser:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        text = pattern.strip()
        text = text.removeprefix("^").removeprefix("\\A")
        self._text = text.removesuffix("$").removesuffix("\\Z").removesuffix("\\z")
        self._at = 0

    def parse(self) -> _Node:
        node = self._choice()
        if self._at < len(self._text):
            raise PatternError("not_closed", "There is a ) without its (.")
        return node

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _choice(self) -> _Node:
        ways = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            ways.append(self._sequence())
        return ways[0] if len(ways) == 1 else _Node(parts=tuple(ways), is_choice=True)

    def _sequence(self) -> _Node:
        parts = []
        while (letter := self._peek()) and letter not in "|)":
            item = self._item()
            least, most = self._count()
            if item is not None:
                parts.append(
                    _Node(item.takes, item.parts, item.is_choice, least, most) if most != 1 or least != 1 else item
                )
        return _Node(parts=tuple(parts))

    def _item(self) -> _Node | None:
        """Read one item; None for a hyphen or a space, which counts for nothing."""
        letter = self._peek()
        if letter == "(":
            return self._group()
        self._at += 1
        if letter == "[":
            takes = self._class()
            return _Node(takes) if takes else None
        if letter == "\\":
            return self._escape()
        if letter in SEPARATORS:
            return None
        if letter == ".":
            raise PatternError("not_supported", "A dot takes anything: write [A-Z0-9].")
        if letter in "*+?{":
            raise PatternError("nothing_to_repeat", f"There is nothing before {letter} that it could repeat.")
        if letter in "^$":
            raise PatternError("not_supported", f"{letter} stands only at the ends of a pattern.")
        return _Node(_plain(letter))

    def _escape(self) -> _Node | None:
        letter = self._peek()
        self._at += 1
        if letter == "d":
            return _Node(DIGITS)
        if letter == "s" or (letter and letter in SEPARATORS):
            return None
        raise PatternError("not_supported", f"\\{letter} has no meaning here: write letters, digits and [A-Z].")

    def _group(self) -> _Node:
        self._at += 1
        if self._text.startswith("?:", self._at):
            self._at += 2
        elif self._peek() == "?":
            raise PatternError("not_supported", "Only plain groups are possible: ( ) or (?: ).")
        node = self._choice()
        if self._peek() != ")":
            raise PatternError("not_closed", "There is a ( without its ).")
        self._at += 1
        return node

    def _class(self) -> str:
        end = self._text.find("]", self._at)
        if end < 0:
            raise PatternError("not_closed", "There is a [ without its ].")
        body = self._text[self._at : end]
        self._at = end + 1
        if body.startswith("^"):
            raise PatternError("not_supported", "Say which characters are meant, not which are not.")
        if not body:
            raise PatternError("empty", "[] takes no character.")
        body = body.replace("\\d", "0-9").replace("\\s", " ").replace("\\-", " ")
        takes: set[str] = set()
        for low, high, single in re.findall(r"([^-\s])-([^-\s])|(.)", body, re.DOTALL):
            takes |= {single} if single else _range(low, high)
        kept = {_plain(letter) for letter in takes if letter not in SEPARATORS}
        return "".join(sorted(kept))

    def _count(self) -> tuple[int, int | None]:
        """Read how often the item before comes; refuse a second count after the first."""
        found = self._one_count()
        if found is None:
            return 1, 1
        if self._peek() and self._peek() in "?*+{":
            raise PatternError("can_run_away", "One repetition after another: write a single {n,m}.")
        return found

    def _one_count(self) -> tuple[int, int | None] | None:
        letter = self._peek()
        simple = {"?": (0, 1), "*": (0, None), "+": (1, None)}
        if letter and letter in simple:
            self._at += 1
            return simple[letter]
        if letter != "{":
            return None
        match = re.compile(r"\{([0-9]{1,4})(,([0-9]{0,4}))?\}").match(self._text, self._at)
        if match is None:
            raise PatternError("bad_count", "A count is written {4} or {1,4}.")
        self._at = match.end()
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        if max(least, most or 0) > MOST_COPIES or most == 0 or (most is not None and most < least):
            raise PatternError(
                "bad_count", f"{match[0]} is no count: {{n,m}} with n ≤ m and m from 1 to {MOST_COPIES}."
            )
        return least, most


def _plain(letter: str) -> str:
    if not letter.isascii():
        raise PatternError("foreign_characters", f"{letter!r} is of another alphabet.")
    if not letter.isalnum():
        raise PatternError("not_supported", f"{letter!r} stands on no plate: write letters, digits and [A-Z].")
    return letter.upper()


def _range(low: str, high: str) -> set[str]:
    low, high = _plain(low), _plain(high)
    if low > high or low.isdigit() != high.isdigit():
        raise PatternError("bad_range", f"{low}-{high} is no range: both ends are letters, or both digits, in order.")
    return set(ALPHABET[ALPHABET.index(low) : ALPHABET.index(high) + 1])


class _Builder:
    """Makes Glushkov's automaton of a parsed pattern."""

    def __init__(self, most_states: int) -> None:
        self._most = most_states
        self._takes: list[str] = []
        self._follow: list[int] = []

    def build(self, node: _Node) -> Automaton:
        whole = self._place(node)
        if not self._takes or whole.is_nullable:
            raise PatternError("empty", "The pattern takes an empty text.")
        takers: dict[str, int] = {}
        for state, takes in enumerate(self._takes):
            for letter in takes:
                takers[letter] = takers.get(letter, 0) | 1 << state
        return Automaton(tuple(self._takes), tuple(self._follow), whole.first, whole.last, takers)

    def _place(self, node: _Node) -> _Piece:
        if not node.is_repeated:
            return self._once(node)
        if node.most is None:
            return self._without_end(node)
        piece = _Piece()
        for number in range(node.most):
            copy = self._once(node)
            if copy.has_loop:
                raise _runs_away()
            optional = _Piece(copy.first, copy.last, copy.is_nullable or number >= node.least, is_simple=False)
            piece = self._joined(piece, optional)
        return piece

    def _without_end(self, node: _Node) -> _Piece:
        piece = _Piece()
        for _ in range(max(0, node.least - 1)):
            piece = self._joined(piece, self._once(node))
        loop = self._once(node)
        if not loop.is_simple:
            raise _runs_away()
        self._link(loop.last, loop.first)
        loop = _Piece(loop.first, loop.last, node.least == 0, is_simple=False, has_loop=True)
        return self._joined(piece, loop)

    def _once(self, node: _Node) -> _Piece:
        if node.takes:
            return self._state(node.takes)
        pieces = [self._place(part) for part in node.parts]
        if node.is_choice:
            return _Piece(
                _union(piece.first for piece in pieces),
                _union(piece.last for piece in pieces),
                any(piece.is_nullable for piece in pieces),
                is_simple=False,
                has_loop=any(piece.has_loop for piece in pieces),
            )
        whole = _Piece()
        for piece in pieces:
            whole = self._joined(whole, piece)
        return whole

    def _state(self, takes: str) -> _Piece:
        if len(self._takes) >= self._most:
            raise PatternError("too_large", f"The pattern has more than {self._most} characters when written out.")
        self._takes.append(takes)
        self._follow.append(0)
        mine = 1 << len(self._takes) - 1
        return _Piece(mine, mine, is_nullable=False)

    def _joined(self, before: _Piece, after: _Piece) -> _Piece:
        self._link(before.last, after.first)
        return _Piece(
            before.first | (after.first if before.is_nullable else 0),
            after.last | (before.last if after.is_nullable else 0),
            before.is_nullable and after.is_nullable,
            before.is_simple and after.is_simple,
            before.has_loop or after.has_loop,
        )

    def _link(self, these: int, those: int) -> None:
        for state in bits(these):
            self._follow[state] |= those


def _union(sets: Iterator[int]) -> int:
    joined = 0
    for states in sets:
        joined |= states
    return joined


def _runs_away() -> PatternError:
    return PatternError(
        "can_run_away", "A repetition inside a repetition can go on for ever: write how often at most, as in {1,4}."
    )
