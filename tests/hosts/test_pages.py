"""The browser client as a bus serves it: one address to import, and the modules that it imports below it."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from mirant import Bus
from mirant.hosts.pages import Pages, etag

CLIENT = Path(__file__).parents[2] / "js"
MODULES = sorted(str(path.relative_to(CLIENT)) for path in CLIENT.rglob("*.js"))

#: Statements of one line, and calls: all that imports a module.
IMPORT = re.compile(r'(?:from |import |import\()"(\.[^"]+)"')

elsewhere = PlainTextResponse("the application beside the bus")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_served_as_it_is(module: str) -> None:
    content = (CLIENT / module).read_bytes()
    response = Pages().respond(f"/{module}", "/cometd", None)

    assert (response.status, response.body) == (200, content)
    assert response.content_type == "text/javascript;charset=utf-8"
    assert ("etag", etag(content)) in response.headers
    assert ("cache-control", "no-cache") in response.headers


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_the_browser_has_is_not_sent_again(module: str) -> None:
    tag = etag((CLIENT / module).read_bytes())
    response = Pages().respond(f"/{module}", "/cometd", tag)

    assert (response.status, response.body) == (304, b"")


@pytest.mark.parametrize("mount", ["", "/cometd", "/deep/down/bus"])
@pytest.mark.parametrize("module", MODULES)
async def test_what_a_module_imports_is_there_below_any_mount(mount: str, module: str) -> None:
    bus = Bus()
    app = bus.mount(elsewhere, mount) if mount else bus
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bus") as http:
        address = httpx.URL(f"http://bus{mount}/{module}")
        text = (await http.get(address)).text
        for imported in IMPORT.findall(text):
            response = await http.get(address.join(imported))
            assert response.headers["content-type"].startswith("text/javascript"), imported


def test_the_files_of_an_application_do_not_take_the_place_of_a_module(tmp_path: Path) -> None:
    (tmp_path / "session.js").write_text("the application's")
    (tmp_path / "mirant").mkdir()
    (tmp_path / "mirant" / "session.js").write_text("neither")
    pages = Pages(tmp_path)

    assert pages.respond("/session.js", "", None).body == b"the application's"
    assert (
        pages.respond("/mirant/session.js", "", None).body == (CLIENT / "mirant" / "session.js").read_bytes()
    )


@pytest.mark.parametrize(
    "path", ["/mirant", "/mirant/", "/mirant/none.js", "/mirant/../mirant.js", "/tsconfig.json"]
)
def test_nothing_else_is_there(path: str) -> None:
    assert Pages().respond(path, "", None).status == 404
