# shellcheck shell=sh
# hosts.sh: lines of /etc/hosts; see hosts.awk for the requests.
# Needs: editor

# hw_hosts PATH MODE VALIDATE REQUEST…
hw_hosts() { hw_editor hosts "$@"; }
