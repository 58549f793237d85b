"""Pairs of pages are found by name and cut into tiles; generated pages have known text.

Source of the expected values: folders made here; the description of NoisyOffice.
"""

import cv2
import numpy as np
import pytest

from legible.data import load_dataset
from legible.data.page_maker import FAMILIES, make_page
from legible.data.pages import Pair, cut_tiles, find_pairs, read_noisy_office
from legible.data.sentences import SENTENCES
from legible.data.split import Labelled
from legible.errors import ArgumentError, InputError
from legible.runs.carry_out import finish, start, train_epochs
from legible.runs.run import Run
from legible.training.settings import Settings


def write_page(path, page):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.rint(255 * (1 - page)).astype(np.uint8))


@pytest.fixture
def folder(tmp_path, rng):
    """Four pairs of pages in DIBCO's folders, the dirty ones on grey paper."""
    for number in range(4):
        page = make_page(rng, size=(100, 150), dpi=60).ink
        write_page(tmp_path / "Originals" / f"{number}.png", 0.3 + 0.6 * page)
        write_page(tmp_path / "GT" / f"{number}_gt.png", page)
    return tmp_path


def test_pages_are_paired_by_name(folder):
    assert [(a.name, b.name) for a, b in find_pairs(folder)][:2] == [
        ("0.png", "0_gt.png"),
        ("1.png", "1_gt.png"),
    ]
    (folder / "GT" / "2_gt.png").unlink()
    with pytest.raises(InputError, match=r"2.png has no clean page of the same name in .*GT"):
        find_pairs(folder)
    with pytest.raises(InputError, match=r"no pairs of pages.*dirty and clean or"):
        find_pairs(folder / "GT")


def test_own_pages_become_tiles_and_no_page_is_in_two_parts(folder):
    splits = load_dataset(str(folder), size=(64, 64))
    parts = (splits.train, splits.validation, splits.test)
    assert [len(part) for part in parts] == [12, 6, 6]  # six tiles of each page
    for part in parts:
        assert part.noisy.shape == part.images.shape == (len(part), 1, 64, 64)
        np.testing.assert_allclose(part.noisy, 0.3 + 0.6 * part.images, atol=0.01)
    tiles = [{tile.tobytes() for tile in part.noisy if np.ptp(tile) > 0.1} for part in parts]
    assert not tiles[0] & tiles[1] and not tiles[0] & tiles[2] and not tiles[1] & tiles[2]


def test_a_pair_of_different_sizes_is_refused(folder):
    write_page(folder / "GT" / "1_gt.png", np.zeros((99, 150)))
    with pytest.raises(
        InputError, match=r"1.png and .*1_gt.png differ in size, 150 x 100 and 150 x 99 pixels"
    ):
        load_dataset(str(folder))


