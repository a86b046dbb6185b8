# shellcheck shell=sh
# dialect.sh: what awk is to know of the formats of INI files: dialect.awk.
