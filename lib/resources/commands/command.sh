# shellcheck shell=sh
# command.sh: commands as resources: whether there is something to do, and what came of it.
# Needs: run scratch

# hw_command COMMAND [shell=] [creates=] [unless=] [only_if=] [ok=] [changed=] [seconds=] [directory=] [input=] [env=]…:
# nothing is done if the path `creates` is there, `unless` succeeds or `only_if` fails. `ok`: exit statuses that
# are no failure, default 0. `changed`: see hw_action_changed. `seconds`: how long it may take, no end without.
# `input`: the function hw_input_ID prints its standard input. `env` is NAME=VALUE.
hw_command() {
  hw_words 1 'shell creates unless only_if ok changed seconds directory input env' "$@" || return
  hw_script_name='' hw_action_line=$1
  shift
  for hw_each in "$@"; do
    shift
    case $hw_each in env=*) set -- "$@" "${hw_each#env=}" ;; esac
  done
  hw_action_begin "$@" && hw_action_due || return
  [ "$hw_action" = run ] || return 0
  hw_action_run "$hw_action_line" "$@"
}

# hw_action_has PROGRAM: fails where the shell or interpreter is not there. Most packages of such have
# its name.
hw_action_has() {
  [ "$1" = sh ] || command -v "$1" >/dev/null || hw_without "$1" "${1##*/}"
}

# hw_action_begin [NAME=VALUE…]: whether there is something to do: then hw_action is `due`.
hw_action_begin() {
  hw_ok=${hw_want_ok:-0} hw_changed_when=$hw_want_changed hw_timeout=$hw_want_seconds hw_action=''
  [ -z "$hw_want_creates" ] || { [ ! -e "$hw_want_creates" ] && [ ! -L "$hw_want_creates" ]; } || return 0
  if [ -n "$hw_want_unless" ]; then
    hw_ask "$hw_want_unless" "$@" && return 0
  fi
  if [ -n "$hw_want_only_if" ]; then
    hw_ask "$hw_want_only_if" "$@" || return 0
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
      # Only running it shows that.
      hw_status=changed hw_note=${hw_check:+unknown}
      ;;
  esac
  if [ -n "$hw_check" ]; then hw_action_foreseen; else hw_action=run; fi
}

# hw_action_foreseen: fails, with --check, for want of what its running needs. What it creates may be there by then.
hw_action_foreseen() {
  [ -z "$hw_want_directory" ] || [ -d "$hw_want_directory" ] ||
    hw_awaits path "$hw_want_directory" "there is no directory $hw_want_directory" || return
  hw_action_has "${hw_want_shell:-sh}" || return
  [ -n "$hw_want_creates" ] && hw_explain path "$hw_want_creates" || return 0
  case $hw_explained in *' makes '*) hw_note="unknown: $hw_explained" ;; esac
}

# hw_ask QUESTION [NAME=VALUE…]: whether QUESTION succeeds where the command is to run; what it prints is of no
# interest.
hw_ask() (
  exec >/dev/null 2>&1
  hw_question=$1
  shift
  hw_enter "$hw_want_directory" "$@"
  exec "${hw_want_shell:-sh}" -c "$hw_question"
)

# hw_action_run COMMAND [NAME=VALUE…]: run it and say what came of it.
hw_action_run() {
  set -- "${hw_want_shell:-sh}" "$hw_want_directory" "$hw_want_input" "$@"
  hw_action_has "$1" || return
  hw_touch_all
  # While it runs it counts as one that changes something.
  hw_announce='' hw_status=changed
  if [ -n "$hw_timeout" ]; then
    command -v timeout >/dev/null || hw_without timeout coreutils || return
    hw_elapse
    hw_began=$hw_seconds
  fi
  # What it does can't be foreseen.
  [ "$hw_changed_when" = no ] || hw_act || return
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
      [ $((hw_seconds - hw_began)) -lt "$hw_timeout" ] ||
        hw_fail "timed out after $hw_timeout s" wait_timeout || return
      ;;
  esac
  [ "$hw_exit" -ne 0 ] || hw_fail "exit status 0, but expected: $hw_ok" || return
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
