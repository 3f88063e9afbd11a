#!/bin/sh
# For the matrix-content-scanner: «script» in its configuration is the path of this file.
exec reclaim platform adapter ask "$(dirname "$0")/matrix.toml" "$1"
