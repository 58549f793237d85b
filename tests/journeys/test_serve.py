"""The server as people start it: `legible serve` in a process of its own, asked over HTTP."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from legible.apply.saved import load
from legible.images import to_bytes

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
SEVEN = to_bytes(1 - load("digit-drawer").draw(["7"], np.random.default_rng(0), temperature=0.3)[0, 0])


def png(pixels: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def problem(answer: httpx.Response, status: int) -> str:
    """The sentence of an error, which comes in the one shape."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["status"] == status and set(error) <= {"status", "message", "id"}
    return str(error["message"])


@pytest.fixture(scope="module")
def server():
    """The address of a running server, and after the tests its orderly end."""
    command = [sys.executable, "-m", "legible", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            yield process.stdout.readline().strip()
            process.send_signal(signal.SIGTERM)
            words = process.stderr.read()
            assert process.wait(20) == 0
            assert words.endswith("stopped\n") and "127.0.0.1 POST '/api/" in words
            assert "Traceback" not in words
        finally:
            process.kill()


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server, timeout=60, trust_env=False) as client:
        yield client


def test_reading_gives_what_the_command_prints(client, legible):
    path = PICTURES / "numbers.jpg"
    printed = json.loads(legible("read", path, "--json").out)
    for settings in ({}, {"mode": "page"}):
        answer = client.post("/api/read", files={"file": (path.name, path.read_bytes())}, data=settings)
        assert answer.status_code == 200
        assert answer.json() == {"pages": [{**printed, "file": "numbers.jpg"}]}


def test_reading_takes_the_settings_of_the_command(client, legible, tmp_path):
    (tmp_path / "seven.png").write_bytes(png(SEVEN))
    printed = legible("read", tmp_path / "seven.png", "--json", "--mode", "digit", "--error-rate", 0.001)
    files, data = {"file": ("seven.png", png(SEVEN))}, {"mode": "digit", "error_rate": "0.001"}
    (page,) = client.post("/api/read", files=files, data=data).json()["pages"]
    assert page == {**json.loads(printed.out), "file": "seven.png"}
    assert page["text"] == "7" and page["lines"][0]["digits"][0]["possible"][0] == "7"


def test_cleaning_gives_the_file_that_the_command_writes(client, legible, tmp_path):
    legible("clean", PICTURES / "page.jpg", "-o", tmp_path / "clean.jpg")
    answer = client.post("/api/clean", files={"file": ("page.jpg", (PICTURES / "page.jpg").read_bytes())})
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["legible-pages"] == "1" and answer.headers["legible-vanished"] == "0"
    assert answer.content == (tmp_path / "clean.jpg").read_bytes()


@pytest.mark.parametrize(("form", "ending", "media"), [
    ("TIFF", ".tif", "image/tiff"), ("PDF", ".pdf", "application/pdf"), ("WEBP", ".webp", "image/webp"),
    ("BMP", ".bmp", "image/png"), ("PDF", "", "application/pdf"),
])  # fmt: skip
def test_a_scan_comes_back_clean_in_its_own_form(client, form, ending, media):
    written = io.BytesIO()
    page = Image.open(PICTURES / "page.jpg").resize((400, 560))
    several = {"save_all": True, "append_images": [page]} if form in ("TIFF", "PDF") else {}
    page.save(written, form, **several)
    answer = client.post("/api/clean", files={"file": (f"scan{ending}", written.getvalue())})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media), answer.text
    assert answer.headers["legible-pages"] == ("2" if several else "1")


def test_a_page_of_any_file_is_shown_as_a_picture(client):
    written = io.BytesIO()
    pages = [Image.new("L", (3000, 200), 250), Image.new("L", (300, 200), 5)]
    pages[0].save(written, "TIFF", save_all=True, append_images=pages[1:])
    files = {"file": ("two.tif", written.getvalue())}
    first, second = (client.post("/api/preview", files=files, data={"page": n}) for n in (1, 2))
    assert Image.open(io.BytesIO(first.content)).size == (2400, 160)
    assert [first.headers[f"legible-{fact}"] for fact in ("pages", "width", "height")] == ["2", "3000", "200"]
    assert np.asarray(Image.open(io.BytesIO(second.content))).max() == 5
    assert "two.tif has 2, not 3" in problem(client.post("/api/preview", files=files, data={"page": 3}), 422)


