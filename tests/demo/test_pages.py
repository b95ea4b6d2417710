"""The demo's pages as they are served: complete wherever the bus is mounted, and within the strict policy."""

import re

import httpx
import pytest

from mirant import Bus
from mirant.demo.app import PAGES
from tests.demo.client import nothing

HTML = sorted(page.stem for page in PAGES.glob("*.html"))
REFERENCE = re.compile(r'(?:href|src)="([^"#]+)"')
IMPORT = re.compile(r'from "\./([a-z.]+)"')


async def get(bus: Bus, mount: str, path: str) -> httpx.Response:
    """Ask a bus mounted at *mount* for *path*."""
    transport = httpx.ASGITransport(app=bus.mount(nothing, mount))
    async with httpx.AsyncClient(transport=transport, base_url="http://bus") as http:
        return await http.get(path)


@pytest.mark.parametrize("mount", ["/cometd", "/deep/down/bus"])
@pytest.mark.parametrize("page", HTML)
async def test_what_a_page_refers_to_is_there(bus: Bus, mount: str, page: str) -> None:
    address = mount if page == "index" else f"{mount}/{page}"
    html = (await get(bus, mount, address)).text
    assert "{{" not in html
    own = [reference for reference in REFERENCE.findall(html) if not reference.startswith("https://")]
    assert f"{mount}/{page}.js" in own
    for reference in own:
        assert reference.startswith(mount)
        assert (await get(bus, mount, reference)).status_code == 200, reference


@pytest.mark.parametrize("script", sorted(path.name for path in PAGES.glob("*.js")))
async def test_what_a_script_imports_is_there(bus: Bus, script: str) -> None:
    response = await get(bus, "/cometd", f"/cometd/{script}")
    assert response.headers["content-type"].startswith("text/javascript")
    for imported in IMPORT.findall(response.text):
        assert (await get(bus, "/cometd", f"/cometd/{imported}")).status_code == 200, imported


@pytest.mark.parametrize("page", HTML)
def test_pages_have_nothing_inline_and_load_nothing_from_elsewhere(page: str) -> None:
    html = (PAGES / f"{page}.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", html)
    assert not re.search(r'(?:src|<link[^>]*href)="(?:https?:)?//', html)


@pytest.mark.parametrize("file", sorted(path.name for path in PAGES.iterdir()))
def test_styles_and_scripts_name_no_other_site(file: str) -> None:
    text = (PAGES / file).read_text()
    allowed = ("http://www.w3.org/", "https://docs.cometd.org/", "http://localhost:8080/cometd")
    others = [url for url in re.findall(r"https?://[^\s\"'`)<]+", text) if not url.startswith(allowed)]
    assert others == []
