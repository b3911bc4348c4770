"""The documents name nothing that is not there: links, commands, vars, marts, files."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from builds import REPOSITORY

from segmentation.command_line import main

FENCE = re.compile(r"^( *)```.*?^\1```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# What documents make up to show how something is named.
INVENTED = re.compile(r"^models/input/(gym|shop|my_shop|NAME)\b")
FOLDERS = (
    "seeds", "models", "macros", "src", "docs", "tests", "python_models", "notebooks",
    "powerbi", "explorer", "benchmarks", ".ci",
)  # fmt: skip


def tracked(*patterns):
    """Files of the project, those that are not committed yet among them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    return [REPOSITORY / name for name in listed if (REPOSITORY / name).is_file()]


DOCUMENTS = tracked("*.md")
# The changelog names what was, decisions what was chosen then.
OF_TODAY = [
    path
    for path in DOCUMENTS
    if path.name != "CHANGELOG.md" and path.parent.name != "decisions"
]


def read(path):
    return path.read_text(encoding="utf-8")


def code(text):
    """Each line of code that a document shows, in blocks and in the text."""
    blocks = [match[0] for match in FENCE.finditer(text)]
    lines = [line.strip() for block in blocks for line in block.splitlines()[1:-1]]
    return lines + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def anchors(text):
    """The names that a host of repositories gives the headings."""
    found = []
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        found.append(re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-"))
    return found


def broken_links(path, text):
    for target in LINK.findall(FENCE.sub("", text)):
        if "://" in target or target.startswith(("mailto:", "#!")):
            continue
        name, _, anchor = target.partition("#")
        place = Path(os.path.normpath(path.parent / name)) if name else path
        if not place.exists() or not place.is_relative_to(REPOSITORY):
            yield target
        elif anchor and place.suffix == ".md":
            own = text if place == path else read(place)
            if anchor not in anchors(own):
                yield target


@pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda p: str(p.relative_to(REPOSITORY))
)
def test_every_link_leads_somewhere(path):
    assert list(broken_links(path, read(path))) == []


def test_a_broken_link_is_found():
    text = "# A b, c\n[x](docs/engines.md#run-it) [y](gone.md) [z](#a-b-c) [q](#a-b)"
    found = list(broken_links(REPOSITORY / "README.md", text))
    assert found == ["gone.md", "#a-b"]


def targets_of_make():
    return set(
        re.findall(r"^([a-z][a-z-]*):", read(REPOSITORY / "Makefile"), re.MULTILINE)
    )


def made(text):
    for line in code(text):
        for words in re.findall(
            r"(?:^|&& |run: )(?:[A-Z_]+=\S+ )*make((?: \S+)+)", line
        ):
            for word in words.split():
                if not re.fullmatch(r"[a-z][a-z-]*", word):
                    break
                yield word


def test_the_commands_of_make_are_there():
    named = {word: path for path in OF_TODAY for word in made(read(path))}
    assert {"build", "test", "explore", "notebook", "docs"} <= set(named)
    assert {word for word in named if word not in targets_of_make()} == set()


def test_the_commands_of_the_command_line_are_there(capsys):
    named = {
        word
        for path in OF_TODAY
        for line in code(read(path))
        for word in re.findall(r"(?:^|[ /\\])segmentation ([a-z]+)\b", line)
    }
    assert "build" in named
    for command in sorted(named):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0, command
    capsys.readouterr()


def test_ci_runs_what_the_readme_calls_the_test_command():
    assert re.search(r"^ *make test$", read(REPOSITORY / ".ci" / "run"), re.MULTILINE)
    assert re.search(r"^make test\b", read(REPOSITORY / "README.md"), re.MULTILINE)


# ---- configuration -----------------------------------------------------------------


def project_vars():
    return set(yaml.safe_load(read(REPOSITORY / "dbt_project.yml"))["vars"])


def documented_vars():
    table = read(REPOSITORY / "docs" / "configuration.md").partition("## Environment")[
        0
    ]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    return {name for cell in first for name in re.findall(r"`(\w+)`", cell)}


def test_every_var_has_a_row_and_no_other_has_one():
    assert documented_vars() == project_vars()


def test_the_vars_of_examples_are_there():
    used = {}
    for path in OF_TODAY:
        shown = [*(match[0] for match in FENCE.finditer(read(path))), *code(read(path))]
        for block in shown:
            for _, given in re.findall(
                r"--vars (['\"])(.*?)\1(?!\w)", block, re.DOTALL
            ):
                # a shell puts its own values in
                parsed = yaml.safe_load(re.sub(r"\$\w+", "1", given))
                if isinstance(parsed, dict):
                    used |= dict.fromkeys(parsed, path.name)
    assert {"as_of_date", "cluster_count", "rebuild_into", "relations"} <= set(used)
    assert {name for name in used if name not in project_vars()} == set()


def test_environment_variables_are_those_that_the_code_reads():
    pattern = r"\bSEGMENTATION_[A-Z][A-Z_]*[A-Z]\b"
    sources = tracked("*.sql", "*.py", "*.yml", "Makefile")
    read_by_code = {
        name
        for path in sources
        if path.relative_to(REPOSITORY).parts[0] not in ("tests", "docs")
        for name in re.findall(pattern, read(path))
    }
    named = {name for path in OF_TODAY for name in re.findall(pattern, read(path))}
    assert named - read_by_code == {"SEGMENTATION_SHARED_DATA"}  # the tests' own
    documented = re.findall(pattern, read(REPOSITORY / "docs" / "configuration.md"))
    documented += re.findall(pattern, read(REPOSITORY / "docs" / "engines.md"))
    assert read_by_code - set(documented) == set()


