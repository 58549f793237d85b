"""`legible serve` in a process of its own, called over HTTP."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from legible.documents.document import open_document
from legible.documents.formats import FORMATS, format_of
from legible.images import to_bytes
from legible.inference.saved import load

PATIENCE_S = 300  # only so that no test hangs
[PDF] = [form for form in FORMATS if form.pages == "pdf"]
DOCS = Path(__file__).parents[2] / "docs"
PICTURES, RESULTS = DOCS / "pictures", DOCS / "results"
SEVEN = to_bytes(1 - load("digit-generator").generate(["7"], np.random.default_rng(0), temperature=0.3)[0, 0])


def png(pixels: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


def error_message(answer: httpx.Response, status: int) -> str:
    """The message of an error, whose body has the shape that all errors have."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["status"] == status and set(error) <= {"status", "message", "id"}
    return str(error["message"])


@pytest.fixture(scope="module")
def server():
    """The address of a running server, which must stop cleanly after the tests."""
    command = [sys.executable, "-m", "legible", "serve", "--port", "0", "--results", RESULTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            yield process.stdout.readline().strip()
            process.send_signal(signal.SIGTERM)
            log = process.stderr.read()
            assert process.wait(PATIENCE_S) == 0
            assert log.endswith("stopped\n") and "127.0.0.1 POST '/api/" in log
            assert "Traceback" not in log
        finally:
            process.kill()


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server, timeout=PATIENCE_S, trust_env=False) as client:
        yield client


def test_reading_answers_what_the_command_prints(client, legible):
    path = PICTURES / "numbers.jpg"
    printed = json.loads(legible("read", path, "--json").out)
    for settings in ({}, {"mode": "page"}):
        answer = client.post("/api/read", files={"file": (path.name, path.read_bytes())}, data=settings)
        assert answer.status_code == 200
        assert answer.json() == {"pages": [{**printed, "file": "numbers.jpg"}]}


def test_reading_accepts_the_settings_of_the_command(client, legible, tmp_path):
    (tmp_path / "seven.png").write_bytes(png(SEVEN))
    printed = legible("read", tmp_path / "seven.png", "--json", "--mode", "digit", "--error-rate", 0.001)
    files, data = {"file": ("seven.png", png(SEVEN))}, {"mode": "digit", "error_rate": "0.001"}
    (page,) = client.post("/api/read", files=files, data=data).json()["pages"]
    assert page == {**json.loads(printed.out), "file": "seven.png"}
    assert page["text"] == "7" and page["lines"][0]["digits"][0]["possible"][0] == "7"


def test_cleaning_answers_the_file_that_the_command_writes(client, legible, tmp_path):
    legible("clean", PICTURES / "page.jpg", "-o", tmp_path / "clean.jpg")
    answer = client.post("/api/clean", files={"file": ("page.jpg", (PICTURES / "page.jpg").read_bytes())})
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["legible-pages"] == "1" and answer.headers["legible-vanished"] == "0"
    assert answer.content == (tmp_path / "clean.jpg").read_bytes()


@pytest.mark.parametrize(
    ("form", "suffix"), [(form, suffix) for form in FORMATS for suffix in form.suffixes] + [(PDF, "")]
)
def test_a_cleaned_scan_keeps_its_format(client, tmp_path, form, suffix):
    pillow_heif.register_heif_opener()
    written = io.BytesIO()
    page = Image.open(PICTURES / "page.jpg").resize((400, 560))
    several = {"save_all": True, "append_images": [page]} if form.pages != "one" else {}
    page.save(written, form.pillow_name or "PDF", **several)
    answer = client.post("/api/clean", files={"file": (f"scan{suffix}", written.getvalue())})
    expected = form if form.written else FORMATS[0]
    assert (answer.status_code, answer.headers["content-type"]) == (200, expected.media_type), answer.text
    assert answer.headers["legible-pages"] == ("2" if several else "1")
    [name] = re.findall(r'filename="(.*)"', answer.headers["content-disposition"])
    (tmp_path / name).write_bytes(answer.content)
    assert format_of(Path(name)) is expected
    assert Path(name).suffix == (suffix or ".pdf") or not form.written
    with open_document(tmp_path / name) as document:
        assert document.n_pages == (2 if several else 1)
        assert all(one.pixels.shape[:2] == (560, 400) for one in document)
    if expected.pillow_name:
        with Image.open(tmp_path / name) as back:
            assert back.format == expected.pillow_name


def test_the_preview_shows_any_page_as_a_png(client):
    written = io.BytesIO()
    pages = [Image.new("L", (3000, 200), 250), Image.new("L", (300, 200), 5)]
    pages[0].save(written, "TIFF", save_all=True, append_images=pages[1:])
    files = {"file": ("two.tif", written.getvalue())}
    first, second = (client.post("/api/preview", files=files, data={"page": n}) for n in (1, 2))
    assert Image.open(io.BytesIO(first.content)).size == (2400, 160)
    assert [first.headers[f"legible-{fact}"] for fact in ("pages", "width", "height")] == ["2", "3000", "200"]
    assert np.asarray(Image.open(io.BytesIO(second.content))).max() == 5
    assert "two.tif has 2, so there is no page 3" in error_message(
        client.post("/api/preview", files=files, data={"page": 3}), 422
    )


