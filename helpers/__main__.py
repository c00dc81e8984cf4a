"""``python -m helpers VERB``: see helpers/workshop/cli.py."""

import sys

from helpers.workshop.cli import main

sys.exit(main())
