"""Which language a prompt is written in, by script and, for Latin letters, by the commonest little words."""

import re
from collections import Counter

SAMPLE_LENGTH = 4000

_SCRIPTS = {
    "kana": re.compile(r"[\u3040-\u30ff]"),
    "han": re.compile(r"[\u3400-\u9fff]"),
    "ko": re.compile(r"[\uac00-\ud7af]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
}
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_TRADITIONAL = re.compile(r"[們這個與為說對會過時從來還進將應請學產業資訊]")
_SIMPLIFIED = re.compile(r"[们这个与为说对会过时从来还进将应请学产业资讯]")

_LITTLE_WORDS = {
    "en": "the and of to a is that you for with your as will are be this it on an or not act want by from should",
    "es": "el la los las de que y en un una por con para como del su eres no se es al lo más debe",
    "pt": "o os as de que e em um uma por com para como do da não se você é ao dos das seu sua mais",
    "fr": "le la les de des et en un une que pour avec vous dans est sur au aux du je tu ne pas ou",
    "de": "der die das und ein eine ist zu mit für von auf du dem den nicht sie im wie als oder ich sich",
    "it": "il lo la gli di che e un una per con in del della è non si come sono i le da sei dei",
    "tr": "ve bir bu için ile olarak da de ne gibi en olan her daha sen ben çok ise olmalı değil",
    "nl": "de het een en van is dat in op voor met je niet zijn aan te als ook jij wordt",
    "pl": "i w na z do że się nie jest to jako dla oraz od po jak lub są",
}
_WORD_LANGUAGES = {
    word: [language for language, words in _LITTLE_WORDS.items() if word in words.split()]
    for words in _LITTLE_WORDS.values()
    for word in words.split()
}
# Fewer are names, keys of data or words that two languages share.
_MIN_DISTINCT = 5
_WORD = re.compile(r"[^\W\d_]+")


def detect_language(text: str) -> str:
    """A BCP-47 tag; "en" where nothing speaks for another language."""
    sample = text[:SAMPLE_LENGTH]
    counts = Counter({name: len(pattern.findall(sample)) for name, pattern in _SCRIPTS.items()})
    script, count = counts.most_common(1)[0]
    # One Chinese character says about as much as three Latin letters.
    weight = 3 if script in {"kana", "han", "ko"} else 1
    if count * weight * 2 <= len(_LATIN.findall(sample)) or count < 4:
        return _detect_latin(sample)
    if script in {"kana", "han"}:
        return _detect_east_asian(sample, counts)
    return script


def normalise_language(tag: str) -> str:
    """ "ja-JP" is "ja"; Chinese and Portuguese keep their region, which changes how they are written."""
    language, _dash, region = tag.replace("_", "-").partition("-")
    language = language.lower()
    if not language.isalpha() or not 2 <= len(language) <= 3:
        return ""
    return f"{language}-{region.upper()}" if language in {"zh", "pt"} and region.isalpha() else language


def _detect_east_asian(sample: str, counts: Counter[str]) -> str:
    if counts["kana"] * 10 > counts["han"]:
        return "ja"
    is_traditional = len(_TRADITIONAL.findall(sample)) > len(_SIMPLIFIED.findall(sample))
    return "zh-TW" if is_traditional else "zh-CN"


def _detect_latin(sample: str) -> str:
    hits: Counter[str] = Counter()
    distinct: Counter[str] = Counter()
    for word, count in Counter(_WORD.findall(sample.lower())).items():
        for language in _WORD_LANGUAGES.get(word, ()):
            hits[language] += count
            distinct[language] += 1
    if not hits:
        return "en"
    language, count = hits.most_common(1)[0]
    return language if distinct[language] >= _MIN_DISTINCT and count > hits["en"] * 1.5 else "en"
