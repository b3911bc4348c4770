"""`python -m segmentation.command_line`."""

import sys

from segmentation.command_line import main

sys.exit(main())
