"""Pages are separated into sheets and texts, and recombined.

Source of the expected values: pages composed here of known parts.
"""

import numpy as np

from legible.data.pages import Pair
from legible.data.sheets import read_sheets, read_texts, recompose

SIZE = (30, 40)


def _compose(sheet, ink, shine=1.0):
    return (sheet + ink - shine * sheet * ink).astype(np.float32)


def _pages():
    """Three texts on a sheet of each kind; ink is 0.9 in the text and 1 in its clean version."""
    rng = np.random.default_rng(0)
    sheets = {
        kind: rng.uniform(0, 0.5, SIZE).astype(np.float32) for kind in ("coffee", "footprints", "folded")
    }
    texts = []
    for _ in range(3):
        clean = (rng.random(SIZE) < 0.3).astype(np.float32)
        clean[0, 0] = 1  # no page shows its sheet here
        texts.append((0.9 * clean, clean))
    pairs = [
        Pair("", kind, "TR", _compose(sheet, ink, 1.7 if kind == "folded" else 1.0), clean)
        for kind, sheet in sheets.items()
        for ink, clean in texts
    ]
    return pairs, sheets, texts


def _blank(size, rng):
    return np.zeros(size, np.float32)


def test_sheets_and_multiplied_texts_are_recovered():
    pairs, sheets, texts = _pages()
    seen = np.min([clean for _, clean in texts], axis=0) == 0
    for read, true in zip(read_sheets(pairs), sheets.values(), strict=True):
        np.testing.assert_allclose(read[seen], true[seen], atol=1e-6)
        assert np.isfinite(read).all()
    read_off = read_texts(pairs)
    assert len(read_off) == 3  # one of each text, though each is on three sheets
    for (ink, clean), (true_ink, true_clean) in zip(read_off, texts, strict=True):
        np.testing.assert_array_equal(clean, true_clean)
        np.testing.assert_allclose(ink[seen], true_ink[seen], atol=1e-5)


def test_new_pages_are_texts_on_sheets_and_reproducible():
    pairs, _, texts = _pages()
    pages = recompose(pairs, 6, other_sheets=_blank, share_of_others=0)
    for page in pages:
        assert page.noisy.shape == SIZE and page.noisy.dtype == np.float32
        assert any(np.array_equal(page.clean, clean) for _, clean in texts)
        assert page.noisy.min() >= 0 and page.noisy.max() <= 1
        bare = page.clean == 0
        assert page.noisy[bare].mean() < page.noisy[~bare].mean()
        assert page.noisy[bare].std() > 0.05  # there is a sheet
    again = recompose(pairs, 6, other_sheets=_blank, share_of_others=0)
    assert all(np.array_equal(a.noisy, b.noisy) for a, b in zip(pages, again, strict=True))
    assert len({page.noisy.tobytes() for page in pages}) == 6


def test_other_sheets_are_used_for_their_share_of_pages():
    pairs, _, texts = _pages()
    for page in recompose(pairs, 4, other_sheets=_blank, share_of_others=1):
        ink = next(ink for ink, clean in texts if np.array_equal(page.clean, clean))
        seen = np.min([clean for _, clean in texts], axis=0) == 0
        np.testing.assert_allclose(page.noisy[seen], ink[seen], atol=1e-5)


def test_a_new_page_depends_on_its_sheet_as_the_old_one_did():
    """By hand: ink of 0.9 gets darker on a darker sheet where the editor multiplied, else lighter."""
    pairs, _, texts = _pages()
    seen = np.min([clean for _, clean in texts], axis=0) == 0
    ways = set()
    for page in recompose(pairs, 24, other_sheets=_blank, share_of_others=0):
        inked = page.noisy[seen & (page.clean == 1)]
        darker, lighter = (inked >= 0.9 - 1e-3).all(), (inked <= 0.9 + 1e-3).all()
        assert darker != lighter
        ways.add("darker" if darker else "lighter")
    assert ways == {"darker", "lighter"}
