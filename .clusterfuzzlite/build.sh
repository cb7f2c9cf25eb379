#!/bin/bash -eu
exec "$SRC/jacquard/tools/oss_fuzz/build.sh"
