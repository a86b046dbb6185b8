# shellcheck shell=sh
# replace.sh: parts of lines that an expression matches; see replace.awk for the requests.
# Needs: editor

# hw_replace_text PATH [perms=] [mode=] [user=] [group=] [private=] [validate=] [in_place=] [there=] [-- REQUEST…]: see hw_editor.
hw_replace_text() { hw_editor replace "$@"; }
