# shellcheck shell=sh
# block.sh: marked blocks of lines in text files; see block.awk for the requests.
# Needs: editor

# hw_block PATH [perms=] [mode=] [user=] [group=] [private=] [validate=] [in_place=] [-- REQUEST…]: see hw_editor.
hw_block() { hw_editor block "$@"; }
