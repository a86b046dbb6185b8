# shellcheck shell=sh
# command.sh: commands and scripts as resources: whether there is something to do, and what came of it.
# Needs: run scratch

# hw_command CREATES UNLESS ONLY_IF OK CHANGED SECONDS SHELL DIRECTORY INPUT COMMAND [NAME=VALUE…]:
# nothing is done if the path CREATES is there, UNLESS succeeds or ONLY_IF fails. OK: exit statuses that
# are no failure. CHANGED: see hw_action_changed. SECONDS: how long it may take, empty for no end.
hw_command() {
  hw_script_name=''
  hw_action_begin "$@" && hw_action_due || return
  [ "$hw_action" = run ] || return 0
  shift 6
  hw_action_run "$@"
}

# hw_script NAME TEXT … [CONTENT]: the same of a script, whose command finds it in a file of the name in
# $HOSTWRIGHT_SCRIPT. If TEXT is empty, the function CONTENT prints it; the step asks for that.
hw_script() {
  hw_script_name=$1 hw_script_text=$2
  shift 2
  hw_action_begin "$@" && hw_action_due || return
  [ "$hw_action" = run ] || return 0
  # The last argument: a name, where all others that may be there hold a `=` or a blank.
  for hw_each in "$@"; do :; done
  if [ -n "$hw_script_text" ]; then
    hw_each=
  else
    case $hw_each in
      hw_content_*[!0-9]* | [!h]*) hw_each='' ;;
      hw_content_*) ;;
      *) hw_each='' ;;
    esac
    if [ -z "$hw_each" ]; then
      hw_status=need hw_note=''
      return 0
    fi
  fi
  shift 6
  # The command is `exec INTERPRETER …`, quoted where it is an odd one.
  hw_interpreter=${4#exec } hw_interpreter=${hw_interpreter%% *}
  case $hw_interpreter in *[!A-Za-z0-9_./+-]*) ;; *) hw_action_has "$hw_interpreter" || return ;; esac
  hw_scratch_make && hw_script_write "$hw_each" || return
  hw_action_run "$@" "HOSTWRIGHT_SCRIPT=$hw_scratch/$hw_script_name"
}

# hw_action_has PROGRAM: fails where the shell or interpreter is not there. Most packages of such have
# its name.
hw_action_has() {
  [ "$1" = sh ] || command -v "$1" >/dev/null || hw_without "$1" "${1##*/}"
}

# hw_script_write [CONTENT]
hw_script_write() {
  (umask 077 && if [ -n "$1" ]; then "$1"; else hw_put "$hw_script_text"; fi >"$hw_scratch/$hw_script_name") ||
    hw_fail "can't write the script to $hw_scratch"
}

# hw_action_begin ARGUMENT… (those of hw_command): what goes for all of the step.
hw_action_begin() {
  hw_creates=$1 hw_unless=$2 hw_only_if=$3 hw_ok=$4 hw_changed_when=$5 hw_timeout=$6
  hw_action=''
  shift 6
  [ -z "$hw_creates" ] || { [ ! -e "$hw_creates" ] && [ ! -L "$hw_creates" ]; } || return 0
  if [ -n "$hw_unless" ]; then
    hw_ask "$hw_unless" "$@" && return 0
  fi
  if [ -n "$hw_only_if" ]; then
    hw_ask "$hw_only_if" "$@" || return 0
  fi
  hw_action=due
}

# hw_action_due: if it is to be run now, hw_action becomes `run`.
hw_action_due() {
  [ "$hw_action" = due ] || return 0
  hw_saw 'to be run'
  case $hw_changed_when in
    no) hw_note=${hw_check:+'not run with --check'} ;;
    '') hw_status=changed ;;
    *)
      # Only having run it tells.
      hw_status=changed hw_note=${hw_check:+unknown}
      ;;
  esac
  [ -n "$hw_check" ] || hw_action=run
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

# hw_action_run SHELL DIRECTORY INPUT COMMAND [NAME=VALUE…]: run it and say what came of it.
hw_action_run() {
  hw_action_has "$1" || return
  hw_touch_all
  # While it runs it counts as one that changes something: see hw_cleanup in core.sh.
  hw_announce='' hw_status=changed
  if [ -n "$hw_timeout" ]; then
    command -v timeout >/dev/null || hw_without timeout coreutils || return
    hw_elapse
    hw_started=$hw_seconds
  fi
  case $hw_changed_when in
    *stdout*)
      hw_scratch_make || return
      hw_execute "$@" >"$hw_scratch/output"
      hw_exit=$?
      cat -- "$hw_scratch/output"
      ;;
    *stderr*)
      hw_scratch_make || return
      hw_execute "$@" 2>"$hw_scratch/output"
      hw_exit=$?
      cat -- "$hw_scratch/output" >&2
      ;;
    *)
      hw_execute "$@"
      hw_exit=$?
      ;;
  esac
  case $hw_changed_when in
    '') ;;
    *) hw_action_changed "$hw_changed_when" || hw_status=ok ;;
  esac
  hw_scratch_drop
  case " $hw_ok " in *" $hw_exit "*) return 0 ;; esac
  # Of GNU, of busybox, and of one that would not end.
  case ${hw_timeout:+$hw_exit} in
    124 | 143 | 137)
      hw_elapse
      [ $((hw_seconds - hw_started)) -lt "$hw_timeout" ] ||
        hw_fail "not done after $hw_timeout s: it was ended" wait_timeout || return
      ;;
  esac
  [ "$hw_exit" -ne 0 ] || hw_fail "exit status 0, which is not one that is wanted: $hw_ok" || return
  return "$hw_exit"
}

# hw_action_changed WHEN: whether that holds: `no`, `status 2 3`, `stdout has TEXT`, `stderr matches PATTERN`
# (see lib/resources/host-pattern.ts), or `not ` before any of these.
hw_action_changed() {
  case $1 in
    'not '*) ! hw_action_changed "${1#not }" ;;
    no) return 1 ;;
    'status '*) case "${1#status} " in *" $hw_exit "*) return 0 ;; *) return 1 ;; esac ;;
    'std'???' has '*) grep -Fq -e "${1#std??? has }" -- "$hw_scratch/output" ;;
    'std'???' matches '*)
      # For the stand-ins see editor.awk.
      hw_pattern=${1#std??? matches } awk '
        BEGIN {
          pattern = ENVIRON["hw_pattern"]
          gsub(/\001/, "[\302-\337][\200-\277]|[\340-\357][\200-\277][\200-\277]|[\360-\364][\200-\277][\200-\277][\200-\277]", pattern)
          gsub(/\002/, "\200-\377", pattern)
        }
        $0 ~ pattern { found = 1; exit }
        END { exit !found }' "$hw_scratch/output"
      ;;
  esac
}

# hw_scratch_drop: what the step put there. The directory may be another part's, for all of the session.
hw_scratch_drop() {
  [ -n "$hw_scratch" ] || return 0
  rm -f -- "$hw_scratch/output" "$hw_scratch/${hw_script_name:-output}"
  hw_scratch_end
}
