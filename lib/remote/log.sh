# shellcheck shell=sh
# log.sh: who changed what on this host, and when: $hw_dir/log/RUN, a file for each run that changed something, for
# `hostwright log`. Nothing is written before a step has changed something, and no process is started but for a new
# file. Each session that writes begins with what bootstrap.pid says of it, and a line for each change follows:
#   +SECONDS changed|failed|ran TITLE<tab>NOTE
# SECONDS since the lock was taken; `failed` began to change something; `ran` is a command of the recipe's own code.
# Needs: lock

# hw_logged TITLE WORD FUNCTION ARG…: run it; what it changes is in the log before the next step begins. WORD is what the
# log says where it succeeds and does not say whether it changes something. What can't be written is said in the
# step's note: it is no reason to stop half way.
hw_logged() {
  hw_log_title=$1 hw_log_word=$2
  shift 2
  "$@"
  set -- "$?"
  [ -z "$hw_check" ] && [ -n "${hw_lock_run-}" ] || return "$1"
  if [ "$1" -eq 0 ]; then
    [ "$hw_status" != changed ] || hw_log_word=changed
    [ -z "$hw_log_word" ] || [ "$hw_status" = need ] || hw_log_line "$hw_log_word $hw_log_title" "$hw_note"
  elif [ -n "$hw_log_word" ] || { [ "$hw_status" = changed ] && [ -n "$hw_acted" ]; }; then
    hw_log_line "failed $hw_log_title" ''
  fi
  return "$1"
}

# hw_log TITLE NOTE …: the same for what steps of another user have changed, who may not write here.
hw_log() {
  while [ "$#" -gt 1 ]; do
    hw_log_line "changed $1" "$2"
    shift 2
  done
}

# hw_log_line TEXT NOTE
hw_log_line() {
  [ "${hw_log_lines=0}" -lt 2000 ] || return 0
  hw_log_lines=$((hw_log_lines + 1))
  hw_log_seconds=0
  [ ! -r /proc/uptime ] || { hw_elapse && hw_log_seconds=$((hw_seconds - ${hw_lock_at:-$hw_seconds})); }
  hw_log_open && hw_lines "+$hw_log_seconds $1	$2" >>"$hw_log_file" && return
  [ "$hw_log_lines" -gt 2000 ] || hw_note="${hw_note:+$hw_note, }not in the log: can't write to $hw_dir/log"
  hw_log_lines=2001
} 2>/dev/null

# hw_log_open: this session's file, begun if it is new. The last two hundred stay.
hw_log_open() {
  [ -z "${hw_log_file-}" ] || return 0
  case $hw_lock_run in '' | *[!0-9A-Za-z_-]*) return 1 ;; esac
  hw_private_directory "$hw_dir/log" || return
  set -- "$hw_dir"/log/*
  while [ "$#" -ge 200 ]; do
    rm -f -- "$1"
    shift
  done
  { [ -f "$hw_dir/log/$hw_lock_run" ] || hw_private_file "$hw_dir/log/$hw_lock_run"; } &&
    hw_read_lock "$hw_lock_file" && hw_log_head >>"$hw_dir/log/$hw_lock_run" || return
  hw_log_file=$hw_dir/log/$hw_lock_run
}

# hw_log_head: who it is, of the lines that hw_read_lock has found.
hw_log_head() {
  hw_log_rest=$hw_holder_text
  while [ -n "$hw_log_rest" ]; do
    hw_log_each=${hw_log_rest%%"$hw_newline"*} hw_log_rest=${hw_log_rest#*"$hw_newline"}
    case $hw_log_each in
      run=* | attempt=* | recipe=* | owner=* | controller=* | time=*) hw_lines "$hw_log_each" ;;
    esac
  done
}

# hw_show_log COUNT: the files of the last COUNT runs, each after a line `file=RUN`; also those that began in the same
# second as the first of these, as their names do not say which was first. Only what is ours is in there: see
# hw_trust_state.
hw_show_log() {
  hw_may_look || return
  [ -d "$hw_dir/log" ] || return 0
  hw_log_left=$1
  set -- "$hw_dir"/log/*
  hw_log_skipped=$(($# - hw_log_left))
  for hw_path in "$@"; do
    [ "$hw_log_skipped" -gt 0 ] || break
    hw_log_skipped=$((hw_log_skipped - 1))
  done
  while [ "$#" -gt "$hw_log_left" ] && [ "${1%-*}" != "${hw_path%-*}" ]; do shift; done
  for hw_path in "$@"; do
    [ -f "$hw_path" ] && [ ! -L "$hw_path" ] || continue
    hw_lines "file=${hw_path##*/}"
    cat -- "$hw_path" || hw_fail "can't read $hw_path" state_unreadable || return
  done
}
