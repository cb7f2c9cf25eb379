#!/bin/bash
# mode_test.sh EXPECTED ACTUAL: EXPECTED is a regular expression. A target that `target_compatible_with` should have left
# out of this configuration fails here.
[[ $2 =~ ^($1)$ ]] || { echo "built in mode $2, expected $1"; exit 1; }
