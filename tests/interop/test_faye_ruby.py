"""Faye's client for Ruby, as Debian has it. Beside its own faults it has those of Ruby's cookie jar."""

import shutil
import subprocess

import pytest

from tests.interop.features import Features
from tests.interop.running import AsScript, Script


class RubyProgram(Script):
    """A script under Ruby."""

    @staticmethod
    def launcher() -> list[str]:
        ruby = shutil.which("ruby")
        if ruby is None or subprocess.run([ruby, "-e", "require 'faye'"], check=False).returncode:
            pytest.skip("needs Ruby with Faye: run `make ruby`")
        return [ruby]


@pytest.mark.interop
class TestFayeForRuby(AsScript, Features):
    """Version 1.4."""

    client = "faye 1.4"
    platform = "Ruby"
    kind, script = RubyProgram, "ruby/battery.rb"
    transports = ("websocket", "long-polling")
