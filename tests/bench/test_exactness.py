"""The page on exactness is what is measured, and what is measured is within the bars."""

from bench.exactness import PAGE, lines, page

BARS = (1e-4, 1e-4, 1e-3)


def test_the_page_is_what_is_measured() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_error_is_within_the_bars() -> None:
    for line in lines():
        for error, bar in zip(line.errors, BARS, strict=True):
            assert error is None or error <= bar, line
