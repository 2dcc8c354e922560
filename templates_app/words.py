"""Words about templates that several pages say."""

from functools import lru_cache

from django.utils.translation import get_language_info

COMMON_LANGUAGES = tuple("en de es fr it nb nl pl pt pt-BR sv tr uk ru ar hi ja ko zh-Hans zh-Hant".split())


@lru_cache(maxsize=256)
def language_name(code: str) -> str:
    """A language in its own words; an unknown code as it is."""
    try:
        name = str(get_language_info(code.lower())["name_local"])
    except KeyError:
        return code
    return name[:1].upper() + name[1:]
