# shellcheck shell=sh
# env-file.sh: files of KEY=value lines, as /etc/environment and .env; see env-file.awk for the requests.
# Needs: editor

# hw_env_file PATH [perms=] [mode=] [user=] [group=] [private=] [validate=] [in_place=] [-- REQUEST…]: see hw_editor.
hw_env_file() { hw_editor env_file "$@"; }
