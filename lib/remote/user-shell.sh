# shellcheck shell=sh
# user-shell.sh: the shell of another user's session (as), which has no lock to name it.
# Needs: process

# hw_user_shell [PID START BOOT]: prints which process this shell is: its id, when it started, and the boot. What comes as
# words is the shell that this user's session had before its connection was lost. That may not know of it, and be at
# work: so it ends before anything else begins, after the step that it runs.
hw_user_shell() {
  hw_boot_id
  while [ "$hw_boot" = "${3-}" ] && hw_process_start "$1" && [ "$hw_started" = "$2" ]; do
    # Between two programs it hears that at once. In some shells it does not while it waits for script: then it has no
    # child, and does nothing.
    kill -s TERM "$1" 2>/dev/null
    sleep 0.2 2>/dev/null || sleep 1
    hw_has_children "$1" || kill -s KILL "$1" 2>/dev/null
  done
  hw_process_start "$$" && hw_lines "$$ $hw_started $hw_boot"
}
