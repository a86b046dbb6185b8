# shellcheck shell=sh
# run.sh: commands of recipes. Each runs in a shell of its own, so that nothing it does to its
# shell reaches ours.

# hw_run SHELL DIRECTORY INPUT COMMAND [NAME=VALUE…]: COMMAND by SHELL. If INPUT is not empty, the
# function hw_input_ID prints its standard input, ID being the step's. A marker gives the process's id
# first, so that it can be ended alone.
hw_run() {
  hw_announce=1 hw_timeout=''
  hw_execute "$@"
}

hw_execute() {
  # It may be one that asks systemd for what an earlier step has changed.
  [ -z "${hw_units_changed-}" ] || hw_units_settle || return
  hw_shell=$1 hw_in=$2 hw_input=$3 hw_command=$4
  shift 4
  if [ -n "${hw_effect-}" ]; then
    hw_effect_run "$@"
  elif [ -n "$hw_input" ]; then
    "hw_input_$hw_id" | hw_execute_here "$@"
  else
    hw_execute_here "$@"
  fi
}

# hw_timeout: seconds that a command may take that is not announced; empty for no end.
hw_execute_here() (
  hw_enter "$hw_in" "$@"
  [ -n "$hw_announce" ] || exec ${hw_timeout:+timeout -k 10 "$hw_timeout"} "$hw_shell" -c "$hw_command"
  # By environment: other users can't read that, as they can an argument.
  hw_marker="$hw_nonce pid $hw_id"
  export hw_marker
  # Where printf is built in; in bash echo would write it in two pieces, see hw_mark.
  # shellcheck disable=SC2016 # for the inner shell
  exec sh -c '
    if [ -n "${BASH_VERSION-}" ]; then printf "%s\n" "$hw_marker $$"; else echo "$hw_marker $$"; fi
    unset hw_marker
    exec "$@"' sh "$hw_shell" -c "$hw_command"
)

# hw_enter DIRECTORY [NAME=VALUE…]: what a command finds around it, with the login's locale and umask. For a
# subshell: it may exit.
hw_enter() {
  [ -z "$1" ] || cd -- "$1" || exit 1
  shift
  umask "$hw_umask"
  if [ -n "$hw_lc_all" ]; then LC_ALL=$hw_lc_all; else unset LC_ALL; fi
  for hw_each in "$@"; do
    # shellcheck disable=SC2163 # NAME=VALUE: the controller has checked the name
    export "$hw_each" || exit 1
  done
}
