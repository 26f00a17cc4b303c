"""`python -m benchmarks`: every benchmark at a size that takes about two minutes on two cores."""

import sys

from benchmarks import recompute

if __name__ == "__main__":
    sys.exit(recompute.main(sys.argv[1:]))
