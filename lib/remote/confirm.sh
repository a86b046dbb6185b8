# shellcheck shell=sh
# confirm.sh: changes that can cut the host off. Before the first of them the files that they concern are copied, and two
# processes begin to watch that outlive the session: unless a new connection confirms the change in time, they put
# the files back. The record is described in confirm-state.sh.
#
# What outlives a function:
#   hw_confirm_open    the id of a change of this session that is not decided, or empty; see core.sh
#   hw_confirm_would   with --check: the id of one that would be made
#   hw_confirm_*_ID    what hw_confirm_for was given
# Needs: confirm-state confirm-copy record effect-unit
hw_confirm_would='' hw_giving_up=hw_confirm_abandon

# hw_confirm_for ID SECONDS TITLE PROGRAM PATH…: the steps within ID (hw_confirm_guard) make this change. PROGRAM is a shell
# program that puts it back, PATH are the files concerned.
hw_confirm_for() {
  hw_confirm_id=$1
  eval "hw_confirm_seconds_$1=\$2 hw_confirm_title_$1=\$3 hw_confirm_program_$1=\$4"
  shift 4
  hw_line=''
  for hw_each in "$@"; do hw_line=$hw_line$hw_each$hw_newline; done
  eval "hw_confirm_paths_$hw_confirm_id=\$hw_line"
}

# hw_confirm_guard ID FUNCTION ARG…: a step of the change ID. The record is made right before it acts. Of one that was put back
# meanwhile nothing is done again.
hw_confirm_guard() {
  hw_confirm_id=$1
  shift
  if hw_confirm_is_ours; then
    hw_confirm_open=$hw_confirm_id
    case $hw_confirm_state in
      open) ;;
      confirmed) hw_confirm_open='' ;;
      *) hw_confirm_lost || return ;;
    esac
  fi
  hw_confirming=hw_confirm_arm
  "$@"
  set -- $?
  hw_confirming=
  [ -z "$hw_check" ] || [ "$hw_status" != changed ] || hw_confirm_would=$hw_confirm_id
  return "$1"
}

# hw_confirm_is_ours: whether the record is of this change.
hw_confirm_is_ours() {
  [ -z "$hw_check" ] && [ -e "$hw_dir/confirm/window" ] || return
  hw_confirm_look
  [ "$hw_confirm_of" = "$hw_confirm_id" ]
}

# hw_confirm_arm: called by hw_act, in the middle of a step: a subshell has its own variables.
hw_confirm_arm() {
  [ -z "$hw_check" ] && [ "$hw_confirm_open" != "$hw_confirm_id" ] || return 0
  (hw_confirm_begin) || return
  hw_confirm_open=$hw_confirm_id
}

hw_confirm_begin() {
  hw_temporary='' hw_stage=''
  hw_confirm_look
  case $hw_confirm_state in
    open | reverting) hw_fail "another change waits for its confirmation ($hw_confirm_title): nothing was changed" || return ;;
    failed) hw_fail "what was changed before could not be put back ($hw_confirm_title), see $hw_dir/confirm: nothing was changed" || return ;;
  esac
  hw_effect_may_unit || { command -v setsid >/dev/null && [ "${hw_login_ends-}" != ends ]; } ||
    hw_fail 'what puts the files back would end with the connection: this host has neither systemd-run nor setsid, or systemd ends what a login leaves (loginctl enable-linger). Nothing was changed' tool_missing || return
  hw_make_dir || return
  rm -rf -- "$hw_dir/confirm"
  hw_confirm_record=$hw_dir/confirm
  hw_confirm_write && hw_confirm_start 1 && hw_confirm_start 2 && hw_confirm_watched && return
  rm -rf -- "$hw_confirm_record"
  return 1
}

