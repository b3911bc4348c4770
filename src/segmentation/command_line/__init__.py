"""The command line for people who do not know dbt.

`init` makes an input of a file, `check` looks at it, `build` makes the segments,
`explore` shows them and `powerbi` writes the project for Power BI.
"""

import argparse
import os
import sys
from pathlib import Path

from segmentation.command_line.faults import Fault

STEPS = """\
from a file to segments:
  segmentation init my_shop orders.csv     which column is what?
  segmentation check                       what will be used, and what will not, and why
  segmentation build                       makes, tests and publishes the segments
  segmentation explore                     shows them on a page
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    options = _parser().parse_args(arguments)
    from segmentation.command_line.running import project_root

    try:
        project_root()
        options.run(options)
    except Fault as fault:
        sys.stdout.flush()
        print(fault, file=sys.stderr)
        return 1
    except BrokenPipeError:  # a reader like head has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="segmentation",
        description="Turns orders, or what is known of customers, into segments.",
        epilog=STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    init = commands.add_parser("init", help="make an input of a file of yours")
    init.add_argument("name", help="a name for it, like my_shop")
    init.add_argument(
        "file",
        help="orders or customers: CSV, Parquet, Excel; a folder or a 'pattern*'",
    )
    init.add_argument("--customers", metavar="FILE", help="a second file, of customers")
    init.add_argument(
        "--events", metavar="FILE", help="a further file, of visits and such"
    )
    init.add_argument(
        "--map", action="append", default=[], metavar="COLUMN=HEADER",
        help="what a column is, as customer_id=E-Mail; COLUMN= for none",
    )  # fmt: skip
    init.add_argument(
        "--dates", choices=["day-first", "month-first"], help="how 01/02/2024 is meant"
    )
    init.add_argument("--currency", metavar="CODE", help="of the amounts, like EUR")
    init.add_argument(
        "--features", metavar="HEADERS",
        help="of customers without orders: what segments are made from, 'A,B,C'",
    )  # fmt: skip
    init.add_argument("--yes", action="store_true", help="ask nothing")
    init.add_argument("--replace", action="store_true", help="replace what init wrote")
    init.set_defaults(run=_init)
    check = commands.add_parser("check", help="see what of an input will be used")
    check.add_argument("name", nargs="?", help="of the input; absent: the last of init")
    check.add_argument("--data", help="another file than at init")
    check.set_defaults(run=_check)
    build = commands.add_parser("build", help="make, test and publish the segments")
    build.add_argument(
        "--input", help="a name under vars: inputs:; absent: the last of init, or demo"
    )
    build.add_argument(
        "--data", help="a file (csv, csv.gz, parquet), a folder or a pattern"
    )
    build.add_argument("--vars", default="{}", help="further dbt vars, as YAML")
    build.add_argument("--target", default="dev", help="a target of profiles.yml")
    build.set_defaults(run=_build)
    explore = commands.add_parser("explore", help="show the segments in the browser")
    explore.add_argument("--input", help="absent: the last of init, or demo")
    explore.add_argument("--port", type=int, help="of the page on this machine")
    explore.set_defaults(run=_explore)
    powerbi = commands.add_parser("powerbi", help="write the project for Power BI")
    powerbi.add_argument("--input", help="absent: the last of init, or demo")
    powerbi.add_argument(
        "--data-folder", metavar="FOLDER", help="the exports folder as Windows names it"
    )
    powerbi.set_defaults(run=_powerbi)
    return parser


# Each imports what it needs: dbt takes two seconds, and help should take none.
def _init(options: argparse.Namespace) -> None:
    from segmentation.command_line.initializing import initialize

    initialize(options)


def _check(options: argparse.Namespace) -> None:
    from segmentation.command_line.checking import check
    from segmentation.command_line.choice import chosen

    check(chosen(options.name, options.data))


def _build(options: argparse.Namespace) -> None:
    import yaml

    from segmentation.command_line.building import build
    from segmentation.command_line.choice import chosen, declaration_of

    try:
        further = yaml.safe_load(options.vars) or {}
    except yaml.YAMLError as error:
        raise Fault(
            f"--vars is no YAML: {options.vars}", "As: 'cluster_count: 5'"
        ) from error
    own = chosen(options.input or further.get("input"), options.data)
    if "inputs" not in further:
        declaration_of(own.name)
    if own.is_remembered:
        print(f"Building {own.name} from {own.said} (--input demo builds the demo).")
    build({**further, "input": own.name}, options.target)


def _explore(options: argparse.Namespace) -> None:
    from segmentation.explorer_server import PORT, serve

    name, exports = _published(options.input)
    try:
        serve(exports, options.port or PORT)
    except OSError as error:
        raise Fault(f"The page of {name} cannot be shown: {error}") from error


def _powerbi(options: argparse.Namespace) -> None:
    from segmentation.power_bi.project import write_project_for

    name, exports = _published(options.input)
    try:
        print(write_project_for(name, exports, Path.cwd(), options.data_folder))
    except (OSError, ValueError) as error:
        raise Fault(f"The project of {name} cannot be written: {error}") from error


def _published(given: str | None) -> tuple[str, Path]:
    """Name and exports folder of an input that is published."""
    from segmentation.command_line.building import exports_of
    from segmentation.command_line.choice import remembered

    name = given or remembered()
    exports = exports_of(name)
    if not (exports / "manifest.json").exists():
        raise Fault(
            f"Nothing of '{name}' is published in {exports} yet.",
            f"Build it first: segmentation build --input {name}",
        )
    return name, exports
