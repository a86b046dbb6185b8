# shellcheck shell=sh
# effect.sh: steps that can't be asked whether they are done, as a command without a condition. Each runs once a
# run: what it began, and how it ended, is in $hw_dir/runs/RUN/KEY:
#   intent    what it is, for people
#   started   its runner's process, as bootstrap.pid names one; there before it begins
#   pid       the command's own process
#   out, err  what it printed, up to 64 MiB
#   exit      its exit status, and how many bytes of what it printed were not kept; there once it has ended
# Without `started` it never ran. With `exit` it is done: an attempt that comes later gets its output and status. In
# between it runs as long as its runner lives (see effect.program.sh); if that is gone, nobody knows what it did.
# Needs: lock run effect-unit effect-user

# hw_effect KEY [again=] [verify=] [title=] [user=] [part=] [-- FUNCTION ARG…]: run it, once. Where its end is not known: with `again`
# it may run again; the command `verify` succeeds if it is done. `title` is what people call it. Its command runs as
# `user`, who has no hand in the record. `part`: an upgrade script, forward or back, see hw_effect_turn. What runs no command of ours, as a restart, may run again: of that only its
# success is noted.
hw_effect() {
  hw_words 1 'again verify title user part' "$@" || return
  hw_effect_key=$1 hw_effect_again=$hw_want_again hw_effect_verify=$hw_want_verify hw_effect_title=$hw_want_title
  hw_effect_user=$hw_want_user hw_effect_part=$hw_want_part hw_effect_script=''
  shift "$hw_skip"
  # Without a lock, as `exec` works, there is no run that could go on.
  if [ -n "$hw_check" ] || [ -z "${hw_lock_run-}" ]; then
    "$@"
    return
  fi
  hw_effect=$hw_dir/runs/$hw_lock_run/$hw_effect_key hw_effect_why='' hw_effect_code=step_failed
  if [ -e "$hw_effect/exit" ] && [ ! -e "$hw_effect/started" ]; then
    hw_note="done $hw_earlier"
    set -- 0
  else
    hw_effect_turn && hw_effect_find && "$@" && hw_effect_mark
    set -- "$?"
  fi
  hw_effect=''
  # Whatever exit statuses the step takes for a success.
  [ -z "$hw_effect_why" ] || hw_fail "$hw_effect_why" "$hw_effect_code" || return
  return "$1"
}

# hw_effect_turn: an upgrade script may run several times in a run, one way and back: its intent (see intent.sh) says when.
# Of its record only the success holds of one that an earlier attempt had begun in this direction.
hw_effect_turn() {
  [ -n "$hw_effect_part" ] && [ -e "$hw_effect/intent" ] || return 0
  hw_effect_look
  hw_effect_end_of=''
  [ "$hw_effect_state" != done ] || read -r hw_effect_end_of <"$hw_effect/exit"
  case $hw_intent_before:$hw_effect_end_of in
    "$hw_effect_part begun:0") { IFS= read -r hw_line && IFS= read -r hw_line && [ "$hw_line" = "part=$hw_effect_part" ]; } <"$hw_effect/intent" && return ;;
  esac
  rm -rf -- "$hw_effect" || hw_effect_fail "can't remove $hw_effect"
}

# hw_effect_fail MESSAGE [CODE]: why the effect fails, for hw_effect to say.
hw_effect_fail() {
  hw_effect_why=$1 hw_effect_code=${2:-step_failed}
  return 1
}

# hw_effect_look: what is known of it, into hw_effect_state: new, running, done or uncertain.
hw_effect_look() {
  hw_effect_state=new
  if [ -e "$hw_effect/exit" ]; then
    hw_effect_state=done
  # An empty one was being written when the power failed: what it is about had not begun.
  elif [ -s "$hw_effect/started" ] && hw_read_lock "$hw_effect/started"; then
    hw_this_place
    hw_effect_state=running
    # It may have ended between the two looks.
    hw_holder_alive || { [ -e "$hw_effect/exit" ] && hw_effect_state=done; } || hw_effect_state=uncertain
  fi
}

