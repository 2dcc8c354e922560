"""The letters of search: what is part of a word, and which spellings of it are one.

Both databases must give the same answers. MySQL has its own idea of a letter (InnoDB's parser knows the Basic
Multilingual Plane as of Unicode 5.0) and of equal letters (the primary weights of the collation utf8mb4_0900_ai_ci), so
SQLite is taught the same two things here. A test compares both tables with the server.
"""

import re
import unicodedata

WORD_RANGES = """
    30-39 41-5A 5F 61-7A AA B2-B3 B5 B9-BA BC-BE C0-D6 D8-F6 F8-2C1 2C6-2D1 2E0-2E4 2EE 300-36F 37A-37D 386 388-3CE
    3D0-3F5 3F7-481 483-486 488-513 531-559 561-587 591-5BD 5BF 5C1-5C2 5C4-5C5 5C7-5EA 5F0-5F2 610-615 621-63A
    640-65E 660-669 66E-6D3 6D5-6DC 6DE-6E8 6EA-6FC 6FF 710-76D 780-7F5 7FA 901-939 93C-94D 950-954 958-963 966-96F
    97B-97F 981-9F1 9F4-9F9 A01-A4D A59-A74 A81-AEF B01-B43 B47-B4D B56-B61 B66-B6F B71 B82-BCD BD7-BF2 C01-C03
    C05-C33 C35-C39 C3E-C56 C60-C61 C66-C6F C82-C83 C85-CD6 CDE-CEF D02-D03 D05-D28 D2A-D39 D3E-D43 D46-D4D D57
    D60-D61 D66-D6F D82-DDF DF2-DF3 E01-E3A E40-E4E E50-E59 E81-E84 E87-E88 E8A E8D E94-E97 E99-E9F EA1-EA7 EAA-EAB
    EAD-EB9 EBB-EDD F00 F18-F19 F20-F33 F35 F37 F39 F3E-F6A F71-F84 F86-F8B F90-FBC FC6 1000-1021 1023-1027
    1029-102A 102C-1032 1036-1039 1040-1049 1050-1059 10A0-10C5 10D0-10FA 10FC 1100-1159 115F-11A2 11A8-11F9
    1200-135A 135F 1369-138F 13A0-13F4 1401-166C 166F-1676 1681-169A 16A0-16EA 16EE-16F0 1700-170C 170E-1714
    1720-1734 1740-17B3 17B6-17D3 17D7 17DC-17F9 180B-180D 1810-1877 1880-18A9 1900-191C 1920-193B 1946-19A9
    19B0-19D9 1A00-1A1B 1B00-1B4B 1B50-1B59 1B6B-1B73 1D00-1DCA 1DFE-1E9B 1EA0-1EF9 1F00-1FBC 1FBE 1FC2-1FCC
    1FD0-1FDB 1FE0-1FEC 1FF2-1FFC 2070-2079 207F-2089 2090-2094 20D0-20EF 2102 2107 210A-2113 2115 2119-211D 2124
    2126 2128 212A-212D 212F-2139 213C-213F 2145-2149 214E 2153-2184 2460-249B 24EA-24FF 2776-2793 2C00-2C2E
    2C30-2C5E 2C60-2C6C 2C74-2C77 2C80-2CE4 2CFD 2D00-2D25 2D30-2D65 2D6F 2D80-2DDE 3005-3007 3021-302F 3031-3035
    3038-303C 3041-309A 309D-309F 30A1-30FA 30FC-312C 3131-318E 3192-3195 31A0-31B7 31F0-31FF 3220-3229 3251-325F
    3280-3289 32B1-32BF 3400-4DB5 4E00-9FA5 9FBB A000-A48C A717-A71A A800-A827 A840-A873 AC00-D7A3 F900-FA2D
    FA30-FA6A FA70-FB28 FB2A-FBB1 FBD3-FD3D FD50-FDC7 FDF0-FDFB FE00-FE0F FE20-FE23 FE70-FEFC FF10-FF19 FF21-FF3A
    FF41-FF5A FF66-FFDC
"""
"""What InnoDB's parser takes for part of a word: letters, digits, marks and the underscore; code points in hex."""