def test_denoising_answers_the_input_noisy_and_denoised(client):
    files = {"file": ("seven.png", png(SEVEN))}
    views = client.post("/api/denoise", files=files, data={"noise": "gaussian:0.5", "seed": 3}).json()
    shown = np.array(views["input"]["pixels"])
    assert shown.shape == (28, 28) and np.abs(shown - (255 - SEVEN.astype(int))).mean() < 9
    noisy, denoised = (np.array(views[name]["pixels"], np.float32) / 255 for name in ("noisy", "denoised"))
    again = load("digit-denoiser").restore(noisy[None, None])[0, 0]
    assert np.abs(again - denoised).max() < 0.02  # noise was rounded to bytes on its way here
    assert np.square(noisy - shown / 255).mean() > 10 * np.square(denoised - shown / 255).mean()
    for view in views.values():
        assert view["digit"] == "7" and view["probabilities"]["7"] > 0.9 and not view["reason"]
        assert sum(view["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    clean = client.post("/api/denoise", files=files).json()
    assert clean["noisy"]["pixels"] == clean["input"]["pixels"]


def test_anything_that_is_not_a_digit_is_rejected_with_a_reason(client):
    blank = client.post(
        "/api/denoise", files={"file": ("b.png", png(np.full((90, 90), 255, np.uint8)))}
    ).json()
    assert blank["input"]["digit"] is None and "blank" in blank["input"]["reason"]
    noise = np.random.default_rng(0).integers(0, 256, (28, 28)).astype(np.uint8)
    (page,) = client.post(
        "/api/read", files={"file": ("noise.png", png(noise))}, data={"mode": "digit"}
    ).json()["pages"]
    assert page["text"] == "" and page["reason"].startswith("no digit found")


def test_generating_answers_the_sheet_that_the_command_writes(client, legible, tmp_path):
    legible("generate", "--digit", 7, "-n", 9, "--seed", 5, "-o", tmp_path / "seven.png")
    answer = client.post("/api/generate", json={"digits": ["7"], "number": 9, "seed": 5})
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == (tmp_path / "seven.png").read_bytes()


def test_each_slider_changes_the_digits(client):
    number, limit = (client.get("/api/sliders").json()[name] for name in ("number", "limit"))
    settings = {"digits": ["3"], "number": 1, "temperature": 0}

    def generate(values: list[float]) -> np.ndarray:
        return np.asarray(
            Image.open(io.BytesIO(client.post("/api/generate", json={**settings, "sliders": values}).content))
        )

    unmoved = generate([])
    for i in range(number):
        one = [0.0] * i + [limit]
        assert np.abs(generate(one) - unmoved.astype(int)).mean() > 4, f"slider {i} does nothing"
    assert "give at most 6 values, not 7" in error_message(
        client.post("/api/generate", json={"sliders": [0] * 7}), 422
    )
    assert "between -4 and 4" in error_message(client.post("/api/generate", json={"sliders": [9]}), 422)


def test_the_models_and_the_results_are_listed(client):
    models = {model["name"]: model for model in client.get("/api/models").json()}
    assert {"digits", "line-reader", "page-cleaner", "digit-generator"} <= set(models)
    assert models["digits"]["score"].startswith("accuracy 99.")
    assert client.get("/api/models/digits").json()["n_parameters"] == models["digits"]["n_parameters"]
    assert client.get("/api/models/digits").json()["model"].startswith("ensemble:")  # as training names it
    pages = client.get("/api/results").json()
    assert {page["name"] for page in pages} == {"records", *(f"report-{letter}" for letter in "abcde")}
    for page in pages:
        blocks = client.get(f"/api/results/{page['name']}").json()["blocks"]
        tables = [block for block in blocks if block["header"]]
        assert tables and all(len(row) == len(table["header"]) for table in tables for row in table["rows"])
        for block in blocks:
            if block["figure"]:
                assert client.get(f"/results/{block['figure']}").headers["content-type"] == "image/png"


def test_health_and_metrics_report_the_work_queues(client):
    health = client.get("/api/health").json()
    assert health["status"] == "ok" and health["queue_lengths"] == {"quick": 0, "slow": 0}
    metrics = client.get("/metrics").text
    assert 'legible_requests_total{method="POST",route="/api/read",status="200"}' in metrics
    assert 'legible_queue_length{queue="slow"} 0.0' in metrics


@pytest.mark.parametrize(("path", "files", "data", "status", "message"), [
    ("/api/read", None, {"mode": "digit"}, 422, "file: field required"),
    ("/api/read", ("a.png", b"no picture"), {}, 415, "a.png is not a picture, or damaged"),
    ("/api/read", ("a.png", b""), {}, 415, "a.png is empty"),
    ("/api/read", ("..\\..\\etc/pass wd.png", b"x"), {}, 415, "pass wd.png is not a picture"),
    ("/api/clean", ("a.pdf", b"%PDF-1.4 cut"), {}, 415, "a.pdf is not a PDF, or damaged"),
    ("/api/read", ("a.png", png(SEVEN)), {"mode": "word"}, 422, "mode: input should be"),
    ("/api/read", ("a.png", png(SEVEN)), {"error_rate": "0.00001"}, 422, "guarantees no error rate"),
    ("/api/read", ("a.png", png(SEVEN)), {"min_confidence": "2"}, 422, "min_confidence: input should be"),
    ("/api/denoise", ("a.png", png(SEVEN)), {"noise": "gausian:0.5"}, 422, "Did you mean 'gaussian'"),
    ("/api/denoise", ("a.png", png(SEVEN)), {"noise": "gaussian:x"}, 422, "std takes a number"),
    ("/api/denoise", ("a.png", png(SEVEN)), {"noise": "shift+shift+fog+fog"}, 422, "join at most 3, not 4"),
    ("/api/clean", ("a.png", png(SEVEN)), {"dpi": "7"}, 422, "dpi: input should be"),
    ("/api/nothing", ("a.png", b"x" * 100_000), {}, 404, "there is no '/api/nothing' here"),
])  # fmt: skip
def test_all_errors_have_one_shape_and_a_message(client, path, files, data, status, message):
    answer = client.post(path, files={"file": files} if files else None, data=data)
    assert message in error_message(answer, status)
    assert "legible-" not in answer.text and "/tmp" not in answer.text


def test_errors_of_other_routes_have_that_shape_too(client):
    assert "needs another HTTP method" in error_message(client.get("/api/read"), 405)
    assert "no class to generate 'x'" in error_message(
        client.post("/api/generate", json={"digits": ["x"]}), 422
    )
    assert error_message(
        client.post("/api/generate", content=b"{", headers={"content-type": "application/json"}), 422
    )
    assert "no shipped model" in error_message(client.get("/api/models/..%5Cdigits"), 404)
    assert "no figure" in error_message(client.get("/results/findings.md"), 404)
    assert "no study" in error_message(client.get("/api/results/nothing"), 404)
    assert "no cleaning named 'x' is running" in error_message(client.get("/api/progress/x"), 404)
    bad = {"content-type": "multipart/form-data; boundary=x"}
    assert error_message(client.post("/api/read", content=b"--y\r\nnonsense", headers=bad), 400)


def test_requests_from_other_sites_and_to_other_host_names_are_refused(client):
    sent = {"json": {"digits": ["7"], "number": 1}}
    for origin in ("http://evil.example", "null"):
        refused = client.post("/api/generate", headers={"Origin": origin}, **sent)
        assert "other sites" in error_message(refused, 403)
    own = f"http://{client.base_url.netloc.decode()}"
    assert client.post("/api/generate", headers={"Origin": own}, **sent).status_code == 200
    for name in ("evil.example", "[", ""):
        assert "does not answer to the name" in error_message(
            client.get("/api/health", headers={"Host": name}), 400
        )
    assert client.get("/api/health", headers={"Host": "localhost:1"}).status_code == 200


def test_every_answer_has_the_security_headers(client):
    for path in ("/", "/static/app.js", "/api/health", "/nothing"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert "server" not in headers
    assert client.get("/api/health").headers["cache-control"] == "no-store"


def test_the_page_loads_nothing_from_other_hosts():
    static = Path(sys.modules["legible"].__file__).parent / "web" / "static"
    for path in static.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, path
        assert " style=" not in text and "onclick" not in text, (
            path
        )  # forbidden by the content security policy


def test_the_api_is_described_with_examples(client):
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
        for operation in methods.values():
            assert operation["summary"] and operation["tags"], path
            assert {"application/json"} >= set(operation["responses"]["500"]["content"])
    assert "examples" in json.dumps(document["components"]["schemas"]["Readings"])


def test_random_requests_find_no_error(server, tmp_path):
    """Schemathesis makes hundreds of requests from the OpenAPI document."""
    command = [
        Path(sys.executable).with_name("schemathesis"), "run", f"{server}api/openapi.json",
        "--max-examples=8", "--checks=all", "--exclude-checks=positive_data_acceptance", "--seed=1",
    ]  # fmt: skip  # any file is valid by the document, but not all are pictures
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "no_proxy": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_port_in_use_is_an_error_that_names_it(legible, server):
    port = httpx.URL(server).port
    done = legible("serve", "--port", port)
    assert done.code == 6 and f"cannot listen on 127.0.0.1, port {port}" in done.err


def test_cleaning_accepts_us_spellings_of_a_mode(client):
    page = {"file": ("page.jpg", (PICTURES / "page.jpg").read_bytes())}
    assert client.post("/api/clean", files=page, data={"mode": "color"}).status_code == 200
    refused = client.post("/api/clean", files=page, data={"mode": "sepia"})
    assert refused.status_code == 422
    assert "mode is one of grey, colour, black-and-white" in refused.text


def test_a_folder_without_results_is_refused_at_the_start(legible, tmp_path):
    done = legible("serve", "--port", 0, "--results", tmp_path)
    assert done.code == 3 and f"there is no {tmp_path / 'results.json'}. Write it: legible" in done.err
