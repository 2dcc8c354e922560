"""Read `.env`, or fill in what a first start needs. Standard library only: it runs before anything is installed.

python script/dotenv.py get NAME [DEFAULT]   the environment's value, else that of .env, else the default
python script/dotenv.py ensure               give SECRET_KEY and DEMO_PASSWORD random values where they have none
"""

import os
import re
import secrets
import sys
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / ".env"


def stored(name: str, text: str) -> str:
    """The first value of `name` in the file's text, unquoted; the program reads it the same way."""
    found = re.search(rf"^(?:export )?{name}=(.*)$", text, re.MULTILINE)
    value = found[1].strip() if found else ""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def password() -> str:
    """Twelve letters and digits in three groups, none that reads like another: 58 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(3))


def ensure() -> None:
    """Add only what is missing or empty; whatever else stands in the file stays as it is."""
    text = FILE.read_text() if FILE.exists() else ""
    before = text
    for name, value in {"SECRET_KEY": secrets.token_urlsafe(48), "DEMO_PASSWORD": password()}.items():
        if os.environ.get(name) or stored(name, text):
            continue
        text, filled = re.subn(rf"^{name}=[ \t]*$", f"{name}={value}", text, count=1, flags=re.MULTILINE)
        if not filled:
            text += f"{'' if not text or text.endswith(chr(10)) else chr(10)}{name}={value}\n"
    if text == before:
        return
    fresh = FILE.with_name(f".env.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(FILE)
    print("Wrote a random SECRET_KEY and DEMO_PASSWORD to .env.", file=sys.stderr)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["ensure"]:
            ensure()
        case ["get", name, *rest]:
            text = FILE.read_text() if FILE.exists() else ""
            print(os.environ.get(name) or stored(name, text) or "".join(rest))
        case _:
            sys.exit(__doc__)
