"""Reading ``mirant.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from mirant.bus.settings import Settings
from mirant.bus.settings_values import SettingsError


def load(path: Path) -> Settings:
    """Return the settings in the TOML file at *path*.

    Raises:
        SettingsError: it is not TOML, or an option in it does not exist or cannot have its value.
        OSError: it cannot be read.
    """
    try:
        return Settings.read(tomllib.loads(path.read_text("utf-8-sig")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: this is not TOML: {error}") from None
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None
