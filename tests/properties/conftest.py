"""How much Hypothesis tries: in CI always the same examples, elsewhere new ones each time."""

import os

from hypothesis import HealthCheck, settings

# Time limits per example are pytest's business: a busy machine is no counterexample.
settings.register_profile(
    "new", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)
settings.register_profile("same", settings.get_profile("new"), derandomize=True)
settings.load_profile("same" if os.environ.get("CI") else "new")
