"""Properties are about what comes out, not how long a busy machine takes."""

from hypothesis import settings

settings.register_profile("yima", deadline=None)
settings.load_profile("yima")
