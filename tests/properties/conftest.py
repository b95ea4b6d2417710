"""How much Hypothesis tries here: fewer examples than elsewhere, because each takes longer."""

from hypothesis import settings

settings.register_profile("slow", settings.get_profile("mirant"), max_examples=60)
settings.load_profile("slow")
