# shellcheck shell=sh
# line.sh: single lines of text files; see line.awk for the requests.
# Needs: editor

# hw_line PATH MODE VALIDATE REQUEST…
hw_line() { hw_editor line "$@"; }