# hw_confirm_write: the record, on the disk, as $hw_dir/confirm. What decides is there from the start, as the disk may be
# full by then.
hw_confirm_write() {
  mkdir -m 700 -- "$hw_confirm_record" || hw_fail "can't make $hw_confirm_record" || return
  eval "hw_confirm_limit=\$hw_confirm_seconds_$hw_confirm_id hw_confirm_title=\$hw_confirm_title_$hw_confirm_id
    hw_confirm_program=\$hw_confirm_program_$hw_confirm_id hw_confirm_paths=\$hw_confirm_paths_$hw_confirm_id"
  hw_confirm_count=0
  set -f
  IFS=$hw_newline
  # shellcheck disable=SC2086 # line by line
  set -- $hw_confirm_paths
  IFS=" 	$hw_newline"
  set +f
  true >"$hw_confirm_record/files"
  for hw_confirm_path in "$@"; do hw_confirm_keep "$hw_confirm_path" || return; done
  hw_boot_id
  # In whole seconds, of which the first may be over at once.
  hw_elapse
  umask 077
  {
    hw_put "$hw_confirm_program" >"$hw_confirm_record/program" && hw_confirm_around >"$hw_confirm_record/around" && hw_lines confirmed >"$hw_confirm_record/confirmed" &&
      hw_lines 'reverting 1' >"$hw_confirm_record/reverting.1" && hw_lines 'reverting 2' >"$hw_confirm_record/reverting.2" &&
      hw_lines 'reverting now' >"$hw_confirm_record/reverting.now" &&
      hw_lines "id=$hw_confirm_id" "run=${hw_lock_run-}" "title=$hw_confirm_title" "seconds=$hw_confirm_limit" "boot=$hw_boot" \
        "until=$((hw_seconds + hw_confirm_limit + 1))" >"$hw_confirm_record/window.new" &&
      hw_flush "$hw_confirm_record"/* && mv -f -- "$hw_confirm_record/window.new" "$hw_confirm_record/window" &&
      hw_flush "$hw_confirm_record" "$hw_dir"
  } || hw_fail "can't write to $hw_confirm_record: nothing was changed"
}

# hw_confirm_around: what commands find here around them, as a shell reads it: a unit of systemd has nothing of that.
hw_confirm_around() {
  hw_effect_exports
  hw_put "hw_umask=$hw_umask${hw_newline}hw_lc_all="
  hw_effect_quoted "$hw_lc_all"
  hw_effect_quoted cd -- "$PWD"
}

# hw_confirm_keep PATH: what is there, as a line of `files`: `file N PATH`, of which N is a copy; `link N PATH`, of which N
# holds what it points to, and behind it that file; `absent - PATH`.
hw_confirm_keep() {
  hw_confirm_count=$((hw_confirm_count + 1))
  hw_confirm_copy=$hw_confirm_record/$hw_confirm_count
  if [ -L "$1" ]; then
    hw_found=$(readlink -- "$1") && hw_put "$hw_found" >"$hw_confirm_copy" &&
      hw_lines "link $hw_confirm_count $1" >>"$hw_confirm_record/files" || hw_fail "can't keep $1: nothing was changed" || return
    case $hw_found in /*) ;; *) hw_found=${1%/*}/$hw_found ;; esac
    [ "$hw_confirm_count" -lt 1000 ] || hw_fail "$1 has no end of links: nothing was changed" || return
    hw_confirm_keep "$hw_found"
  elif [ -f "$1" ]; then
    hw_confirm_same "$1" "$hw_confirm_copy" && hw_lines "file $hw_confirm_count $1" >>"$hw_confirm_record/files" ||
      hw_fail "can't keep a copy of $1: nothing was changed"
  elif [ -e "$1" ]; then
    hw_fail "$1 is no file, and only files are kept: say which by \`files\` of confirm. Nothing was changed"
  else
    hw_lines "absent - $1" >>"$hw_confirm_record/files"
  fi
}

# hw_confirm_start NAME: begins one of the processes that watch, in a session of its own.
hw_confirm_start() {
  if hw_effect_may_unit && systemd-run ${hw_effect_manager:+"$hw_effect_manager"} --quiet --collect "--unit=hostwright-confirm-$hw_confirm_id-$1" \
    "--description=puts back what is not confirmed" --property=KillMode=process \
    -- /bin/sh "$hw_confirm_record/program" "$1" "$hw_dir" "$PATH" >/dev/null 2>&1; then
    return 0
  fi
  command -v setsid >/dev/null || hw_fail "can't start what would put the files back: nothing was changed" || return
  # No process may keep a descriptor of the channel, not even the shell that starts it.
  (
    exec </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    { cd / && exec setsid sh "$hw_confirm_record/program" "$1" "$hw_dir" "$PATH"; } &
  )
}

# hw_confirm_watched: until both watch.
hw_confirm_watched() {
  hw_tries=0
  until [ -s "$hw_confirm_record/watch.1" ] && [ -s "$hw_confirm_record/watch.2" ]; do
    hw_tries=$((hw_tries + 1))
    [ "$hw_tries" -le 200 ] || hw_fail "what would put the files back did not begin: nothing was changed" || return
    sleep 0.05 2>/dev/null || sleep 1
  done
}

# hw_confirm_await: the last step of a change: waits until it is confirmed, or put back.
hw_confirm_await() {
  if [ -n "$hw_check" ]; then
    [ "$hw_confirm_would" != "$hw_confirm_id" ] || hw_note='would wait for it'
    return 0
  fi
  if ! hw_confirm_is_ours; then
    hw_note='nothing changed'
    return 0
  fi
  if [ "$hw_confirm_state" = open ]; then
    true >"$hw_dir/confirm/ready"
    hw_elapse
    hw_mark confirm "$hw_id" "$hw_confirm_id" "$((hw_confirm_until - hw_seconds))"
  fi
  while [ "$hw_confirm_state" = open ]; do
    sleep 0.1 2>/dev/null || sleep 1
    hw_elapse
    # Nobody is left that would have done it.
    if [ "$hw_seconds" -gt "$((hw_confirm_until + 1))" ]; then hw_confirm_now; else hw_confirm_look; fi
  done
  [ "$hw_confirm_state" = confirmed ] || hw_confirm_lost || return
  hw_confirm_open='' hw_note=confirmed
  # Its copies are of no use any more, and may hold secrets.
  rm -f -- "$hw_dir/confirm"/[0-9]* "$hw_dir/confirm/program" "$hw_dir/confirm/around"
}

# hw_confirm_lost: fails: it is not confirmed. Waits until it is put back.
hw_confirm_lost() {
  hw_confirm_open=
  hw_elapse
  hw_confirm_why="not confirmed within $hw_confirm_limit s"
  [ "$hw_stop" != interrupted ] || [ "$hw_seconds" -ge "$hw_confirm_until" ] || hw_confirm_why='not confirmed before it was interrupted'
  hw_confirm_take_back
  if [ "$hw_confirm_state" = reverted ]; then
    hw_fail "$hw_confirm_why: $hw_confirm_said" reverted
  else
    hw_fail "$hw_confirm_why, and $hw_confirm_said" revert_failed
  fi
}

# hw_confirm_take_back: waits until it is put back, and what came of that into hw_confirm_said, which the run reports.
hw_confirm_take_back() {
  hw_confirm_now
  hw_confirm_said=''
  { read -r hw_confirm_line && IFS= read -r hw_confirm_said; } 2>/dev/null <"$hw_dir/confirm/result"
  hw_confirm_said=${hw_confirm_said:-what was changed could not be put back, see $hw_dir/confirm}
  true >"$hw_dir/confirm/reported"
}

# hw_confirm_abandon: a step of the change failed, or the session ends: it is put back at once.
hw_confirm_abandon() {
  hw_confirm_open=
  hw_confirm_look
  case $hw_confirm_state in none | confirmed) return 0 ;; esac
  hw_confirm_take_back
  hw_mark aside "$hw_confirm_title: $hw_confirm_said"
}

# hw_confirm ID: it is confirmed. By a connection that was made for this after the change.
hw_confirm() {
  hw_confirm_look
  [ "$hw_confirm_of" = "$1" ] && [ -e "$hw_dir/confirm/ready" ] || hw_fail 'there is nothing to confirm' || return
  # The other may be faster.
  ! ln -- "$hw_dir/confirm/confirmed" "$hw_dir/confirm/decision" 2>/dev/null || hw_flush "$hw_dir/confirm/confirmed" "$hw_dir/confirm"
  hw_confirm_look
  [ "$hw_confirm_state" = confirmed ] || hw_fail 'too late: it is put back' reverted
}
