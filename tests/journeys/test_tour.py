"""The tour: one command that writes one self-contained page."""

import re


def test_the_tour_writes_one_page_with_every_picture(legible, tmp_path):
    done = legible("tour", "-o", tmp_path / "tour.html")
    assert (done.code, done.out) == (0, f"{tmp_path / 'tour.html'}\n"), done.err
    page = (tmp_path / "tour.html").read_text()
    assert len(re.findall(r"<h2>\d\. ", page)) == 7 and page.count("<img ") == 8
    assert page.count('src="data:image/png;base64,') == 8
    assert not re.search(r'(src|href)="(?!data:)', page) and "http" not in page
    accuracy = re.search(r"and reads ([\d.]+) %", page)
    assert accuracy and float(accuracy[1]) > 90
    before, after = re.search(
        r"reads ([\d.]+) % of the digits correctly; after denoising, ([\d.]+) %", page
    ).groups()
    assert float(after) > float(before) + 10
    assert "\u201c1926\u201d" in page  # the number is read
    assert re.search(r"made in (\d+ h )?(\d+ min )?[\d.]+ (s|min)", page)


def test_a_tour_does_not_overwrite_files_and_is_html_only(legible, tmp_path):
    (tmp_path / "tour.html").write_text("mine")
    done = legible("tour", "-o", tmp_path / "tour.html")
    assert done.code == 6 and "exists already" in done.err and (tmp_path / "tour.html").read_text() == "mine"
    assert legible("tour", "-o", tmp_path / "tour.pdf").code == 2
