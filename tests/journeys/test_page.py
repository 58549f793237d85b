"""The page as people use it: each tab in Debian's Chromium, by mouse, keyboard and files."""

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"
PICTURES, RESULTS = DOCS / "pictures", DOCS / "results"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium: on Debian, apt install chromium")
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
DARK_PIXELS = """(name) => document.getElementById(name).getContext('2d').getImageData(0, 0, 28, 28)
    .data.filter((value, i) => i % 4 === 0 && value < 200).length"""
UNNAMED = """() => [...document.querySelectorAll('button, input, select, a, canvas')]
    .filter((one) => !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length))
    .map((one) => one.id)"""
POLL_MS, N_POLLS = 50, 6000  # five minutes, only so that no test hangs
SEVEN = [(0.28, 0.25), (0.70, 0.25), (0.45, 0.80)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    command = [sys.executable, "-m", "legible", "serve", "--port", "0", "--quiet", "--results", RESULTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def size(request):
    return request.param


@pytest.fixture
def page(browser, address, size):
    """The page, freshly opened; an error in its console fails the test."""
    page = browser.new_page(viewport=size)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.set_default_timeout(POLL_MS * N_POLLS)
    page.goto(address)
    yield page
    page.close()
    assert not [text for text in errors if "Failed to load resource" not in text]


def draw(page, points: list[tuple[float, float]]) -> None:
    """Draw a stroke on the pad, from corner to corner, with the mouse."""
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=10)
    page.mouse.up()


def drop(page, target: str, path: Path) -> None:
    """Drop a file on a field, as from a folder's window."""
    make = """([name, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], name));
        return data;
    }"""
    data = page.evaluate_handle(make, [path.name, list(path.read_bytes())])
    page.dispatch_event(target, "drop", {"dataTransfer": data})


def wait_for(page, expression: str) -> None:
    """Poll an expression: Playwright's own waiting evaluates strings, which the page's policy forbids."""
    for _ in range(N_POLLS):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(POLL_MS)
    pytest.fail(f"never true: {expression}")


def text_of(page, id: str) -> str:
    return str(page.evaluate(f"document.getElementById('{id}').textContent")).strip()


def wait_for_text(page, id: str, text: str) -> None:
    wait_for(page, f"document.getElementById('{id}').textContent.trim().startsWith({text!r})")
    assert text or not text_of(page, id)


def test_a_drawn_seven_is_read_as_a_seven(page):
    draw(page, SEVEN)
    wait_for_text(page, "prediction", "7")
    assert page.locator("#bars li.best").inner_text().split()[0] == "7"
    for name in ("input", "noisy", "denoised"):
        assert page.locator(f"#{name}-digit").inner_text() == "7"
    inks = [page.evaluate(DARK_PIXELS, name) for name in ("input", "noisy", "denoised")]
    assert inks[0] > 40 and inks[1] > inks[0] + 50 and inks[2] < inks[1] - 50


def test_undo_removes_a_stroke_and_scribbles_are_rejected(page):
    draw(page, SEVEN)
    wait_for_text(page, "prediction", "7")
    page.click("#undo")
    wait_for(page, "!document.getElementById('prediction').textContent.trim()")
    rng = np.random.default_rng(2)
    for _ in range(6):
        draw(page, [tuple(point) for point in rng.uniform(0.1, 0.9, (6, 2))])
    wait_for_text(page, "prediction", "no digit found")
    page.click("#clear")
    wait_for(page, "!document.getElementById('prediction').textContent.trim()")


def test_a_one_can_be_drawn_with_the_keyboard_alone(page):
    page.focus("#pad")
    for key in ("Space", *["ArrowDown"] * 14, "Space"):
        page.keyboard.press(key)
    wait_for_text(page, "prediction", "1")
    page.keyboard.press("Control+z")
    wait_for(page, "!document.getElementById('prediction').textContent.trim()")
    page.focus("#tab-draw")
    page.keyboard.press("ArrowRight")
    assert page.locator("#read").is_visible() and page.locator("#draw").is_hidden()


def test_a_photo_is_read_with_boxes_and_text_to_copy(page):
    page.click("#tab-read")
    page.set_input_files("#read-file", PICTURES / "numbers.jpg")
    page.wait_for_selector("#read-picture svg text", state="attached")
    assert text_of(page, "read-text") == "1847 263 50091 7 38264"
    assert page.locator("#read-picture svg rect").count() == 18
    image = page.locator("#read-picture img").bounding_box()
    boxes = [rect.bounding_box() for rect in page.locator("#read-picture svg rect").all()]
    first = boxes[0]  # of 1 in 1847: at (102, 88)
    with Image.open(PICTURES / "numbers.jpg") as picture:
        width, height = picture.size
    assert (first["x"] - image["x"]) / image["width"] == pytest.approx(102 / width, abs=0.01)
    assert (first["y"] - image["y"]) / image["height"] == pytest.approx(88 / height, abs=0.01)
    assert (
        page.locator("#read-copy").is_visible()
        and "Confidence" in page.locator("#read-confidence").inner_text()
    )


def test_replaced_pictures_are_freed(page):
    page.evaluate("""() => {
        window.revoked = [];
        const revoke = URL.revokeObjectURL.bind(URL);
        URL.revokeObjectURL = (address) => { window.revoked.push(address); revoke(address); };
    }""")
    page.click("#tab-read")
    page.set_input_files("#read-file", PICTURES / "numbers.jpg")
    page.wait_for_selector("#read-picture img")
    shown = page.locator("#read-picture img").get_attribute("src")
    page.set_input_files("#read-file", PICTURES / "numbers.jpg")
    wait_for(page, f"!document.querySelector('#read-picture img[src=\"{shown}\"]')")
    assert page.evaluate("window.revoked") == [shown]


def test_a_page_is_cleaned_compared_and_downloaded(page):
    page.click("#tab-clean")
    drop(page, "#clean-drop", PICTURES / "page.jpg")
    page.set_input_files("#clean-file", Path(__file__))
    page.wait_for_selector("#compare:not([hidden])")
    assert "is not a picture" in page.locator("#queue .bad").inner_text()
    width = "document.querySelector('#before').style.clipPath"
    before = page.evaluate(width)
    page.locator("#split").fill("20")
    assert before == "inset(0px 50% 0px 0px)" and page.evaluate(width) == "inset(0px 80% 0px 0px)"
    stack = page.locator("#stack").bounding_box()["width"]
    page.locator("#zoom").fill("2")
    assert page.locator("#stack").bounding_box()["width"] == pytest.approx(2 * stack, rel=0.01)
    with page.expect_download() as download:
        page.click("#queue a[download]")
    assert download.value.suggested_filename == "clean-page.jpg"
    clean = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    with Image.open(PICTURES / "page.jpg") as dirty:
        assert clean.size == dirty.size


def test_digits_are_generated_and_changed_by_sliders(page):
    page.click("#tab-generate")
    page.wait_for_selector("#sheet-save:not([hidden])")
    first = page.locator("#sheet").get_attribute("src")
    page.locator("#sliders input").first.fill("3")
    wait_for(page, f"document.getElementById('sheet').src !== '{first}'")
    wait_for(page, f"document.querySelector('#sheet').naturalWidth === {6 * 30 + 2}")  # once it is decoded
    page.locator("#number").fill("9")
    wait_for(page, "document.querySelector('#sheet').naturalWidth === 92")
    page.locator("#number").fill("0")
    wait_for(page, "document.querySelector('#generate-error').textContent.startsWith('Number: input should')")


def test_the_workbench_shows_studies_and_cards(page):
    page.click("#tab-workbench")
    page.wait_for_selector("#workbench-content table")
    assert "digits-ensemble" in page.locator("#workbench-content table").inner_text()
    page.locator("#workbench-content summary").first.click()
    wait_for(page, "document.querySelector('#workbench-content pre')?.textContent.includes('safetensors')")
    assert "trained with" in page.locator("#workbench-content details").first.inner_text()
    page.select_option("#study", "report-a")
    wait_for(page, "document.getElementById('workbench-content').textContent.includes('98.68 %')")
    page.locator("#workbench-content img").first.scroll_into_view_if_needed()
    wait_for(
        page,
        "[...document.querySelectorAll('#workbench-content img')].some((image) => image.naturalWidth > 100)",
    )


def test_errors_are_shown_where_they_happen(page):
    page.click("#tab-read")
    page.set_input_files("#read-file", Path(__file__))
    wait_for_text(page, "read-error", "Test_page.py is not a picture")
    page.route("**/api/**", lambda route: route.abort())
    page.click("#tab-draw")
    draw(page, SEVEN)
    wait_for_text(page, "draw-error", "The server does not answer")


def test_nothing_is_wider_than_the_screen_and_every_control_has_a_name(page, size):
    for tab in ("draw", "read", "clean", "generate", "workbench"):
        page.click(f"#tab-{tab}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], tab
    assert page.evaluate(UNNAMED) == []


def test_light_and_dark_follow_the_system_and_the_button(browser, address):
    page = browser.new_page(color_scheme="dark")
    page.goto(address)
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(paper)
    page.click("#theme")
    light = page.evaluate(paper)
    page.reload()
    assert dark == "rgb(21, 24, 27)" and light == page.evaluate(paper) == "rgb(251, 250, 247)"
    page.close()
