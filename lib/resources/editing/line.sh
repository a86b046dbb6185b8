# shellcheck shell=sh
# line.sh: single lines of text files; see line.awk for the requests.
# Needs: editor

# hw_line PATH [perms=] [mode=] [user=] [group=] [private=] [validate=] [in_place=] [-- REQUEST…]: see hw_editor.
hw_line() { hw_editor line "$@"; }
