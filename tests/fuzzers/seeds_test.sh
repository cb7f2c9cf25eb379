#!/bin/bash
# seeds_test.sh PROGRAM TEXT...: see seeds_test.py.
exec python3 "$(dirname "$0")/seeds_test.py" "$@"
