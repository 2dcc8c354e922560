"""Rules about the repository itself: what it pins, names, documents and promises."""

import ast
import importlib.metadata
import json
import re
import subprocess
import tomllib
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ["promptlib", "accounts", "audit", "templates_app", "conversations"]
NOT_SETTINGS = {"DJANGO_SETTINGS_MODULE"}


def tracked(*patterns: str) -> list[Path]:
    """The repository's own files; in an exported copy without git, all that are not hidden or installed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        found = {path for pattern in patterns or ["*"] for path in ROOT.rglob(pattern.removeprefix("**/"))}
        return sorted(
            path for path in found if path.is_file() and not {".venv", ".cache", "node_modules"} & {*path.parts}
        )
    return sorted(ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file())


# ---- configuration ----------------------------------------------------------


def variables_read() -> set[str]:
    """Names the program reads from the environment."""
    names: set[str] = {"DEMO_PASSWORD"}  # read by the scripts
    for folder in PRODUCT:
        for path in (ROOT / folder).rglob("*.py"):
            names.update(re.findall(r"""\benv\.\w+\(\s*["']([A-Z][A-Z0-9_]+)["']""", path.read_text()))
            names.update(re.findall(r"""environ(?:\.get\(|\[)\s*["']([A-Z][A-Z0-9_]+)["']""", path.read_text()))
    return names - NOT_SETTINGS


def example() -> dict[str, str]:
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def documented() -> dict[str, str]:
    """Variable and default as the tables of docs/configuration.md give them."""
    rows = re.findall(
        r"^\| `([A-Z][A-Z0-9_]+)` \|.*\|", text := (ROOT / "docs/configuration.md").read_text(), re.MULTILINE
    )
    cells = {name: re.search(rf"^\| `{name}` \| (.*) \|$", text, re.MULTILINE)[1].split(" | ") for name in rows}
    return {name: found[1] for name, found in cells.items()}


def literal_defaults() -> dict[str, str]:
    """Defaults that settings.py and gunicorn.py write as plain values."""
    found: dict[str, str] = {}
    for path in ("promptlib/settings.py", "promptlib/gunicorn.py"):
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.args[0].value
                default = next((word.value for word in node.keywords if word.arg == "default"), None)
                if ast.unparse(node.func) == "os.environ.get":
                    default = node.args[1]
                try:
                    value = ast.literal_eval(default) if default else None
                except ValueError:
                    continue
                if value is not None:
                    found[str(name)] = ",".join(value) if isinstance(value, list) else str(value)
    return found


def test_every_variable_is_in_the_example_file_and_in_the_documents() -> None:
    assert set(example()) == variables_read()
    assert set(documented()) == variables_read()


def test_the_example_file_gives_the_programs_own_defaults() -> None:
    named = {name: value.strip('"') for name, value in example().items()}
    differing = {
        name: (default, named[name])
        for name, default in literal_defaults().items()
        if name in named and named[name] != default
    }
    assert differing == {}
    assert {"DEBUG", "REGISTRATION", "PORT", "ALLOWED_HOSTS"} <= set(literal_defaults())


def test_the_documents_give_the_programs_own_defaults() -> None:
    for name, default in literal_defaults().items():
        assert (f"`{default}`" if default else "none") == documented()[name], name


# ---- requirements -----------------------------------------------------------


def pins(file: str) -> dict[str, Requirement]:
    lines = (line.split("  #")[0].strip() for line in (ROOT / file).read_text().splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith(("#", "-r "))]
    return {canonicalize_name(requirement.name): requirement for requirement in wanted}


def needs(requirement: Requirement) -> list[str]:
    """Names of what an installed package with these extras asks for on this machine."""
    asked = [Requirement(text) for text in importlib.metadata.requires(requirement.name) or []]
    extras = ["", *requirement.extras]
    return [
        canonicalize_name(other.name)
        for other in asked
        if not other.marker or any(other.marker.evaluate({"extra": extra}) for extra in extras)
    ]


@pytest.mark.parametrize(
    ("file", "beneath"),
    [
        ("requirements.txt", []),
        ("requirements-mysql.txt", ["requirements.txt"]),
        ("requirements-dev.txt", ["requirements.txt"]),
    ],
)
def test_requirements_pin_their_whole_closure(file: str, beneath: list[str]) -> None:
    own = pins(file)
    known = own | {name: pin for other in beneath for name, pin in pins(other).items()}
    assert [name for name, pin in own.items() if not re.fullmatch(r"==[\w.!+]+", str(pin.specifier))] == []
    assert [line for other in beneath if (line := f"-r {other}") not in (ROOT / file).read_text().splitlines()] == []
    if file != "requirements-mysql.txt":
        missing = {need: name for name, pin in own.items() for need in needs(pin) if need not in known}
        assert missing == {}
        assert {name: importlib.metadata.version(name) for name in own} == {
            name: str(pin.specifier).removeprefix("==") for name, pin in own.items()
        }


# ---- containers -------------------------------------------------------------


def compose() -> dict:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_the_compose_file_follows_the_compose_specification() -> None:
    schema = resources.files("check_jsonschema.builtin_schemas") / "vendor" / "compose-spec.json"
    jsonschema.validate(compose(), json.loads(schema.read_text()))


def test_the_containers_start_in_order_and_let_mysql_create_triggers() -> None:
    services = compose()["services"]
    assert {name: service.get("depends_on") for name, service in services.items()} == {
        "mysql": None,
        "migrate": {"mysql": {"condition": "service_healthy"}},
        "web": {
            "mysql": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        },
    }
    assert services["mysql"]["image"] == "mysql:8.4"
    assert services["mysql"]["volumes"] == ["mysql:/var/lib/mysql"]
    assert "--log-bin-trust-function-creators=1" in services["mysql"]["command"]
    assert services["web"]["environment"] == services["migrate"]["environment"]
    assert {name: services["web"]["environment"][name] for name in ("HOST", "PORT", "MYSQL_ROOT_PASSWORD")} == {
        "HOST": "0.0.0.0",
        "PORT": "8000",
        "MYSQL_ROOT_PASSWORD": "",
    }
    assert services["web"]["ports"] == ["${HOST:-127.0.0.1}:${PORT:-8000}:8000"]


def test_the_image_copies_what_exists_and_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert [name for name in allowed if not (ROOT / name).exists()] == []
    assert {*PRODUCT, "manage.py", "requirements.txt", "requirements-mysql.txt", "script/healthcheck.py"} <= {*allowed}
    assert [line for line in lines if line.startswith("USER")] == ["USER promptlib"]
    assert lines.index("USER promptlib") > max(number for number, line in enumerate(lines) if line.startswith("RUN"))


# ---- documents --------------------------------------------------------------


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 120
    assert "\nscript/server\n" in text
    assert "\nscript/test\n" in text


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for path in tracked("*.md"):
        text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(), flags=re.DOTALL)
        if path.is_relative_to(ROOT / "promptlib") or path.is_relative_to(ROOT / "tests"):
            continue  # content and samples, not documents
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            file, _, anchor = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = (path.parent / file).resolve() if file else path
            headings = (
                re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
                if there.suffix == ".md" and there.exists()
                else []
            )
            slugs = {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
            if not there.exists() or (anchor and anchor not in slugs):
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []


def test_the_version_has_a_place_in_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in text
    assert project["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026 promptlib contributors\n")


# ---- the code ---------------------------------------------------------------


@pytest.mark.parametrize("script", ["script/server", "script/test", "script/mysql", ".ci/run"])
def test_scripts_run_and_are_valid_bash(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_vendor_differences_live_in_the_kernel_alone() -> None:
    strays = [
        str(path.relative_to(ROOT))
        for folder in PRODUCT
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"connections?(\[.*\])?\.vendor", path.read_text())
        and not path.is_relative_to(ROOT / "promptlib" / "core")
        and "migrations" not in path.parts
    ]
    assert strays == []


def test_raw_colours_stand_in_the_tokens_alone() -> None:
    strays = [
        f"{path.relative_to(ROOT)}: {found}"
        for path in tracked("*.css")
        if path.is_relative_to(ROOT / "promptlib") and path.name != "tokens.css"
        for found in re.findall(r":[^;{}]*(#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\([^)]*\))", path.read_text())
    ]
    assert strays == []
