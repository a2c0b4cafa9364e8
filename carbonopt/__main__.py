"""The command line, as ``python -m carbonopt``."""

import sys

from carbonopt.cli import main

sys.exit(main())
