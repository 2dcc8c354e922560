"""How much a proof does: little where people wait for the suite, all of it where `PROOF=whole` asks for it.

`PROOF_ROUNDS` names any number for those that are repeated as often as one likes.
"""

import os

IS_WHOLE = os.environ.get("PROOF") == "whole"


def size(usual: int, whole: int) -> int:
    return whole if IS_WHOLE else usual


def rounds(default: int) -> int:
    return int(os.environ.get("PROOF_ROUNDS") or default)
