# shellcheck shell=sh
# run-stream.sh: a command whose standard input comes while it runs, over a shell of its own; see
# lib/session/stream-input.ts.
# Needs: run scratch

# hw_run_stream SHELL DIRECTORY COMMAND [NAME=VALUE…]: as hw_run; a marker gives the pipe that another shell is to
# write to. The command's own process opens it, so that a signal ends that wait as well.
hw_run_stream() {
  hw_announce=1 hw_timeout=''
  hw_scratch_make || return
  hw_pipe=$hw_scratch/input-$hw_id
  command -v mkfifo >/dev/null || hw_without mkfifo coreutils || return
  mkfifo -m 600 -- "$hw_pipe" || hw_fail "can't make the pipe $hw_pipe" || return
  hw_mark input "$hw_id" "$hw_pipe"
  hw_from_pipe "$@"
  hw_exit_status=$?
  # Whoever waits to write finds a reader, and then none.
  true <>"$hw_pipe"
  rm -f -- "$hw_pipe"
  hw_scratch_end
  return "$hw_exit_status"
}

hw_from_pipe() (
  exec <"$hw_pipe" || exit
  hw_shell=$1 hw_in=$2 hw_command=$3
  shift 3
  hw_execute "$hw_shell" "$hw_in" '' "$hw_command" "$@"
)
