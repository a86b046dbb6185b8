# shellcheck shell=sh
# control.sh: what a second shell does to a session whose own shell is busy. Not part of the prelude.

# hw_interrupt PID: the session's shell PID skips what it has not begun (see the trap in core.sh).
hw_interrupt() { hw_send USR1 "$1"; }

# hw_expire PID SIGNAL [DIR]: the session's shell PID does nothing more of its segment, and what it runs is signalled.
hw_expire() {
  hw_send USR2 "$1"
  hw_kill "$1" "$2" '' "${3-}"
}

# hw_kill PID SIGNAL [itself] [DIR]: signal (with or without `SIG`) all descendants of PID, and PID too if asked. Those
# of bootstrap_dir DIR that run there once a run count as its descendants, wherever they are, but for their runners, which
# write down how they ended: see effect.sh. A change there that waits to be confirmed is put back: see confirm-state.sh.
# They are stopped first, parents before children, until there are no new ones: one that was started
# meanwhile would live on, and a shell whose child dies before it would go on to its next command.
# A su that sees its command stopped stops as well, so the parents of commands are to go on too.
hw_kill() {
  hw_count=-1 hw_tries=0 hw_above='' hw_stopped=''
  [ -z "${4-}" ] || [ ! -s "$4/confirm/window" ] || true >"$4/confirm/now"
  hw_find_effects "${4-}"
  for hw_each in $hw_commands ${3:+"$1"}; do
    { IFS= read -r hw_line <"/proc/$hw_each/stat"; } 2>/dev/null || continue
    hw_line=${hw_line##*) ? }
    hw_above="$hw_above ${hw_line%% *}"
  done
  while [ "$hw_tries" -lt 20 ]; do
    hw_tries=$((hw_tries + 1))
    hw_victims=$(hw_below "$1")
    # shellcheck disable=SC2086 # a list of numbers
    hw_last=$hw_count hw_count=$(set -- $hw_victims && echo $#)
    [ "$hw_count" -ne "$hw_last" ] || break
    hw_stopped="$hw_stopped $hw_victims"
    hw_signal STOP "$1" "${3-}"
  done
  hw_signal "${2#SIG}" "$1" "${3-}"
  hw_signal CONT "$1" "${3-}"
  # What was stopped just as its parent ended is no descendant any more: a service that was starting would stay so for ever.
  # shellcheck disable=SC2086 # lists of numbers
  hw_send CONT $hw_above $hw_stopped
}

# hw_signal SIGNAL PID [itself]: to hw_victims, and to PID before them if asked.
hw_signal() {
  # shellcheck disable=SC2086 # a list of numbers
  hw_send "$1" ${3:+"$2"} $hw_victims
}

# hw_send SIGNAL PID…: also to processes of another user that sudo lets us be; these are not stopped, as the sudo that
# runs them would stop with them, which nobody could undo.
hw_send() {
  hw_word=$1
  shift
  for hw_each in "$@"; do
    kill -s "$hw_word" "$hw_each" 2>/dev/null || hw_send_as_owner "$hw_each"
  done
}

hw_send_as_owner() {
  case $hw_word in STOP | CONT) return 0 ;; esac
  # shellcheck disable=SC2012 # one directory, whose name is a number
  hw_owner=$(ls -ldn -- "/proc/$1" 2>/dev/null | awk '{ print $3 }')
  case $hw_owner in '' | 0) return 0 ;; esac
  # shellcheck disable=SC2016 # for the inner shell
  ! command -v sudo >/dev/null || sudo -n -u "#$hw_owner" -- sh -c 'kill -s "$1" "$2"' sh "$hw_word" "$1" 2>/dev/null
}

# hw_find_effects DIR: runners that have not ended into hw_runners, their commands' processes into hw_commands. Of those whose
# runner is gone nothing is known.
hw_find_effects() {
  hw_runners='' hw_commands=''
  [ -n "$1" ] || return 0
  for hw_each in "$1"/runs/*/*/started; do
    if [ ! -s "$hw_each" ] || [ -e "${hw_each%/*}/exit" ]; then continue; fi
    read -r hw_runner <"$hw_each"
    [ -d "/proc/$hw_runner" ] || continue
    hw_runners="$hw_runners $hw_runner"
    ! read -r hw_line <"${hw_each%/*}/pid" || hw_commands="$hw_commands $hw_line"
  done 2>/dev/null
}

# hw_below PID: its descendants, nearest first.
hw_below() {
  hw_parents | awk -v root="$1" -v runners="$hw_runners" -v commands="$hw_commands" '
    { parent[$1] = $2 }
    END {
      for (n = split(commands, list, " "); n > 0; n--) if (list[n] in parent) parent[list[n]] = root
      for (n = split(runners, list, " "); n > 0; n--) delete parent[list[n]]
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
