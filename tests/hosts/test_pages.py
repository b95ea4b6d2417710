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


def test_a_page_may_make_a_worker_of_a_blob_but_run_no_inline_script() -> None:
    policy = dict(Pages().respond("/", "", None).headers)["content-security-policy"]
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))

    assert directives["worker-src"] == "'self' blob:"
    assert directives["default-src"] == "'self'"
    assert "script-src" not in directives


@pytest.mark.parametrize("known", [False, True])
async def test_an_application_gives_its_pages_a_policy_of_its_own(tmp_path: Path, *, known: bool) -> None:
    (tmp_path / "index.html").write_text("hello")
    bus = Bus(pages=tmp_path, content_security_policy="default-src 'self' https://fonts.example")
    headers = {"if-none-match": etag(b"hello")} if known else {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=bus), base_url="http://bus") as http:
        response = await http.get("/", headers=headers)

    assert response.status_code == (304 if known else 200)
    assert response.headers.get_list("content-security-policy") == [
        "default-src 'self' https://fonts.example"
    ]


@pytest.mark.parametrize("policy", ["default-src 'self'\r\nset-cookie: a=b", "default-src\n", "img-src ☄"])
def test_a_policy_that_is_not_one_line_is_refused(policy: str) -> None:
    with pytest.raises(ValueError, match="one line of ASCII"):
        Bus(content_security_policy=policy)


def test_a_module_with_the_suffix_of_node_is_javascript(tmp_path: Path) -> None:
    (tmp_path / "page.mjs").write_text("export default 1;")

    assert Pages(tmp_path).respond("/page.mjs", "", None).content_type == "text/javascript;charset=utf-8"
