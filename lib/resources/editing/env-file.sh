# shellcheck shell=sh
# env-file.sh: files of KEY=value lines, as /etc/environment and .env; see env-file.awk for the requests.
# Needs: editor

# hw_env_file PATH MODE VALIDATE REQUEST…
hw_env_file() { hw_editor env_file "$@"; }
