# shellcheck shell=sh
# ini.sh: keys of INI files, and of haproxy's keyword files; see ini.awk for the requests.
# Needs: editor

# hw_ini PATH MODE VALIDATE REQUEST…
hw_ini() { hw_editor ini "$@"; }