# hw_effect_find: the same, and what is to be done about an end that is not known.
hw_effect_find() {
  hw_effect_look
  [ "$hw_effect_state" = uncertain ] || return 0
  ! hw_holder_away ||
    hw_effect_fail 'it began in an earlier attempt, in another PID namespace: from here nobody can tell whether it still runs' uncertain ||
    return
  ! hw_command_works "$hw_effect" ||
    hw_effect_fail "it began $hw_earlier, and still runs, but what would have noted its end was killed" uncertain || return
  if [ -n "$hw_effect_verify" ] && (hw_enter '' && exec sh -c "$hw_effect_verify") >/dev/null 2>&1; then
    hw_effect_done && hw_effect_state=done
  elif [ -n "$hw_effect_verify$hw_effect_again" ]; then
    rm -rf -- "$hw_effect" && hw_effect_state=new
  else
    hw_effect_fail "it began $hw_earlier, and how it ended is not known" uncertain || return
  fi || hw_effect_fail "can't write to $hw_effect"
}

# hw_effect_done: somebody found out that it is done. What its runner made for the end goes.
hw_effect_done() {
  echo 0 >"$hw_effect/exit" || return
  for hw_each in "$hw_effect"/*.pipe "$hw_effect"/started.* "$hw_effect"/script-* "$hw_effect/exit.new" "$hw_effect/in" "$hw_effect/unit"; do
    [ ! -e "$hw_each" ] || rm -f -- "$hw_each"
  done
}

# hw_effect_mark: it has succeeded, without a command that would have noted that.
hw_effect_mark() {
  [ "$hw_status" = changed ] && [ ! -e "$hw_effect/exit" ] && [ ! -e "$hw_effect/boot" ] || return 0
  hw_effect_may_go
  { hw_private_directory "$hw_effect" && echo 0 >"$hw_effect/exit"; } 2>/dev/null ||
    hw_also "can't write to $hw_effect: it is done again if this run is resumed"
}

# hw_effect_may_go: its record is not true any more where the change that it is a part of is put back (see confirm.sh).
hw_effect_may_go() {
  [ -z "$hw_confirm_open" ] || hw_lines "$hw_effect" >>"$hw_dir/confirm/effects"
}

# hw_settle RUN TITLE done|not-done: what a person found out about the effect of that title whose end is not known: it is
# done, with exit status 0, or may run again. Where there is none it fails, and says which there are.
hw_settle() {
  hw_settled='' hw_others=''
  for hw_effect in "$hw_dir/runs/$1"/*; do
    hw_title_of "$hw_effect" || continue
    hw_effect_look
    [ "$hw_effect_state" = uncertain ] || continue
    if [ "$hw_title" != "$2" ]; then
      hw_others=$hw_others$hw_newline$hw_title
      continue
    fi
    hw_settled=1
    [ -z "$hw_check" ] || continue
    case $3 in
      done) hw_effect_done ;;
      not-done) rm -rf -- "$hw_effect" ;;
    esac || hw_fail "can't write to $hw_effect" || return
  done
  hw_effect=''
  if [ -n "$hw_settled" ]; then
    hw_also "$3"
  elif [ -n "$hw_others" ]; then
    hw_fail "no step of that title; those whose end is not known are:$hw_others"
  else
    hw_fail "run $1 has left no step here whose end is not known"
  fi
}

# hw_effect_run [NAME=VALUE…]: what hw_execute does for an effect: its command is run, or waited for, or what came of
# it before is passed on. Its exit status.
hw_effect_run() {
  hw_effect_shown='' hw_effect_starts=0
  [ "$hw_effect_state" = new ] || hw_note="begun $hw_earlier"
  while :; do
    [ "$hw_effect_state" != running ] || hw_effect_attach
    # A runner that was ended before it began has done nothing: then there is another.
    [ "$hw_effect_state" = new ] && [ "$hw_effect_starts" -lt 2 ] || break
    hw_effect_starts=$((hw_effect_starts + 1))
    hw_effect_start "$@" || hw_effect_fail "can't write to $hw_effect: it was not run" || return
    hw_effect_look
  done
  case $hw_effect_state in
    done)
      [ -n "$hw_effect_shown" ] || hw_effect_show
      hw_effect_end
      return "${hw_effect_status:-1}"
      ;;
    new) hw_effect_fail "its runner did not begin, or can't write to $hw_effect: it was not run" ;;
    *) hw_effect_fail 'its runner was ended, and how it ended is not known' uncertain ;;
  esac
}

# hw_effect_end: its exit status into hw_effect_status. That a part of its output is missing is said beside it.
hw_effect_end() {
  hw_effect_status=''
  while IFS= read -r hw_line; do
    case $hw_line in
      out=*) hw_effect_cut "standard output" "${hw_line#*=}" ;;
      err=*) hw_effect_cut "standard error" "${hw_line#*=}" ;;
      *) hw_effect_status=${hw_effect_status:-$hw_line} ;;
    esac
  done <"$hw_effect/exit"
}

# hw_effect_cut STREAM BYTES
hw_effect_cut() {
  hw_mark aside "$hw_effect_title: its $1 is cut off: of what did not fit into 64 MiB, or on the disk of $hw_dir, at least $2 bytes are lost"
}

# hw_effect_start [NAME=VALUE…]: begin it, and pass on what it prints until its runner has ended. Fails if it can't
# be written down before.
hw_effect_start() {
  hw_effect_input=/dev/null hw_effect_path=$PATH hw_setsid='' hw_effect_runner=$hw_dir/runs/$hw_lock_run/runner
  # What a runner left that did not come to its beginning.
  { [ ! -e "$hw_effect/intent" ] && [ ! -e "$hw_effect/started" ]; } || rm -rf -- "$hw_effect" || return
  hw_effect_may_go
  { hw_private_directory "$hw_effect" && hw_lines "title=$hw_effect_title" ${hw_effect_part:+"part=$hw_effect_part"} >"$hw_effect/intent" &&
    true >"$hw_effect/out" && true >"$hw_effect/err" &&
    { [ -s "$hw_effect_runner" ] || hw_put "$hw_effect_program" >"$hw_effect_runner"; }; } || return
  hw_this_place
  if [ -n "$hw_effect_user" ]; then
    hw_effect_find_user && hw_effect_pour "$@" >"$hw_effect/in" || return
    hw_effect_input=$hw_effect/in
  elif [ -n "$hw_input" ]; then
    "hw_input_$hw_id" >"$hw_effect/in" || return
    hw_effect_input=$hw_effect/in
  fi
  if hw_effect_may_unit && (hw_effect_how=hw_effect_unit && hw_effect_exec "$@") >/dev/null 2>&1; then
    hw_effect_await_unit
    return
  fi
  hw_each=''
  if command -v setsid >/dev/null; then
    hw_setsid=setsid
    case ${hw_login_ends-} in
      ends | lingers)
        hw_each="systemd ends what $hw_login_name runs here with the last session (KillUserProcesses=yes): commands may end with the connection; \`loginctl enable-linger $hw_login_name\` lets them outlive it"
        ;;
    esac
  else
    hw_each='this host has neither systemd-run nor setsid: commands here end with the connection'
  fi
  if [ -n "$hw_each" ] && [ -z "${hw_effect_said-}" ]; then
    hw_effect_said=1
    hw_mark aside "$hw_each"
  fi
  # The pipe is the runner's, so its end says that the runner has ended. Not in the background, where the shell
  # makes a process ignore SIGINT.
  hw_effect_how=hw_effect_become
  hw_effect_exec "$@" | hw_effect_watch
  hw_effect_shown=1
}

# hw_effect_exec [NAME=VALUE…]: becomes the runner, by hw_effect_how. For the front of a pipe, which is a subshell: one
# more would stay and keep the channel open.
hw_effect_exec() {
  if [ -n "$hw_effect_user" ]; then
    hw_enter /
    hw_effect_as_user "$hw_in" "$hw_input" "$hw_effect_script" "${hw_script_size-}" \
      ${hw_timeout:+timeout -k 10 "$hw_timeout"} "$hw_shell" -c "$hw_command"
  else
    hw_enter "$hw_in" "$@" "HOSTWRIGHT_KEY=$hw_lock_run-$hw_effect_key"
    "$hw_effect_how" sh -c "$hw_effect_announce" sh ${hw_timeout:+timeout -k 10 "$hw_timeout"} "$hw_shell" -c "$hw_command"
  fi
}

# hw_effect_become WORD…: the runner of these words.
hw_effect_become() {
  # shellcheck disable=SC2086 # a word or none
  exec $hw_setsid sh "$hw_effect_runner" "$hw_effect" "$hw_boot" "$hw_space" "$hw_lock_file" "$hw_self" "$hw_effect_path" "$@" \
    3>&1 <"$hw_effect_input" >/dev/null 2>&1
}

# What becomes the command, once it has said which process it is: to a file, and to a session that may be gone. sudo
# closes descriptors.
# shellcheck disable=SC2016 # for the inner shell
hw_effect_announce='trap "" PIPE
{ echo "pid $$" >&3; echo "$$" >&4; } 2>/dev/null
trap - PIPE
exec "$@" 3>&- 4>&-'

# hw_effect_watch: reads the runner's pipe to its end; meanwhile another process passes on the output. What ends
# the command does not end these.
hw_effect_watch() (
  trap '' HUP TERM
  exec 7<"$hw_effect/out" 8<"$hw_effect/err"
  hw_effect_follow </dev/null &
  hw_follower=$!
  while read -r hw_each hw_line; do
    [ -z "$hw_announce" ] || [ "$hw_each" != pid ] || hw_mark pid "$hw_id" "$hw_line"
  done
  kill -s USR1 "$hw_follower" 2>/dev/null
  # It may not have come to its trap yet, and the shell would report that it was ended.
  wait "$hw_follower" 2>/dev/null
  hw_effect_pass
)

# hw_effect_follow: passes on what comes, until USR1, which ends it between two looks. Where the session's shell was
# killed nobody hears it: then both processes end, as they keep the channel open.
hw_effect_follow() {
  hw_over=''
  trap 'hw_over=1' USR1
  for hw_nap in 0.02 0.05 0.1; do hw_effect_nap; done
  while [ -z "$hw_over" ]; do
    # shellcheck disable=SC2016 # for the inner shell
    kill -0 "$$" 2>/dev/null || exec sh -c 'kill -s KILL "$PPID"'
    hw_effect_nap
  done
}

# hw_effect_nap: sleep, and pass on what has come. A signal ends that early. Some sleeps know whole seconds only. Of the
# signals that end a process, shells do not report PIPE.
hw_effect_nap() {
  [ -z "$hw_over" ] || return 0
  sleep "$hw_nap" >/dev/null 2>&1 &
  hw_sleeper=$!
  wait "$hw_sleeper"
  case $? in
    0) ;;
    ? | ?? | 10? | 11? | 12?) hw_nap=1 ;;
    *) kill -s PIPE "$hw_sleeper" 2>/dev/null ;;
  esac
  hw_effect_pass
}

# hw_effect_pass: what has come since the last time: descriptors 7 and 8 keep their places. Most commands print nothing,
# and would cost two processes with each look.
hw_effect_pass() {
  [ ! -s "$hw_effect/out" ] || cat <&7
  [ ! -s "$hw_effect/err" ] || cat <&8 >&2
}

# hw_effect_attach: passes on the output of a runner that is not below us, all of it, until it ends.
hw_effect_attach() {
  hw_over='' hw_nap=0.02 hw_effect_told=''
  exec 7<"$hw_effect/out" 8<"$hw_effect/err"
  while [ "$hw_effect_state" = running ]; do
    if [ -n "$hw_announce" ] && [ -z "$hw_effect_told" ] && { read -r hw_line <"$hw_effect/pid"; } 2>/dev/null; then
      hw_effect_told=1
      hw_mark pid "$hw_id" "$hw_line"
    fi
    hw_effect_nap
    case $hw_nap in 0.02) hw_nap=0.05 ;; 0.05) hw_nap=0.1 ;; esac
    hw_effect_look
  done
  hw_effect_pass
  exec 7<&- 8<&-
  hw_effect_shown=1
}

# hw_effect_show: all that it printed.
hw_effect_show() {
  [ ! -s "$hw_effect/out" ] || cat -- "$hw_effect/out"
  [ ! -s "$hw_effect/err" ] || cat -- "$hw_effect/err" >&2
}
