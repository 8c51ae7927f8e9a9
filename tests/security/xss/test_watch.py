"""What the other tests look for would be found: each text runs or shows where one is careless."""

import pytest

from tests.security.xss.payloads import PAYLOADS, POLYGLOT
from tests.security.xss.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Where a page might put a text without thinking; in the last three it would stand in a script.
CARELESS = (
    "<p>{}</p>", '<a href="{}">x</a>', "<a href='{}'>x</a>", "<i title=`{}`>x</i>",
    "<title>{}</title>", "<textarea>{}</textarea>", "<style>{}</style>", "<!--{}-->",
    "<svg><style><![CDATA[{}]]></style></svg>",
    '<script>var a = "{}";</script>', "<script>var a = '{}';</script>",
    "<script>\n//{}\n</script>",
)  # fmt: skip
# Written twice over, these are for who decodes twice.
NOT_IN_HTML = {text for text in PAYLOADS if text.startswith(("\\u003c", "&amp;"))}


def shows(watch: Watch, text: str) -> bool:
    """Whether the text is found in one of the careless places."""
    for place in CARELESS:
        watch.found.clear()
        watch.show(f"<!doctype html><title>x</title>{place.replace('{}', text)}")
        own = [one for one in watch.found if ("<script>" not in place or "has run" in one)]
        if own:
            return True
    return False


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("<p><script>self.xss7=1</script></p>", "has run"),
        ("<img src=x7 onerror=self.xss7=1>", "has run"),
        ("<a href='java\tscript:self.xss7=1'>x</a>", "address"),
        ("<img src=//canary.invalid/x7>", "request to http://canary.invalid"),
        ("<div data-hx-get=/x7></div>", "handler"),
        ("<script>alert(7)</script>", "dialog 7"),
        ("<svg><a><text>x</text></a></svg>", "link in a picture"),
        ("<x7>", "unknown element"),
        ("<base href=//canary.invalid/>", "element: <base"),
    ],
)
def test_what_a_careless_page_does_is_found(watch: Watch, html: str, told: str) -> None:
    watch.show(f"<!doctype html><title>x</title>{html}")
    assert told in " ".join(watch.found)


def test_a_page_that_is_read_only_is_looked_through_too(watch: Watch) -> None:
    watch.show("<!doctype html><title>x</title><p>&lt;script&gt;</p>")
    assert watch.found == []
    watch.read("<p><img src=x7 onerror=self.xss7=1>", "here")
    assert [one for one in watch.found if one.startswith("here: handler")]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_every_text_shows_where_one_is_careless(watch: Watch) -> None:
    silent = {text for text in (*PAYLOADS, POLYGLOT) if not shows(watch, text)}
    assert silent == NOT_IN_HTML
