"""How Hypothesis runs here.

No deadlines: machines are noisy, and a slow one is no bug. For mutants the examples are the same each
time and not shrunk: what counts is whether one fails.
"""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile("default", deadline=None)
settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    max_examples=60,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("default")
