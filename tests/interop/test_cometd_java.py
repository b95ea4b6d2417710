"""The CometD client for Java, as Maven has it, over HTTP and over the WebSockets of Jakarta."""

import shutil

import pytest

from tests.interop.features import Batches, Calls, Features, Report
from tests.interop.running import AsScript, Script
from tests.interop.server import ROOT

JARS = ROOT / "build" / "java"


class JavaProgram(Script):
    """A source file that a JDK compiles and runs."""

    @staticmethod
    def launcher() -> list[str]:
        java = shutil.which("java")
        if java is None or not JARS.is_dir():
            pytest.skip("needs a JDK and the client of CometD: run `make java`")
        return [java, "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", f"{JARS}/*"]


@pytest.mark.interop
class TestCometDForJava(AsScript, Features, Batches, Calls):
    """Version 8, with acknowledged delivery."""

    client = "cometd 8"
    platform = "Java"
    kind, script = JavaProgram, "java/Battery.java"
    transports = ("websocket", "long-polling")

    def test_ack(self, report: Report) -> None:
        assert report["extensions"]["negotiated"] is True
        # One answer at least, to the first connect of the second session; the next may still be held.
        numbers = report["extensions"]["acknowledged"]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 1
