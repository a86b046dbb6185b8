# shellcheck shell=sh
# hosts.sh: lines of /etc/hosts; see hosts.awk for the requests.
# Needs: editor

# hw_hosts PATH [perms=] [mode=] [user=] [group=] [private=] [validate=] [in_place=] [-- REQUEST…]: see hw_editor.
hw_hosts() { hw_editor hosts "$@"; }
