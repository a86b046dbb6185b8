# shellcheck shell=sh
# env.sh: files of KEY=value lines, as /etc/environment and .env; see env.awk for the requests.
# Needs: editor

# hw_env PATH MODE VALIDATE REQUEST…
hw_env() { hw_editor env "$@"; }
