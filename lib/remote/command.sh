# shellcheck shell=sh
# command.sh: commands of recipes. Each runs in a shell of its own, so that nothing it does to its
# shell reaches ours.

# hw_run SHELL DIRECTORY INPUT COMMAND [NAME=VALUE…]: COMMAND by SHELL. If INPUT is not empty, the
# function hw_input_ID prints its standard input, ID being the step's. A marker tells the process's id
# first, so that it can be ended alone.
hw_run() {
  hw_announce=1
  hw_execute "$@"
}

hw_execute() {
  hw_shell=$1 hw_in=$2 hw_input=$3 hw_command=$4
  shift 4
  if [ -n "$hw_input" ]; then
    "hw_input_$hw_id" | hw_execute_here "$@"
  else
    hw_execute_here "$@"
  fi
}

hw_execute_here() (
  hw_enter "$hw_in" "$@"
  [ -n "$hw_announce" ] || exec "$hw_shell" -c "$hw_command"
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

# hw_enter DIRECTORY [NAME=VALUE…]: what a command finds around it. For a subshell: it may exit.
hw_enter() {
  [ -z "$1" ] || cd -- "$1" || exit 1
  shift
  if [ -n "$hw_lc_all" ]; then LC_ALL=$hw_lc_all; else unset LC_ALL; fi
  for hw_each in "$@"; do
    # shellcheck disable=SC2163 # NAME=VALUE: the controller has checked the name
    export "$hw_each"
  done
}

# hw_command CREATES UNLESS ONLY_IF SHELL DIRECTORY INPUT COMMAND [NAME=VALUE…]: a command as a
# resource: nothing is done if the path CREATES is there, UNLESS succeeds or ONLY_IF fails.
hw_command() {
  hw_creates=$1 hw_unless=$2 hw_only_if=$3
  shift 3
  [ -z "$hw_creates" ] || { [ ! -e "$hw_creates" ] && [ ! -L "$hw_creates" ]; } || return 0
  if [ -n "$hw_unless" ]; then
    hw_ask "$hw_unless" "$@" && return 0
  fi
  if [ -n "$hw_only_if" ]; then
    hw_ask "$hw_only_if" "$@" || return 0
  fi
  hw_status=changed
  hw_saw 'to be run'
  [ -z "$hw_check" ] || return 0
  hw_touch_all
  hw_announce=''
  hw_execute "$@"
}

# hw_ask QUESTION SHELL DIRECTORY INPUT COMMAND [NAME=VALUE…]: whether QUESTION succeeds where COMMAND is
# to run; what it prints is of no interest.
hw_ask() (
  exec >/dev/null 2>&1
  hw_question=$1 hw_shell=$2 hw_in=$3
  shift 5
  hw_enter "$hw_in" "$@"
  exec "$hw_shell" -c "$hw_question"
)