@pytest.mark.parametrize("shape", [(100, 150), (64, 64), (30, 200)], ids=str)
def test_tiles_cover_a_page_evenly(shape, rng):
    page = rng.random(shape, dtype=np.float32)
    tiles = list(cut_tiles(Pair("p", "page", "", page, page), (64, 64)))
    assert len(tiles) == -(-max(shape[0], 64) // 64) * -(-max(shape[1], 64) // 64)
    assert all(tile.clean.shape == (64, 64) for tile in tiles)
    assert {*page.ravel().tolist()} <= {value for tile in tiles for value in tile.clean.ravel().tolist()}


def test_an_autoencoder_is_trained_on_the_noise_of_the_pages(folder):
    splits = load_dataset(str(folder), size=(64, 64))
    run = Run(model="conv-autoencoder:4-4", dataset="own", settings=Settings(n_epochs=1, batch_size=4))
    work = start(run, splits)
    everything = splits.train.joined(splits.validation)
    np.testing.assert_array_equal(work.data.train.images[:, :1], everything.noisy)
    np.testing.assert_array_equal(work.data.train.images[:, 1:], everything.images)
    assert work.data.in_pairs and work.task.in_pairs
    shown = work.data.tests["clean"]
    np.testing.assert_array_equal(shown.seen.images, splits.test.noisy)
    np.testing.assert_array_equal(shown.clean, splits.test.images)
    list(train_epochs(work))
    assert finish(work)["clean"].noisy_mse > 0.05


def test_input_is_the_noisy_version_if_there_is_one(folder):
    splits = load_dataset(str(folder), size=(64, 64))
    bare = Labelled(splits.test.images, splits.test.labels, splits.test.classes)
    assert splits.test.as_input().images is splits.test.noisy and bare.as_input() is bare
    with pytest.raises(InputError, match="noisy images"):
        Labelled(bare.images, bare.labels, bare.classes, bare.images[:, :, 1:])


def test_a_generated_page_lists_its_text(rng):
    page = make_page(rng, size=(800, 600), dpi=100, blocks=["paragraph"], languages=["English"])
    assert page.ink.shape == (800, 600) and page.ink.max() == 1 and np.median(page.ink) == 0
    words = {word for sentence in SENTENCES["English"] for word in sentence.split()}
    assert len(page.lines) > 10 and set(page.text.split()) <= words
    rows = page.ink.max(axis=1) > 0.5
    n_runs = int(
        (rows[1:] & ~rows[:-1]).sum()
    )  # a line of text is one run of rows with ink, or two with its accents
    assert len(page.lines) <= n_runs <= 2 * len(page.lines) + 2


def test_equal_rng_states_make_equal_pages_and_others_do_not():
    first, again, other = (make_page(np.random.default_rng(s), size=(300, 400), dpi=72) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.ink, again.ink)
    assert first.text == again.text and (first.ink != other.ink).any()


def test_every_font_exists_and_has_the_letters_of_its_languages():
    from matplotlib.ft2font import FT2Font

    from legible.data import page_maker

    for family, files in FAMILIES.items():
        accents = family not in page_maker.ENGLISH_ONLY
        letters = {
            c for name, said in SENTENCES.items() if accents or name == "English" for s in said for c in s
        }
        for file in files:
            font = FT2Font(str(page_maker.font_folder() / f"{file}.ttf"))
            missing = {c for c in letters if c != " " and font.get_char_index(ord(c)) == 0}
            assert not missing, (file, missing)


def test_unknown_blocks_of_a_page_are_refused(rng):
    with pytest.raises(ArgumentError, match="heading, paragraph, table, drawing, note"):
        make_page(rng, blocks=["poem"])


def test_noisy_office_has_its_partitions(real_data, monkeypatch):
    monkeypatch.setenv("LEGIBLE_DATA", str(real_data))
    pairs = read_noisy_office()
    assert [sum(pair.partition == part for pair in pairs) for part in ("TR", "VA", "TE")] == [72, 72, 0]
    assert {pair.clean.shape for pair in pairs} == {(258, 540), (420, 540)}
    splits = load_dataset("noisy-office")
    assert len(splits.train) + len(splits.validation) == len(splits.test) == 72
    rmse = float(np.square(splits.test.noisy - splits.test.images).mean() ** 0.5)
    assert rmse == pytest.approx(
        0.154, abs=0.003
    )  # 0.157 for untouched pages of the contest in their own size


def test_tiles_have_the_same_split_as_whole_pages_and_their_own_sizes(real_data, monkeypatch):
    monkeypatch.setenv("LEGIBLE_DATA", str(real_data))
    pages, tiles = load_dataset("noisy-office-random"), load_dataset("noisy-office-tiles")
    for part in ("train", "validation", "test"):
        corners = {tile[0].tobytes() for tile in getattr(tiles, part).images}
        is_whole = [page[0, :144, :272].tobytes() in corners for page in getattr(pages, part).images]
        n_long, n = sum(is_whole), len(is_whole)  # short pages are scaled as whole pages only
        assert 0 < n_long < n and len(getattr(tiles, part)) == 6 * n_long + 4 * (n - n_long)


def test_missing_noisy_office_is_an_error_that_says_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LEGIBLE_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"NoisyOffice is not in .*Denoising Dirty Documents.*LEGIBLE_DATA"):
        load_dataset("noisy-office")
