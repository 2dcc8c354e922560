"""How much a proof does: little in the suite, all of it where `PROOF_ROUNDS` asks for it."""

import os


def rounds(default: int) -> int:
    return int(os.environ.get("PROOF_ROUNDS") or default)
