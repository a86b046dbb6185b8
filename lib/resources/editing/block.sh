# shellcheck shell=sh
# block.sh: marked blocks of lines in text files; see block.awk for the requests.
# Needs: editor

# hw_block PATH MODE VALIDATE REQUEST…
hw_block() { hw_editor block "$@"; }
