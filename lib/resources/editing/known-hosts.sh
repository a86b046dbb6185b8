# shellcheck shell=sh
# known-hosts.sh: keys of SSH servers; see known-hosts.awk for the requests.
# Needs: editor

# hw_known_hosts PATH [perms=] [mode=] [user=] [group=] [private=] [validate=] [in_place=] [-- REQUEST…]: see hw_editor.
hw_known_hosts() { hw_editor known_hosts "$@"; }
