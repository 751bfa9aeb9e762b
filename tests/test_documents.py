"""What the documents say is so: commands exist, links resolve, versions agree, files are well formed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "benchmarks/README.md")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Written in pieces, so that this file does not find itself.
FOREIGN = re.compile(
    "|".join(
        (
            r"(?<![\w.])/wo" + r"rk/",
            r"(?<![\w.])/ro" + r"ot/",
            r"(?<![\w.])/ho" + r"me/(?!reader\b)\w",
            r"/Us" + r"ers/\w",
            r"pypi\." + r"org",
            r"pythonhos" + r"ted\.",
            r"registry\.npm" + r"js",
            r"deb\.deb" + r"ian\.",
        )
    ),
    re.IGNORECASE,
)


def files() -> list[Path]:
    """All files that are, or would be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def foreign_names(text: str) -> list[str]:
    """Places on one machine, and hosts of package registries, that a text names."""
    return [match.group(0) for match in FOREIGN.finditer(text)]


def dead_links(document: Path) -> list[str]:
    """Links of a document to files that are not there."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
    here = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    return [target for target in here if not (document.parent / target).exists()]


def code(text: str) -> str:
    """The code of a document: fenced blocks and inline spans, one per line."""
    fences = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join([*fences, *spans])


def commands(text: str, program: str) -> set[str]:
    """The first word after a program's name, wherever a document's code calls it."""
    return set(re.findall(rf"^\s*(?:\S*/)?{program} ([a-z]+)\b", code(text), re.MULTILINE))


def make_targets(makefile: str) -> set[str]:
    """The targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


def locked() -> dict[str, set[str]]:
    """Each locked package with its versions (more than one where Python versions differ)."""
    found: dict[str, set[str]] = {}
    pin = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", re.MULTILINE)
    for name, version in pin.findall((ROOT / "requirements.lock").read_text()):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_in_documents_exist(name: str) -> None:
    """Every `make …` that a document shows is a target of the Makefile with a line in `make help`."""
    targets = make_targets((ROOT / "Makefile").read_text())
    assert commands((ROOT / name).read_text(), "make") <= targets


