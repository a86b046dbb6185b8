# shellcheck shell=sh
# step.sh: what stands before a step's own function: a condition, the handlers it notifies; and handlers.
# Needs: write run record

# hw_when WORD… -- FUNCTION ARG…: run only if the condition holds. It is in reverse Polish notation, so
# that it is words and never code: `changed ID`, `exists PATH`, `succeeds COMMAND`, `true` and `false` put
# an answer on the stack; `not`, `and` and `or` take theirs from it.
hw_when() {
  hw_answers=
  while [ "$1" != -- ]; do
    case $1 in
      changed)
        case $hw_changes in *" $2 "*) hw_answer true ;; *) hw_answer false ;; esac
        shift
        ;;
      exists)
        if [ -e "$2" ] || [ -L "$2" ]; then hw_answer true; else hw_answer false; fi
        shift
        ;;
      succeeds)
        if (hw_enter '' && exec sh -c "$2") >/dev/null 2>&1; then hw_answer true; else hw_answer false; fi
        shift
        ;;
      not)
        case $hw_answers in t*) hw_answers=f${hw_answers#?} ;; *) hw_answers=t${hw_answers#?} ;; esac
        ;;
      and)
        case $hw_answers in tt*) hw_answers=${hw_answers#?} ;; *) hw_answers=f${hw_answers#??} ;; esac
        ;;
      or)
        case $hw_answers in ff*) hw_answers=${hw_answers#?} ;; *) hw_answers=t${hw_answers#??} ;; esac
        ;;
      *) hw_answer "$1" ;;
    esac
    shift
  done
  shift
  hw_saw "when $hw_answers"
  case $hw_answers in
    t*) "$@" ;;
    *) hw_status=skipped hw_note='its condition does not hold' ;;
  esac
}

# hw_answer true|false: one more on the stack.
hw_answer() {
  case $1 in true) hw_answers=t$hw_answers ;; *) hw_answers=f$hw_answers ;; esac
}

# hw_notify KEY RECORD … -- FUNCTION ARG…: run it; if it changes something, the handlers KEY are due. That is written
# down before it does (hw_act), so that no handler is lost, whatever happens to the step, this shell or the host: RECORD, a
# line by which a later run knows the handler. Where it can't be written, the step fails and changes nothing. What fails
# may have changed all that a later run looks at: what it notifies is due too, once it has begun to act.
hw_notify() {
  hw_notify_keys='' hw_notify_records=''
  while [ "$1" != -- ]; do
    hw_notify_keys="$hw_notify_keys $1" hw_notify_records=$hw_notify_records$2$hw_newline
    shift 2
  done
  shift
  hw_notifying=hw_note_due hw_noted_due=''
  "$@"
  set -- "$?"
  # With --check nothing acts, and all that would be due counts as due.
  [ "$1" -ne 0 ] || [ "$hw_status" != changed ] || hw_act || set -- 1
  hw_notifying=
  if [ "$1" -ne 0 ] && [ -n "$hw_acted" ] && [ "$hw_status" = changed ]; then
    hw_mark owes "$hw_id"
  elif [ "$1" -ne 0 ] || [ "$hw_status" = ok ]; then
    # It did not act, or it was a command that has changed nothing, as its output says.
    for hw_due_key in $hw_noted_due; do hw_undo_due "$hw_due_key"; done
  fi
  return "$1"
}

# hw_note_due: what the running step notifies is due. Fails if that can't be written down. Steps call it in their middle,
# so the names of its variables are its own.
hw_note_due() {
  hw_load_due
  hw_due_rest=$hw_notify_records
  for hw_due_key in $hw_notify_keys; do
    hw_due_line=${hw_due_rest%%"$hw_newline"*}
    hw_due_rest=${hw_due_rest#*"$hw_newline"}
    case $hw_due in
      *" $hw_due_key:"*) ;;
      *)
        if [ -z "$hw_check" ] && [ -n "$hw_dir" ]; then
          hw_write_due "$hw_due_key $hw_due_line" || hw_fail "can't write $hw_dir/handlers: nothing was changed" || return
          hw_noted_due="$hw_noted_due $hw_due_key"
        fi
        ;;
    esac
    hw_due="$hw_due $hw_due_key:$hw_id "
  done
  [ -z "$hw_noted_due" ] || hw_flush "$hw_dir/handlers" "$hw_dir"
}

