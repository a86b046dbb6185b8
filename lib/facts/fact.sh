# shellcheck shell=sh
# fact.sh: what a recipe asks of a host by its own snippet, and what the facts' shell files have in common.

# hw_fact SCRIPT: SCRIPT in a shell of its own, in the C locale, so that programs say the same on every host.
hw_fact() {
  sh -c "$1"
}

# hw_fact_first FILE: its first line; `-` if there is none. No process: read is built in.
hw_fact_first() {
  hw_line=
  { IFS= read -r hw_line <"$1"; } 2>/dev/null
  hw_put "${hw_line:--}"
}

# hw_fact_section NAME COMMAND…: a line `[NAME]`, then what the command prints, as far as it can.
hw_fact_section() {
  hw_lines "[$1]"
  shift
  "$@" 2>/dev/null || :
}
