"""promptlib's own settings, and one more address: the bare view that its pages are compared with."""

import os

from promptlib.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
STATIC_ROOT = os.environ["BENCH_STATIC_ROOT"]
