# shellcheck shell=sh
# keepalive.sh: hears, over a shell of its own, that a session's controller is there: a line every now and then. The
# session's shell can't, as it reads nothing while a step runs.
# Needs: lock silence

# hw_keep PID SECONDS DIR: for the session whose shell is PID, until the end of the lines. If none comes for SECONDS, that
# shell is ended. DIR is its bootstrap_dir; empty for a session that has none.
hw_keep() {
  hw_kept=$1 hw_silence_limit=$2 hw_dir=$3
  hw_boot_id
  hw_process_start "$1" || exit
  hw_kept_start=$hw_started
  while :; do
    hw_keep_note
    hw_keep_alarm </dev/null >/dev/null 2>&1 &
    hw_alarm=$!
    IFS= read -r hw_line
    set -- $?
    kill "$hw_alarm"
    wait "$hw_alarm"
    [ "$1" -eq 0 ] || exit 0
  done 2>/dev/null
}

# hw_keep_note: its controller was heard, if it holds the lock.
hw_keep_note() {
  [ -n "$hw_dir" ] && hw_kept_locks && hw_note_heard "$hw_holder"
}

hw_kept_locks() {
  hw_read_lock "$hw_dir/bootstrap.pid" && [ "$hw_holder_pid" = "$hw_kept" ] && [ "$hw_holder_start" = "$hw_kept_start" ]
}

# hw_keep_alarm: ends the session, and then ourselves, unless TERM comes before.
hw_keep_alarm() {
  trap 'kill "$!"; exit' TERM
  sleep "$hw_silence_limit" &
  wait "$!" || exit
  trap '' TERM
  hw_end_silent
  kill -s KILL "$$"
}

# hw_end_silent: the running step goes on to its end, as at a lost connection, and nothing begins after it. The shell is
# killed then, as one that reads hears no signal that it has a trap for; what it leaves behind, its lock too, goes as
# that of any that was killed. One that only waits for the command of an effect, which holds the lock itself, is killed
# at once.
hw_end_silent() {
  hw_was_idle=''
  ! hw_kept_lives || kill -s USR1 "$hw_kept"
  while hw_kept_lives; do
    if [ -n "$hw_dir" ] && hw_kept_locks && hw_run_works "$hw_holder_run"; then
      kill -s KILL "$hw_kept"
    elif ! hw_has_children "$hw_kept"; then
      # It may have been between two programs.
      [ -z "$hw_was_idle" ] || kill -s KILL "$hw_kept"
      hw_was_idle=1
    else
      hw_was_idle=''
    fi
    sleep 1
  done
}

hw_kept_lives() {
  hw_process_start "$hw_kept" && [ "$hw_started" = "$hw_kept_start" ]
}