def test_denoising_shows_what_the_net_sees_and_what_noise_does(client):
    files = {"file": ("seven.png", png(SEVEN))}
    looks = client.post("/api/denoise", files=files, data={"noise": "gaussian:0.5", "seed": 3}).json()
    seen = np.array(looks["seen"]["pixels"])
    assert seen.shape == (28, 28) and np.abs(seen - (255 - SEVEN.astype(int))).mean() < 9
    noisy, denoised = (np.array(looks[name]["pixels"], np.float32) / 255 for name in ("noisy", "denoised"))
    again = load("digit-denoiser").restore(noisy[None, None])[0, 0]
    assert np.abs(again - denoised).max() < 0.02  # noise was rounded to bytes on its way here
    assert np.square(noisy - seen / 255).mean() > 10 * np.square(denoised - seen / 255).mean()
    for look in looks.values():
        assert look["digit"] == "7" and look["probabilities"]["7"] > 0.9 and not look["reason"]
        assert sum(look["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    clean = client.post("/api/denoise", files=files).json()
    assert clean["noisy"]["pixels"] == clean["seen"]["pixels"]


def test_what_is_no_digit_is_refused_with_a_reason(client):
    blank = client.post(
        "/api/denoise", files={"file": ("b.png", png(np.full((90, 90), 255, np.uint8)))}
    ).json()
    assert blank["seen"]["digit"] is None and "blank" in blank["seen"]["reason"]
    grain = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    (page,) = client.post(
        "/api/read", files={"file": ("noise.png", png(grain))}, data={"mode": "digit"}
    ).json()["pages"]
    assert page["text"] == "" and page["reason"].startswith("no digit found")


def test_drawing_gives_the_sheet_that_the_command_writes(client, legible, tmp_path):
    legible("generate", "--digit", 7, "-n", 9, "--seed", 5, "-o", tmp_path / "seven.png")
    answer = client.post("/api/generate", json={"digits": ["7"], "number": 9, "seed": 5})
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == (tmp_path / "seven.png").read_bytes()


def test_sliders_move_the_drawing(client):
    number, furthest = (client.get("/api/sliders").json()[name] for name in ("number", "furthest"))
    wish = {"digits": ["3"], "number": 1, "temperature": 0}

    def draw(values: list[float]) -> np.ndarray:
        return np.asarray(
            Image.open(io.BytesIO(client.post("/api/generate", json={**wish, "sliders": values}).content))
        )

    middle = draw([])
    for i in range(number):
        one = [0.0] * i + [furthest]
        assert np.abs(draw(one) - middle.astype(int)).mean() > 4, f"slider {i} does nothing"
    assert "there are 6, not 7" in problem(client.post("/api/generate", json={"sliders": [0] * 7}), 422)
    assert "between -4 and 4" in problem(client.post("/api/generate", json={"sliders": [9]}), 422)


def test_the_models_and_the_results_are_told(client):
    models = {model["name"]: model for model in client.get("/api/models").json()}
    assert {"digits", "line-reader", "page-cleaner", "digit-drawer"} <= set(models)
    assert models["digits"]["score"].startswith("accuracy 99.")
    assert client.get("/api/models/digits").json()["n_parameters"] == models["digits"]["n_parameters"]
    pages = client.get("/api/results").json()
    assert {page["name"] for page in pages} >= {"report-a", "report-e", "records", "findings"}
    for page in pages:
        blocks = client.get(f"/api/results/{page['name']}").json()["blocks"]
        tables = [block for block in blocks if block["header"]]
        headings = [block["heading"] for block in blocks if block["heading"]]
        assert headings if page["name"] == "findings" else tables
        assert all(len(row) == len(table["header"]) for table in tables for row in table["rows"])
        for block in blocks:
            if block["figure"]:
                assert client.get(f"/results/{block['figure']}").headers["content-type"] == "image/png"


def test_the_server_tells_how_it_is(client):
    health = client.get("/api/health").json()
    assert health["status"] == "ok" and health["waiting"] == {"quick": 0, "slow": 0}
    counts = client.get("/metrics").text
    assert 'legible_requests_total{method="POST",route="/api/read",status="200"}' in counts
    assert 'legible_places_taken{desk="slow"} 0.0' in counts


@pytest.mark.parametrize(("path", "files", "data", "status", "told"), [
    ("/api/read", None, {"mode": "digit"}, 422, "file: field required"),
    ("/api/read", ("a.png", b"no picture"), {}, 415, "a.png is not a picture, or damaged"),
    ("/api/read", ("a.png", b""), {}, 415, "a.png is empty"),
    ("/api/read", ("..\\..\\etc/pass wd.png", b"x"), {}, 415, "pass wd.png is not a picture"),
    ("/api/clean", ("a.pdf", b"%PDF-1.4 cut"), {}, 415, "a.pdf is no PDF, or damaged"),
    ("/api/read", ("a.png", png(SEVEN)), {"mode": "word"}, 422, "mode: input should be"),
    ("/api/read", ("a.png", png(SEVEN)), {"error_rate": "0.00001"}, 422, "guarantees no error rate"),
    ("/api/read", ("a.png", png(SEVEN)), {"min_confidence": "2"}, 422, "min_confidence: input should be"),
    ("/api/denoise", ("a.png", png(SEVEN)), {"noise": "gausian:0.5"}, 422, "Did you mean 'gaussian'"),
    ("/api/denoise", ("a.png", png(SEVEN)), {"noise": "gaussian:x"}, 422, "std takes a number"),
    ("/api/denoise", ("a.png", png(SEVEN)), {"noise": "shift+shift+fog+fog"}, 422, "3 in a row at most"),
    ("/api/clean", ("a.png", png(SEVEN)), {"dpi": "7"}, 422, "dpi: input should be"),
    ("/api/nothing", ("a.png", b"x" * 100_000), {}, 404, "there is no '/api/nothing' here"),
])  # fmt: skip
def test_errors_are_sentences_in_one_shape(client, path, files, data, status, told):
    answer = client.post(path, files={"file": files} if files else None, data=data)
    assert told in problem(answer, status)
    assert "legible-" not in answer.text and "/tmp" not in answer.text


def test_other_errors_have_that_shape_too(client):
    assert "takes another method" in problem(client.get("/api/read"), 405)
    assert "no class to draw 'x'" in problem(client.post("/api/generate", json={"digits": ["x"]}), 422)
    assert problem(
        client.post("/api/generate", content=b"{", headers={"content-type": "application/json"}), 422
    )
    assert "no shipped model" in problem(client.get("/api/models/..%5Cdigits"), 404)
    assert "no study" in problem(client.get("/api/results/nothing"), 404)
    assert "no cleaning called 'x' is under way" in problem(client.get("/api/progress/x"), 404)
    bad = {"content-type": "multipart/form-data; boundary=x"}
    assert problem(client.post("/api/read", content=b"--y\r\nnonsense", headers=bad), 400)


def test_pages_of_other_sites_and_other_names_are_turned_away(client):
    sent = {"json": {"digits": ["7"], "number": 1}}
    for origin in ("http://evil.example", "null"):
        refused = client.post("/api/generate", headers={"Origin": origin}, **sent)
        assert "other sites" in problem(refused, 403)
    own = f"http://{client.base_url.netloc.decode()}"
    assert client.post("/api/generate", headers={"Origin": own}, **sent).status_code == 200
    for name in ("evil.example", "[", ""):
        assert "not called" in problem(client.get("/api/health", headers={"Host": name}), 400)
    assert client.get("/api/health", headers={"Host": "localhost:1"}).status_code == 200


def test_every_answer_carries_the_headers_that_keep_browsers_safe(client):
    for path in ("/", "/static/app.js", "/api/health", "/nothing"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert "server" not in headers
    assert client.get("/api/health").headers["cache-control"] == "no-store"


def test_the_page_and_its_parts_name_no_other_host():
    static = Path(sys.modules["legible"].__file__).parent / "web" / "static"
    for path in static.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, path
        assert " style=" not in text and "onclick" not in text, path  # the policy forbids them


def test_the_api_tells_of_itself_with_examples(client):
    document = client.get("/api/openapi.json").json()
    paths = document["paths"]
    assert set(paths) >= {
        "/api/read",
        "/api/clean",
        "/api/denoise",
        "/api/generate",
        "/api/models",
        "/api/health",
    }
    for path, methods in paths.items():
        for told in methods.values():
            assert told["summary"] and told["tags"], path
            assert {"application/json"} >= set(told["responses"]["500"]["content"])
    assert "examples" in json.dumps(document["components"]["schemas"]["Readings"])


def test_random_requests_find_no_fault(server, tmp_path):
    """Hundreds of shapes of requests, made from the OpenAPI document by Schemathesis."""
    command = [
        Path(sys.executable).with_name("schemathesis"), "run", f"{server}api/openapi.json",
        "--max-examples=8", "--checks=all", "--exclude-checks=positive_data_acceptance", "--seed=1",
    ]  # fmt: skip  # a file is valid by the document, and may be no picture
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "no_proxy": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_port_that_is_taken_is_told_in_a_sentence(legible, server):
    port = httpx.URL(server).port
    done = legible("serve", "--port", port)
    assert done.code == 6 and f"cannot listen on 127.0.0.1, port {port}" in done.err