IGNORABLE_RANGES = """
    300-362 483-486 488-489 591-5BD 5BF 5C1-5C2 5C4-5C5 5C7 610-615 640 64B-65E 670 6D6-6DC 6DF-6E4 6E7-6E8 6EA-6ED
    711 730-74A 7EB-7F3 7FA 901-903 93C 951-954 981-983 9BC A01-A03 A3C A70-A71 A81-A83 ABC B01-B03 B3C B82 C01-C03
    C82-C83 CBC D02-D03 D82-D83 E47-E4E EC8-ECD F18-F19 F35 F37 F39 F3E-F3F F7E-F7F F82-F83 F86-F87 FC6 1036-1038
    135F 17C6-17D1 17D3 17DD 180B-180D 1939-193B 1B00-1B04 1B34 1B6B-1B73 1DC0-1DC9 1DFE-1DFF 20D0-20EF 302A-302F
    3099-309A A80B FB1E FC5E-FC63 FCF2-FCF4 FE00-FE0F FE20-FE23 FE70-FE7F FF9E-FF9F
"""
"""Marks without a weight of their own: accents, vowel points, tatweel."""

UNSPACED_RANGES = """
    E01-E3A E40-E4E E81-ECD 1000-103F 1050-109F 1100-11FF 1780-17D3 17D7 17DC-17DD 3005-3007 3021-3029 3031-3035
    3038-303C 3041-3096 3099-309A 309D-309F 30A1-30FA 30FC-30FF 3105-318E 31A0-31B7 31F0-31FF 3400-4DB5 4E00-9FBB
    A000-A48C AC00-D7A3 F900-FA6A FA70-FAD9 FF66-FF9F FFA0-FFDC
"""
"""Scripts written without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), and Korean, whose words
carry endings: searched by pairs of characters, so that any part of a run is found."""

APART = frozenset("йآأإؤئำຳ")
"""Letters that decompose into another letter and a mark, and are letters of their own to the collation."""

ALIKE = dict(
    pair.split(":")
    for pair in (
        "æ:ae œ:oe ð:d đ:d ħ:h ł:l ŀ:l ø:o ʣ:dz ґ:г ך:כ ם:מ ן:נ ף:פ ץ:צ װ:וו ױ:וי ײ:יי ٴ:ء ۥ:و ۦ:ي"
        " ぁ:あ ぃ:い ぅ:う ぇ:え ぉ:お ゕ:か ゖ:け っ:つ ゃ:や ゅ:ゆ ょ:よ ゎ:わ"
        " ㇰ:く ㇱ:し ㇲ:す ㇳ:と ㇴ:ぬ ㇵ:は ㇶ:ひ ㇷ:ふ ㇸ:へ ㇹ:ほ ㇺ:む ㇻ:ら ㇼ:り ㇽ:る ㇾ:れ ㇿ:ろ"
    ).split()
)
"""Letters that do not decompose, and are the same letter to the collation."""


def characters(ranges: str) -> str:
    """The inside of a regular expression's character class."""
    ends = ([chr(int(end, 16)) for end in part.split("-")] for part in ranges.split())
    return "".join("-".join(end) for end in ends)


WORD = re.compile(f"[{characters(WORD_RANGES)}]+")
UNSPACED = re.compile(f"[{characters(UNSPACED_RANGES)}]+")
_IGNORABLE = re.compile(f"[{characters(IGNORABLE_RANGES)}]")


class _Folding(dict[int, str]):
    """Code point → the letters it counts as; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold(chr(code))
        return folded


_FOLDING = _Folding()


def fold(word: str) -> str:
    """The spelling under which a word is equal to others: case, accents, width and kana make no difference."""
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFC", word).translate(_FOLDING)


def _fold(character: str) -> str:
    if _IGNORABLE.match(character):
        return ""
    if character in APART:
        return character
    if character.lower() in ALIKE:
        return ALIKE[character.lower()]
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    compatible = unicodedata.normalize("NFKC", character)
    if not all(part.isalnum() or ord(part) > 127 for part in compatible):
        return character  # a letter in brackets is not the letter
    return "".join(_fold_letter(part) for part in compatible.casefold())


def _fold_letter(letter: str) -> str:
    if letter in APART or letter == "_":
        return letter
    parts = _IGNORABLE.sub("", _IGNORABLE.sub("", unicodedata.normalize("NFKD", letter)).casefold())
    hiragana = "".join(chr(ord(part) - 0x60) if "ァ" <= part <= "ヶ" else part for part in parts)
    composed = unicodedata.normalize("NFC", hiragana)
    return "".join(ALIKE.get(part, part) for part in composed)