# ---- marts and files ---------------------------------------------------------------


def test_every_mart_has_a_row():
    table = read(REPOSITORY / "docs" / "marts.md")
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    marts = [path.stem for path in tracked("models/marts/*/*.sql")]
    assert len(marts) > 30
    assert sorted(rows) == sorted(marts)
    assert f"all {len(marts)} and how" in read(REPOSITORY / "README.md")


def is_ignored(name):
    """Whether git leaves it out: what a command makes."""
    command = ["git", "check-ignore", "--quiet", f"{name}/x"]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode == 0


@pytest.mark.parametrize("path", OF_TODAY, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_the_files_that_a_document_names_are_there(path):
    named = [
        name.rstrip("/")
        for name in code(read(path))
        if re.fullmatch(r"[\w.-]+/[\w./-]+", name)
        and name.startswith(tuple(f"{folder}/" for folder in FOLDERS))
        and not INVENTED.match(name)
    ]
    absent = [name for name in named if not (REPOSITORY / name).exists()]
    assert [name for name in absent if not is_ignored(name)] == []


def test_dbts_documentation_begins_with_the_projects_own_page(demo):
    docs = demo.artifact("manifest.json")["docs"]
    overview = docs["doc.customer_segmentation.__overview__"]["block_contents"]
    nodes = demo.artifact("manifest.json")["nodes"]
    linked = re.findall(r"\(#!/model/([\w.]+)\)", overview)
    assert len(linked) > 10
    assert [node for node in linked if node not in nodes] == []


def test_every_column_that_is_declared_is_described(demo):
    nodes = demo.artifact("manifest.json")["nodes"].values()
    blank = [
        f"{node['name']}.{column}"
        for node in nodes
        if node["package_name"] == "customer_segmentation"
        for column, described in node.get("columns", {}).items()
        if not described["description"]
    ]
    assert blank == []


# ---- figures of the demo -----------------------------------------------------------


def test_the_readmes_summary_is_that_of_the_demo(demo):
    shown = re.findall(
        r"^    (\w[\w -]+?) {2,}([\d,]+) {2,}(-?[\d.]+)%$",
        read(REPOSITORY / "README.md"),
        re.MULTILINE,
    )
    found = demo.rows(
        "select segment_name, customer_count, 100 * revenue_share "
        "from dev_marts.rpt_segment_summary where segmentation = 'value'"
    )
    assert sorted(shown) == sorted((n, f"{c:,}", f"{s:.1f}") for n, c, s in found if c)


def test_the_rules_in_the_chapter_are_those_of_the_demo(demo):
    chapter = read(REPOSITORY / "docs" / "segments.md")
    shown = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| (0\.\d\d) \| (0\.\d\d) \|$", chapter, re.MULTILINE
    )
    found = demo.rows(
        "select segment_name, rule_text, rule_precision, rule_recall "
        "from dev_marts.dim_segments "
        "where segmentation = 'value' and rule_sql is not null"
    )
    assert len(shown) == 3
    assert set(shown) <= {(n, r, f"{p:.2f}", f"{c:.2f}") for n, r, p, c in found}


def test_the_evidence_in_the_chapter_is_that_of_the_demo(demo):
    chapter = read(REPOSITORY / "docs" / "evidence.md")
    shown = re.findall(
        r"^\| (\d+) \| (0\.\d{3}) \| (0\.\d\d) \| ([\d.]*) ?\| (.+) \|$", chapter,
        re.MULTILINE,
    )  # fmt: skip
    found = demo.rows(
        "select cluster_count, silhouette, stability, separation, reason "
        "from dev_marts.rpt_segment_candidates "
        "where segmentation = 'value' and algorithm = 'kmeans'"
    )
    expected = {
        (
            str(k),
            f"{width:.3f}",
            f"{again:.2f}",
            f"{apart:.1f}" if apart else "",
        ): reason
        for k, width, again, apart, reason in found
    }
    assert len(shown) == 5
    for *figures, verdict in shown:
        assert expected[tuple(figures)].startswith(verdict)


def test_the_holdout_in_the_chapter_is_that_of_the_demo(demo):
    chapter = read(REPOSITORY / "docs" / "evidence.md")
    found = {
        (model, measure): f"{estimate:.3f}".removeprefix("0")
        for model, measure, estimate in demo.rows(
            "select model, measure, estimate from dev_marts.rpt_churn_validation "
            "where measure in ('auc', 'brier')"
        )
    }
    for row, model in (
        ("RFM", "rfm"), ("MBG/NBD", "mbg_nbd"), ("logistic", "logistic"),
        ("gradient boosting", "gradient_boosting"),
    ):  # fmt: skip
        both = f"{found[model, 'auc']} / {found[model, 'brier']}"
        assert f"| {row} | {both}" in chapter


def test_the_campaign_in_the_chapter_is_that_of_the_demo(demo):
    quote = re.findall(
        r"^> (.+)$", read(REPOSITORY / "docs" / "acting.md"), re.MULTILINE
    )
    reasons = demo.rows("select status_reason from dev_marts.rpt_campaign_lift")
    said = " ".join(quote).partition(": ")[2].partition(". It helped")[0]
    assert any(said in reason for (reason,) in reasons), reasons
