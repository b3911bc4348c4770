"""Write the Power BI project: `python -m segmentation.power_bi --input demo`."""

import argparse
import os
import sys
from pathlib import Path

from segmentation.power_bi.project import write_committed_projects, write_project_for


def main(arguments: list[str] | None = None) -> int:
    """Write a project; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m segmentation.power_bi", description=__doc__
    )
    parser.add_argument("--input", default="demo", help="whose marts are published")
    parser.add_argument(
        "--exports",
        default=os.environ.get("SEGMENTATION_EXPORTS"),
        help="the folder with manifest.json; exports/<input> unless said",
    )
    parser.add_argument("--data-folder", help="the same folder as Windows names it")
    parser.add_argument(
        "--committed", action="store_true", help="renew the projects of the repository"
    )
    options = parser.parse_args(arguments)
    root = Path.cwd()
    try:
        if options.committed:
            for project in write_committed_projects(root):
                print(f"Written: {project.relative_to(root)}")
        else:
            exports = Path(options.exports or f"exports/{options.input}")
            folder = options.data_folder
            print(write_project_for(options.input, exports, root, folder))
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
