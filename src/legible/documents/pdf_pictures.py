"""Find the pictures that a PDF's page shows: in its content, in form XObjects at any depth, and inline."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import pikepdf

_OPERATORS = "q Q cm Do BI ID EI Tr Tj TJ ' \" g rg k sc scn cs"
_HIDDEN_TEXT = {3, 7}  # text rendering modes: invisible, and clipping only
_DEEPEST, _MOST_FORMS = 20, 2000  # of nested form XObjects: more are a mistake, or meant to do harm
LEAST_PX = 64  # on a side of a scan
_DARK = 0.5  # the most light of a stencil's colour that counts as ink


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture on a page, and where it is.

    image: its stream; for an inline picture, the dictionary that describes it.
    matrix: from the unit square, (0, 0) = lower left, to the page, in default user space.
    n_letters_above: how many visible letters are painted after it.
    dark: for a stencil mask, whether the colour it is painted in is dark.
    """

    image: Any
    matrix: pikepdf.Matrix
    is_inline: bool = False
    n_letters_above: int = 0
    dark: bool = True

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height in pixels; (0, 0) where they are not given."""
        return _whole(self.image, "/Width", "/W"), _whole(self.image, "/Height", "/H")

    @property
    def is_stencil(self) -> bool:
        """Whether it is a mask through which a colour is painted."""
        return bool(self._get("/ImageMask", "/IM"))

    @property
    def has_mask(self) -> bool:
        """Whether parts of it are transparent."""
        return any(isinstance(self._get(key), pikepdf.Stream) for key in ("/SMask", "/Mask"))

    @property
    def steps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """On the page: the upper left corner, and the steps of a pixel to the right and of one downwards."""
        a, b, c, d, e, f = _six(self.matrix)
        width, height = self.size_px
        return np.array([e + c, f + d]), np.array([a, b]) / max(width, 1), -np.array([c, d]) / max(height, 1)

    @property
    def corners(self) -> np.ndarray:
        """Its corners on the page, (4, 2), in turn around it."""
        a, b, c, d, e, f = _six(self.matrix)
        return np.array([[e, f], [e + a, f + b], [e + a + c, f + b + d], [e + c, f + d]], np.float32)

    def _get(self, *keys: str) -> Any:
        return next((self.image[key] for key in keys if key in self.image), None)


@dataclass(frozen=True)
class _State:
    """The part of the graphics state that says where pictures are and what is seen."""

    matrix: pikepdf.Matrix
    text_mode: int = 0
    dark: bool = True


@dataclass
class _Walk:
    """What was found so far on a page."""

    pictures: list[Picture] = field(default_factory=list)
    letters_before: list[int] = field(default_factory=list)  # how many letters came before each picture
    n_letters: int = 0
    n_forms: int = 0


def find_pictures(page: pikepdf.Page) -> list[Picture]:
    """The pictures on a page, in the order in which they are painted.

    Raises pikepdf.PdfError, or another error of pikepdf's, for content that cannot be read.
    """
    walk = _Walk()
    _search(walk, page.obj, page.obj, _State(pikepdf.Matrix()), ())
    if any(each.is_inline and min(each.size_px) >= LEAST_PX for each in walk.pictures):
        page.externalize_inline_images(min_size=0)
        walk = _Walk()
        _search(walk, page.obj, page.obj, _State(pikepdf.Matrix()), ())
    return [
        replace(picture, n_letters_above=walk.n_letters - before)
        for picture, before in zip(walk.pictures, walk.letters_before, strict=True)
    ]


def _search(walk: _Walk, owner: Any, page: Any, state: _State, above: tuple[Any, ...]) -> None:
    """Search a content stream. owner: the page or form XObject it belongs to. above: the forms around it."""
    if owner is page and "/Contents" not in page:
        return
    resources = _resources(owner, page)
    stack: list[_State] = []
    source = pikepdf.Page(page) if owner is page else owner
    for instruction in pikepdf.parse_content_stream(source, _OPERATORS):
        operands: Any = instruction.operands
        operator = instruction.operator
        name = str(operator)
        if name == "q":
            stack.append(state)
        elif name == "Q":
            state = stack.pop() if stack else state
        elif name == "INLINE IMAGE":
            image = operands[0]
            _note(walk, Picture(image.obj, state.matrix, True, dark=state.dark))
        elif name == "Do":
            _draw(walk, resources, operands, page, state, above)
        else:
            state = _change(walk, state, name, operands)


def _change(walk: _Walk, state: _State, name: str, operands: Any) -> _State:
    """The graphics state after an instruction; letters are counted."""
    try:
        if name == "cm":
            return replace(state, matrix=pikepdf.Matrix(*map(float, operands)) @ state.matrix)
        if name == "Tr":
            return replace(state, text_mode=int(operands[0]))
        if name in ("g", "rg", "k", "sc", "scn", "cs"):
            return replace(state, dark=_is_dark(name, operands))
    except (TypeError, ValueError, IndexError):
        return state
    if state.text_mode not in _HIDDEN_TEXT:
        walk.n_letters += _count_letters(operands)
    return state


def _is_dark(name: str, operands: Any) -> bool:
    numbers = [float(each) for each in operands if not isinstance(each, pikepdf.Name)]
    if name == "k" and len(numbers) == 4:
        return 1 - min(1.0, sum(numbers[:3]) / 3 + numbers[3]) <= _DARK
    if name in ("g", "rg") or (name in ("sc", "scn") and len(numbers) in (1, 3)):
        return sum(numbers) / max(1, len(numbers)) <= _DARK
    return name == "cs"  # black is the first colour of a colour space


def _count_letters(operands: Any) -> int:
    n_letters = 0
    for each in operands:
        if isinstance(each, pikepdf.Array):
            n_letters += _count_letters(each)
        elif isinstance(each, pikepdf.String):
            n_letters += len(bytes(each))
    return n_letters


def _draw(
    walk: _Walk, resources: Any, operands: Any, page: Any, state: _State, above: tuple[Any, ...]
) -> None:
    """Paint an XObject: note a picture, search a form."""
    thing = resources.get("/XObject", {}).get(str(operands[0])) if operands else None
    if not isinstance(thing, pikepdf.Stream):
        return
    subtype = thing.get("/Subtype")
    if subtype == "/Image":
        _note(walk, Picture(thing, state.matrix, dark=state.dark))
    elif subtype == "/Form":
        walk.n_forms += 1
        if len(above) >= _DEEPEST or walk.n_forms > _MOST_FORMS or thing.objgen in above:
            return
        own = pikepdf.Matrix(*map(float, thing["/Matrix"])) if "/Matrix" in thing else pikepdf.Matrix()
        inside = replace(state, matrix=own @ state.matrix)
        _search(walk, thing, page, inside, (*above, thing.objgen))


def _note(walk: _Walk, picture: Picture) -> None:
    walk.pictures.append(picture)
    walk.letters_before.append(walk.n_letters)


def _resources(owner: Any, page: Any) -> Any:
    """The resources of a page or form; a form without its own uses its page's, as old files do."""
    if owner is page:
        return pikepdf.Page(page).resources
    return owner.get("/Resources", None) or pikepdf.Page(page).resources


def _six(matrix: pikepdf.Matrix) -> tuple[float, ...]:
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _whole(image: Any, *keys: str) -> int:
    for key in keys:
        try:
            if key in image:
                return int(image[key])
        except (TypeError, ValueError):
            return 0
    return 0


def visible_box(page: pikepdf.Page) -> np.ndarray:
    """The corners of what is seen of a page, (4, 2), in default user space."""
    boxes = np.array([[float(side) for side in box] for box in (page.mediabox, page.cropbox)])
    low = np.maximum(boxes[0].reshape(2, 2).min(0), boxes[1].reshape(2, 2).min(0))
    high = np.minimum(boxes[0].reshape(2, 2).max(0), boxes[1].reshape(2, 2).max(0))
    (left, bottom), (right, top) = low, np.maximum(high, low)
    return np.array([[left, bottom], [right, bottom], [right, top], [left, top]], np.float32)


def shared_area(one: np.ndarray, other: np.ndarray) -> float:
    """The area that two convex shapes, (n, 2) corners each, have in common."""
    area, _ = cv2.intersectConvexConvex(one.astype(np.float32), other.astype(np.float32))
    return float(area)