def test_workbook_verbs_in_documents_exist() -> None:
    """Every `workbook …` that a document shows is a verb that `workbook --help` names."""
    call = "import sys; from lessons.cli import main; sys.argv[0] = 'workbook'; sys.exit(main())"
    told = subprocess.run(
        [sys.executable, "-c", call, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    used = set().union(*(commands((ROOT / name).read_text(), "workbook") for name in DOCUMENTS))
    assert {"doctor", "run", "serve", "worker", "replay"} <= used
    assert {verb for verb in used if not re.search(rf"\b{verb}\b", told.stdout)} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_to_files_resolve(name: str) -> None:
    """Every relative link and picture of a document is in the repository."""
    assert dead_links(ROOT / name) == []


def test_the_picture_says_what_it_shows() -> None:
    """README's picture is our own and has an alternative text that says the finding."""
    ((alt, target),) = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (ROOT / "README.md").read_text())
    assert target == "docs/demo.png"
    assert len(alt.split()) >= 10


def test_all_folders_and_notebooks_are_in_the_readme() -> None:
    """A newcomer finds each notebook and each source folder in README's tables."""
    readme = (ROOT / "README.md").read_text()
    notebooks = [f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")]
    for name in [*notebooks, "lessons", "demo_workers", "tests", "benchmarks"]:
        assert f"({name}" in readme


def test_the_first_notebook_knows_which_chapters_are_written() -> None:
    """Up to the last one that is there; who ends chapter 00 must not be told that the rest is missing."""
    written = sorted(path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert written == [f"{number:02}" for number in range(len(written))]
    text = (ROOT / "notebooks/00_start_here.ipynb").read_text()
    assert re.findall(r"Chapters 01 to (\d\d) are written", text) == [written[-1]]


def test_every_benchmark_has_its_row() -> None:
    """The table of results names each benchmark once, and none that is gone."""
    rows = re.findall(r"^\| `python -m benchmarks\.(\w+)`", (ROOT / "benchmarks/README.md").read_text(), re.MULTILINE)
    files = [path.stem for path in (ROOT / "benchmarks").glob("*.py") if not path.stem.startswith("_")]
    assert sorted(rows) == sorted(files)


def test_no_file_names_a_machine_or_a_registry() -> None:
    """Nobody's home folder, build machine or package index is named in a file of the repository."""
    found = []
    for path in files():
        try:
            names = foreign_names(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {name}" for name in names]
    assert found == []


def test_compose_file_is_valid() -> None:
    """docker-compose.yml follows the Compose specification's schema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    result = subprocess.run([*command, "docker-compose.yml"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_containers_are_closed_by_default() -> None:
    """Each service is read-only, without capabilities, with a health check, and its ports are this machine's only."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert "version" not in compose
    assert set(compose["services"]) == {"redis", "lab", "worker"}
    for service in compose["services"].values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["healthcheck"]["test"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "container_name" not in compose["services"]["worker"], "a named container cannot be scaled"
    assert "ports" not in compose["services"]["worker"], "two workers cannot have one port"


def test_the_compose_password_is_kept_out_of_git_and_images() -> None:
    """The secret's file is ignored by git and by the image's build."""
    secret = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["secrets"]["redis_password"]["file"]
    assert subprocess.run(["git", "check-ignore", "-q", secret], cwd=ROOT).returncode == 0
    assert Path(secret).parts[0] in (ROOT / ".dockerignore").read_text().splitlines()


def test_conda_environment_agrees_with_the_lock() -> None:
    """Every pinned package of environment.yml has the locked version; RQ and the project come through pip."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *packages, pip = environment["dependencies"]
    assert "rq==3.0.*" in pip["pip"]
    assert "rq==3.0.*" in PROJECT["dependencies"]
    assert "-e ." in pip["pip"]
    versions = {**locked(), "matplotlib-base": locked()["matplotlib"]}
    pinned = dict(match.groups() for name in packages if (match := re.fullmatch(r"([\w-]+)=([\d.]+)\.\*", name)))
    assert set(pinned) >= {"python", "jupyterlab", "ipywidgets", "ipykernel", "numpy", "matplotlib-base"}
    for name, version in pinned.items():
        if name != "python":
            assert any(known.startswith(version + ".") for known in versions[name]), f"{name} {versions[name]}"


@pytest.mark.parametrize("name", ["environment.yml", "docker-compose.yml", "Dockerfile"])
def test_what_is_not_run_here_says_so(name: str) -> None:
    """Files that the CI only lints are labelled as not run."""
    assert re.search(r"not (run|built) by", (ROOT / name).read_text())


def test_licence_names_both_licences() -> None:
    """Software is MIT, lesson text CC BY 4.0, and the package's metadata say the same."""
    text = (ROOT / "LICENSE").read_text()
    assert "MIT License" in text
    assert "CC BY 4.0" in text
    assert "https://creativecommons.org/licenses/by/4.0/" in text
    assert "The Asynchronism Workbook authors" in text
    assert PROJECT["license"] == "MIT AND CC-BY-4.0"


def test_changelog_has_this_version() -> None:
    """The version of the package has a section in the changelog."""
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_lock_holds_every_dependency_with_hashes() -> None:
    """Each dependency and the build tools are locked, each entry has hashes, and no index is named."""
    text = (ROOT / "requirements.lock").read_text()
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    wanted = {re.match(r"[\w-]+", name).group(0) for name in [*PROJECT["dependencies"], *build]}
    assert wanted - set(locked()) == set()
    entries = re.split(r"\n(?=[a-z])", text.strip())
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "index-url" not in text
    assert "://" not in text


def test_the_ci_script_is_sound() -> None:
    """.ci/run is executable, parses, and ends in `make test`."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0
    assert "set -euo pipefail" in script.read_text()
    assert script.read_text().strip().splitlines()[-1].startswith("exec make test")


@pytest.mark.parametrize(
    "text",
    ["see /ho" + "me/ann/x", "cd /ro" + "ot/y", "https://pypi." + "org/simple", "'/wo" + "rk/z'", "/Us" + "ers/ann"],
)
def test_a_foreign_name_is_found(text: str) -> None:
    """A machine's path and a registry's host are told."""
    assert foreign_names(text)


def test_an_innocent_path_is_not_foreign() -> None:
    """Paths inside a container or the repository, and ordinary words, are no machine's."""
    assert foreign_names("docs/wo" + "rk/ and tests/ro" + "ot/, homework/, /home/reader:uid=1000") == []


def test_a_dead_link_and_a_wrong_command_are_found(tmp_path: Path) -> None:
    """The checks above fail for a document that links to nothing or shows a command that does not exist."""
    page = tmp_path / "page.md"
    page.write_text("[x](gone.md) [y](https://example.org) [z](#here)\n\n```\nmake tea\n.venv/bin/workbook fly\n```\n")
    assert dead_links(page) == ["gone.md"]
    assert commands(page.read_text(), "make") == {"tea"}
    assert commands(page.read_text(), "workbook") == {"fly"}
    assert make_targets("tea:  ## Brew\n") == {"tea"}