# hw_write_due LINE: one more line. What is cut short would swallow the next one.
hw_write_due() {
  hw_make_dir && { [ -e "$hw_dir/handlers" ] || hw_private_file "$hw_dir/handlers"; } &&
    hw_lines "$hw_torn$1" >>"$hw_dir/handlers" && hw_torn='' && return
  hw_torn=$hw_newline
  return 1
}

# hw_owe KEY RECORD …: these are due, as steps of another user may make them so, who may not write it down.
hw_owe() {
  hw_notify_keys='' hw_notify_records=''
  while [ "$#" -gt 0 ]; do
    hw_notify_keys="$hw_notify_keys $1" hw_notify_records=$hw_notify_records$2$hw_newline
    shift 2
  done
  hw_noted_due=
  hw_note_due
}

# hw_handler KEY [WORD…] FUNCTION ARG…: a handler: run only if it is due, and no longer due when it has
# succeeded. hw_trigger is the last step that notified it, 0 if that was in an earlier run.
hw_handler() {
  hw_load_due
  hw_handler_key=$1
  shift
  case $hw_due in
    *" $hw_handler_key:"*) ;;
    *)
      hw_status=skipped
      return
      ;;
  esac
  hw_trigger=${hw_due##*" $hw_handler_key:"}
  hw_trigger=${hw_trigger%% *}
  "$@" || return
  [ "$hw_status" != need ] || return 0
  hw_undo_due "$hw_handler_key" || hw_fail "can't write $hw_dir/handlers"
}

# hw_load_due: handlers that an earlier run left due; asked when first needed, which is under the lock. What
# begins with no key is damaged. A last line without its end, as a full disk leaves one, would swallow the
# next: hw_torn, what goes before that.
hw_load_due() {
  [ -z "$hw_due_loaded" ] || return 0
  hw_due_loaded=1 hw_torn=''
  [ -n "$hw_dir" ] && [ -f "$hw_dir/handlers" ] || return 0
  while IFS= read -r hw_due_line || { [ -n "$hw_due_line" ] && hw_torn=$hw_newline; }; do
    [ -z "$hw_torn" ] || break
    case ${hw_due_line%% *} in
      '' | *[!0-9a-f]*) ;;
      *) hw_due="$hw_due ${hw_due_line%% *}:0 " ;;
    esac
  done <"$hw_dir/handlers"
}

# hw_assume_due KEY…: these are due, and no others: in the session of another user, which may not read
# what is written down.
hw_assume_due() {
  hw_due='' hw_due_loaded=1
  for hw_each in "$@"; do
    hw_due="$hw_due $hw_each:0 "
  done
}

# hw_reload_due: what is due is what is written down, after a look at what would be done.
hw_reload_due() {
  hw_due='' hw_due_loaded=''
}

# hw_still_due KEY…: these are due too, whatever is written down: in a shell that replaces one whose connection was lost.
hw_still_due() {
  hw_load_due
  for hw_each in "$@"; do
    case $hw_due in *" $hw_each:"*) ;; *) hw_due="$hw_due $hw_each:0 " ;; esac
  done
}

# hw_undo_due KEY: it is due no longer.
hw_undo_due() {
  hw_rest=$hw_due hw_due=''
  for hw_each in $hw_rest; do
    [ "${hw_each%:*}" = "$1" ] || hw_due="$hw_due $hw_each "
  done
  [ -z "$hw_check" ] && [ -n "$hw_dir" ] && [ -f "$hw_dir/handlers" ] || return 0
  hw_torn=
  if [ -z "$hw_due" ]; then
    rm -f -- "$hw_dir/handlers"
    return
  fi
  hw_new_file "$hw_dir/handlers" || return
  hw_written=0
  while IFS= read -r hw_line; do
    [ "${hw_line%% *}" = "$1" ] || hw_lines "$hw_line" || hw_written=1
  done <"$hw_dir/handlers" >"$hw_temporary" && [ "$hw_written" -eq 0 ] && mv -f -- "$hw_temporary" "$hw_dir/handlers" ||
    hw_give_up "can't write $hw_dir/handlers" || return
  hw_temporary=
}
