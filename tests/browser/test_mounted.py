"""mirant.js at a bus that Starlette has mounted, with the address that people write: without the slash."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import async_playwright
from starlette.applications import Starlette
from starlette.routing import Mount

from mirant import Bus, Settings
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.hosts.serving import serving

pytestmark = pytest.mark.browser

TRANSPORTS = ("websocket", "long-polling", "callback-polling")

_TALK = """async ([transport]) => {
  const { Mirant } = await import("/cometd/mirant.js");
  const bus = new Mirant("/cometd", { transports: [transport] });
  const heard = [];
  await bus.connect();
  await bus.subscribe("/room", ({ data }) => heard.push(data));
  for (const data of [1, 2]) await bus.publish("/room", data);
  while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  const used = bus.transport;
  await bus.disconnect();
  return [used, heard];
}"""


@asynccontextmanager
async def mounted() -> AsyncIterator[str]:
    bus = Bus(settings=Settings(transports=TRANSPORTS))
    async with serving(bus, Starlette(routes=[Mount("/cometd", bus)])) as origin:
        yield origin


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_at_starlettes_own_mount_the_address_without_the_slash_will_do(transport: str) -> None:
    async def do() -> object:
        async with mounted() as origin, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = await browser.new_page()
            await page.goto(f"{origin}/cometd/")
            result: object = await page.evaluate(_TALK, [transport])
            await browser.close()
            return result

    assert asyncio.run(do()) == [transport, [1, 2]]
