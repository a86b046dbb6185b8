# shellcheck shell=sh
# control.sh: what a second shell does to a session whose own shell is busy. Not part of the prelude.

# hw_interrupt PID: the session's shell PID skips what it has not begun (see the trap in core.sh).
hw_interrupt() { kill -USR1 "$1"; }

# hw_expire PID SIGNAL: the session's shell PID does nothing more of its segment, and what it runs is signalled.
hw_expire() {
  kill -USR2 "$1"
  hw_kill "$1" "$2"
}

# hw_kill PID SIGNAL [itself]: signal (with or without `SIG`) all descendants of PID, and PID too if asked.
# They are stopped first, parents before children, until there are no new ones: one that was started
# meanwhile would live on, and a shell whose child dies before it would go on to its next command.
hw_kill() {
  hw_count=-1 hw_tries=0
  while [ "$hw_tries" -lt 20 ]; do
    hw_tries=$((hw_tries + 1))
    hw_victims=$(hw_below "$1")
    # shellcheck disable=SC2086 # a list of numbers
    hw_last=$hw_count hw_count=$(set -- $hw_victims && echo $#)
    [ "$hw_count" -ne "$hw_last" ] || break
    hw_signal STOP "$1" "${3-}"
  done
  hw_signal "${2#SIG}" "$1" "${3-}"
  hw_signal CONT "$1" "${3-}"
}

# hw_signal SIGNAL PID [itself]: to hw_victims, and to PID before them if asked.
hw_signal() {
  # shellcheck disable=SC2086 # a list of numbers
  kill -s "$1" ${3:+"$2"} $hw_victims 2>/dev/null
}

# hw_below PID: its descendants, nearest first.
hw_below() {
  hw_parents | awk -v root="$1" '
    { parent[$1] = $2 }
    END {
      for (each in parent) {
        above = each
        # A chain of parents is short; the bound is for lists that changed while they were read.
        for (n = 0; n < 1000 && (above in parent) && above != root; n++) above = parent[above]
        if (above != root || each == root) continue
        below[n] = below[n] " " each
        if (n > deepest) deepest = n
      }
      for (n = 1; n <= deepest; n++) print below[n]
    }'
}

# `PID PARENT` of every process.
hw_parents() {
  if [ -r /proc/self/stat ]; then
    # The name in brackets may hold anything: the fields we want come after the last bracket.
    for hw_each in /proc/[0-9]*/stat; do
      { IFS= read -r hw_line <"$hw_each"; } 2>/dev/null || continue
      hw_each=${hw_each#/proc/}
      hw_line=${hw_line##*) ? }
      echo "${hw_each%/stat} ${hw_line%% *}"
    done
  else
    ps -A -o pid= -o ppid=
  fi
}
