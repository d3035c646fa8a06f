"""The rules of the house that a machine can hold: imports one way, writes in actions, templates used and clean."""

import ast
import re
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Engine

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("procurement", "members", "groupings", "savings")
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
)
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in (".html", ".txt"))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> set[str]:
    """The modules a file imports, wherever in it, functions included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_imports_run_one_way():
    """savings → groupings → members → procurement.core; nobody imports the settings nor the root urls."""
    below = {"procurement/core": 0, "members": 1, "groupings": 2, "savings": 3}
    for path in SOURCES:
        name = relative(path)
        own = next((rank for package, rank in below.items() if name.startswith(package + "/")), None)
        if own is None:
            continue
        for module in imported(path):
            rank = next((r for p, r in below.items() if f"{module}.".startswith(p.replace("/", ".") + ".")), None)
            assert rank is None or rank <= own, f"{name} importe {module}"
            assert module not in ("procurement.settings", "procurement.urls"), f"{name} importe {module}"


def test_rules_know_nothing_but_the_standard_library():
    """A jurist can read them and a test call them: no Django, no database, no clock. stdnum knows official keys."""
    rules = [path for path in SOURCES if "rules" in path.parts]
    assert len(rules) >= 3
    for path in rules:
        for module in imported(path):
            top = module.split(".")[0]
            allowed = top in sys.stdlib_module_names or module.startswith(("groupings.rules", "savings.rules"))
            pure = module.startswith(("procurement.core.calendar", "procurement.core.money", "stdnum"))
            engine = path.name == "gains.py" and top in ("pandas", "numpy", "pyarrow")  # whole tables, no database
            assert allowed or pure or engine, f"{relative(path)} importe {module}"
        assert not re.search(r"\b(date\.today|datetime\.now)\(", path.read_text()), f"{relative(path)} lit l’horloge"


def test_nothing_but_views_commands_and_tasks_asks_what_day_it_is():
    """« today » is an argument: a rule that reads the clock cannot be tested at the turn of a year."""
    clock = re.compile(r"\b(date\.today|timezone\.localdate|datetime\.today)\(")
    for path in SOURCES:
        if {"views", "management"} & set(path.parts) or path.name == "tasks.py":
            continue
        assert not clock.search(path.read_text()), f"{relative(path)} lit le calendrier"


_WRITES = {"save", "delete", "create", "update", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}


def test_views_write_nothing_themselves():
    """A view calls an action: the only place where rights, journal and transaction hold together."""
    views = [path for path in SOURCES if "views" in path.parts or path.name == "views.py"]
    assert len(views) > 10
    for path in views:
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in _WRITES:
                owner = ast.unparse(node.func.value)
                harmless = owner.endswith((".headers", "context", "initial", "params", "query", "values"))
                assert harmless, f"{relative(path)}, ligne {node.lineno} : {ast.unparse(node)}"


def test_no_text_of_a_person_is_trusted():
    for path in SOURCES:
        text = path.read_text()
        if "templatetags" not in path.parts:
            assert "mark_safe(" not in text, relative(path)
        assert "csrf_exempt" not in text, relative(path)
    for path in TEMPLATES:
        text = path.read_text()
        assert "|safe" not in text, relative(path)
        if path.suffix == ".html":
            assert "autoescape off" not in text, relative(path)


def test_every_template_is_used():
    """A template nobody names is dead text that somebody will mend in vain."""
    named = "\n".join(path.read_text() for path in (*SOURCES, *TEMPLATES))
    library = ("account/", "allauth/", "mfa/", "registration/", "admin/", "django/")
    by_status = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}
    for path in TEMPLATES:
        name = str(path.relative_to(ROOT / "templates"))
        if name.startswith(library) or name in by_status:
            continue
        stem = path.name.removesuffix(path.suffix)
        # A family of files may be named by a pattern: conventions/article_{number}_….html
        assert name in named or f'"{stem}"' in named or name.startswith("conventions/"), (
            f"{name} n’est nommé nulle part"
        )


def test_no_form_loses_its_token_on_the_way():
    """``include … only`` leaves the token behind: the button is there, and every click is refused."""
    forms = {str(path.relative_to(ROOT / "templates")) for path in TEMPLATES if "csrf_token" in path.read_text()}
    for path in TEMPLATES:
        for included in re.findall(r'include "([^"]+)"[^%]*\sonly\s*%}', path.read_text()):
            assert included not in forms, f"{relative(path)} inclut {included} avec « only »"


def test_every_template_compiles():
    from django.template.loader import get_template

    for path in TEMPLATES:
        get_template(str(path.relative_to(ROOT / "templates")))


VISIBLE = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<script.*?</script>|<style.*?</style>|<[^>]*>", re.DOTALL)


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (r"\w ?'\w", "une apostrophe droite"),
        (r"[^\W\d_] [;!?](?=\s|$)", "une espace simple devant ; ! ou ?"),
        (r"[^\W\d_] :(?=\s|$)", "une espace simple devant :"),
        (r"« | »", "une espace simple dans des guillemets"),
        (r"\d [€%]", "une espace simple devant € ou %"),
    ],
)
def test_french_typography_of_the_screens(pattern, what):
    """Imprimerie nationale: ’ in words, U+202F before ; ! ?, U+00A0 before : » € % and after «."""
    for path in TEMPLATES:
        if path.relative_to(ROOT / "templates").parts[0] in ("conventions", "account", "mfa", "allauth"):
            continue  # conventions have their own tests; the sign-in library's texts are its own
        for number, line in enumerate(VISIBLE.sub("·", path.read_text()).splitlines(), start=1):
            assert not re.search(pattern, line), f"{relative(path)}, ligne {number} : {what} dans « {line.strip()} »"


def test_files_stay_about_one_subject():
    for path in SOURCES:
        lines = path.read_text().count("\n")
        assert lines <= 420, f"{relative(path)} : {lines} lignes, un second sujet s’y est glissé"


def test_an_undefined_variable_of_our_templates_is_noticed(tmp_path, monkeypatch):
    """The tripwire of conftest itself: it fails for ours, stays silent for a library's, and obeys ``|default``."""
    from tests import conftest

    (tmp_path / "page.html").write_text("a{{ missing }}b")
    (tmp_path / "soft.html").write_text("a{{ missing|default:'x' }}b{% if missing %}c{% endif %}")
    engine = Engine(dirs=[str(tmp_path)], string_if_invalid=conftest.UndefinedVariable())
    assert engine.get_template("page.html").render(Context()) == "ab"
    monkeypatch.setattr(conftest, "OUR_TEMPLATES", tmp_path)
    assert engine.get_template("soft.html").render(Context()) == "axb"
    with pytest.raises(pytest.fail.Exception, match="missing"):
        engine.get_template("page.html").render(Context())
