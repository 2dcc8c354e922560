import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import override_settings

CSS = Path(__file__).resolve().parents[2] / "promptlib/core/static/css"
JS = CSS.parent / "js"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "promptlib.core.storage.StaticStorage"},
}


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The static files as a server gets them: collected, hashed, joined, compressed."""
    folder = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=folder, STORAGES=STORAGES):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield folder


def path_of(folder, name):
    return folder / staticfiles_storage.url(name).removeprefix("/static/")


def test_the_style_sheet_is_one_file_with_every_part_in_order(collected):
    text = path_of(collected, "css/app.css").read_text()
    assert "@import" not in text
    assert text.index("@layer reset, tokens, base, layout, components, utilities;") < text.index("@layer reset {")
    for part in [*CSS.glob("*.css"), *(CSS / "components").glob("*.css")]:
        if part.name != "app.css":
            assert part.read_text().strip() in text, part.name
    assert text.count("{") == text.count("}")


def test_the_page_asks_for_hashed_files_that_are_there(collected):
    page = render_to_string("500.html") + render_to_string("base.html")
    page += Template('{% icon "search" %}').render(Context())
    addresses = set(re.findall(r'(?:href|src)="/static/([^"#]+)', page))
    assert {re.sub(r"\.[0-9a-f]{12}\.", ".", address) for address in addresses} == {
        "css/app.css",
        "favicon.svg",
        "js/app.js",
        "django_htmx/htmx-2.min.js",
        "icons.svg",
    }
    assert [address for address in addresses if not (collected / address).is_file()] == []
    assert all(re.search(r"\.[0-9a-f]{12}\.", address) for address in addresses)


def test_modules_import_hashed_modules_that_are_there(collected):
    script = path_of(collected, "js/app.js")
    waiting, seen = [script], set()
    while waiting:
        module = waiting.pop()
        seen.add(re.sub(r"\.[0-9a-f]{12}\.js$", ".js", module.name))
        waiting += [
            module.parent / name for name in re.findall(r'import[^"\']*["\']([^"\']+)["\']', module.read_text())
        ]
    assert seen == {path.name for path in JS.glob("*.js") if path.name in seen or path.name in script.read_text()}
    assert {"app.js", "dom.js", "theme.js"} <= seen


def test_the_first_page_weighs_little(collected):
    names = ["css/app.css", "django_htmx/htmx-2.min.js", "icons.svg", *(f"js/{path.name}" for path in JS.glob("*.js"))]
    sizes = {}
    for name in names:
        path = path_of(collected, name)
        packed = path.with_name(path.name + ".gz")
        sizes[name] = (packed if packed.exists() else path).stat().st_size
    assert sum(sizes.values()) < 60_000, sizes


def test_without_collected_files_names_stay_as_they_are(tmp_path):
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=STORAGES):
        assert staticfiles_storage.url("css/app.css") == "/static/css/app.css"


def test_modules_of_every_app_import_files_that_are_there(collected):
    root = CSS.parents[3]
    for folder in ("promptlib", "accounts", "audit", "templates_app", "conversations"):
        for script in (root / folder).rglob("static/**/*.js"):
            name = script.as_posix().rpartition("/static/")[2]
            module = path_of(collected, name)
            imported = re.findall(r'import[^"\'();]*["\']([^"\']+)["\']', module.read_text())
            assert [each for each in imported if not (module.parent / each).is_file()] == [], name


# ---- the house rules of the style sheets and scripts -----------------------


def test_every_part_is_imported_once_and_keeps_to_its_layer():
    imported = re.findall(r'@import url\("([^"]+)"\)', (CSS / "app.css").read_text())
    parts = [*CSS.glob("*.css"), *(CSS / "components").glob("*.css")]
    assert sorted(imported) == sorted(str(part.relative_to(CSS)) for part in parts if part.name != "app.css")
    for part in (CSS / "components").glob("*.css"):
        assert re.findall(r"^@layer (\w+)", part.read_text(), re.MULTILINE) == ["components"], part.name


def test_colours_are_named_in_the_tokens_alone():
    raw = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|oklch|oklab|lab|lch)\(|!important", re.IGNORECASE)
    for part in [*CSS.glob("*.css"), *(CSS / "components").glob("*.css")]:
        if part.name != "tokens.css":
            assert raw.findall(re.sub(r"/\*.*?\*/", "", part.read_text(), flags=re.DOTALL)) == [], part.name


def test_every_token_that_is_used_exists():
    parts = [*CSS.glob("*.css"), *(CSS / "components").glob("*.css")]
    text = "\n".join(part.read_text() for part in parts)
    assert set(re.findall(r"var\((--[\w-]+)", text)) - set(re.findall(r"(--[\w-]+):", text)) == set()
