# shellcheck shell=sh
# lock.sh: one run at a time on a host.
# Needs: process leftover silence holder records confirm-state
#
# bootstrap.pid names the process that holds the lock: this very shell, so that the lock lives as long
# as the work. A PID alone is reused, so the process's start time and the boot's id stand beside it, and the PID
# namespace: containers may share the directory, and none can tell whether another's process is alive.
# The first line is the PID, then `name=value` lines: start boot pidns heard run attempt recipe owner controller time
# session; for heard see silence.sh.
#
# `session` is a word that one host's part of a run has, and nobody else. Who comes with it is the same after its
# connection was lost: it gets the lock again, but only where nobody else had it meanwhile. So a shell that ends
# before it was asked to leaves its lock as bootstrap.lost, which whoever takes the lock next removes. And each step
# that changes something adds the line `changed=ID`: its answer may be lost with the connection.
#
# Taking a free lock is link(2) of a complete file: atomic, and nobody sees half a lock.
#
# Taking a stale lock must not be `remove, then take`: of two that saw the same stale lock, the slower
# would remove the faster one's. Instead there is a line of heirs: the file `bootstrap.pid.heir-X` can
# be linked by one process only, and names the heir of the dead holder X. If that heir is dead too,
# the heir of the heir is sought. Who becomes the last heir, and then still finds the lock in the
# state it started from, renames its own claim over bootstrap.pid. A lock that names X can be replaced
# only by X's line of heirs and X's identity never comes again, so no two can get that far.
#
# ln, mv and rm are processes of their own and may outlive a shell that is killed. A late ln makes a
# stale lock or a dead heir: harmless. A late mv finds its claim gone, since who follows a dead heir
# removes that first. A late rm would remove the lock of a successor: the shell becomes that rm itself,
# so that its identity lives until the lock is gone, and who kills the one kills the other.

# hw_holder_works: whether the holder is alive, or something is that it began: see effect.sh. That goes on where its
# shell was killed, and nobody else may work here meanwhile.
hw_holder_works() {
  hw_holder_alive || hw_holder_away || hw_run_works "$hw_holder_run"
}

# hw_make_claim LINE…: a complete lock of ours, beside the lock; its name into hw_claim.
hw_make_claim() {
  hw_this_place
  hw_process_start "$$" || hw_fail "can't find out when process $$ started" || return
  hw_lock_file=$hw_dir/bootstrap.pid
  hw_self=$$-$hw_started-$hw_boot${hw_space:+_$hw_space}
  hw_elapse
  # Set before anything is made: a signal may come at any time, and hw_unlock looks for itself.
  hw_claim=$hw_lock_file.claim-$hw_self
  umask 077
  # In a directory with a default ACL the umask is ignored. A process more only where there may be one.
  true >"$hw_claim" && { [ -n "$hw_state_plain" ] || chmod 600 -- "$hw_claim"; } &&
    hw_lines "$$" "start=$hw_started" "boot=$hw_boot" ${hw_space:+"pidns=$hw_space"} "heard=$hw_seconds" "$@" >"$hw_claim"
  hw_made=$?
  umask 022
  [ "$hw_made" -eq 0 ] || {
    rm -f -- "$hw_claim"
    hw_fail "can't write $hw_claim"
  }
}

# hw_lock RUN attempt= recipe= owner= controller= time= [session=] [again=] [silence=]: take the lock, or fail with code
# `locked` and the holder's lines on standard output. What the run itself began, in a session that is gone, is no obstacle.
# With `again` this session had the lock when its connection was lost: it prints the ids of the steps that have changed
# something, `changed= 3 7`, or after a refusal `own=yes` as long as its old shell is at work. `silence`: as
# hw_silence_limit, where it is another.
hw_lock() {
  command -v ln >/dev/null || hw_without ln coreutils || return
  hw_make_dir || return
  hw_words 1 'attempt recipe owner controller time session again silence' "$@" || return
  hw_silence_limit=${hw_want_silence:-$hw_silence_limit}
  hw_make_claim "run=$1" "attempt=$hw_want_attempt" "recipe=$hw_want_recipe" "owner=$hw_want_owner" \
    "controller=$hw_want_controller" "time=$hw_want_time" ${hw_want_session:+"session=$hw_want_session"} || return
  hw_earlier='in an earlier attempt' hw_changed_before=''
  [ -z "$hw_want_again" ] || hw_earlier='before the connection was lost'
  hw_take_lock "$1"
  hw_taken=$?
  rm -f -- "$hw_claim"
  case $hw_taken in
    0)
      hw_lock_run=$1 hw_lock_session=$hw_want_session
      hw_lock_time
      [ -z "$hw_lock_session" ] || hw_at_change=hw_note_changed
      if [ -z "$hw_want_again" ]; then
        hw_confirm_left
        hw_report_unknown
      else
        for hw_each in $hw_changed_before; do hw_lines "changed=$hw_each" >>"$hw_lock_file"; done
        hw_lines "changed=$hw_changed_before"
      fi
      ;;
    3) hw_fail 'another run has had the lock since' ;;
    1) hw_fail "can't take the lock $hw_lock_file${hw_said:+: $hw_said}" ;;
    *)
      ! hw_holder_away || hw_lines alive=away
      hw_show_holder
      [ -z "$hw_want_again" ] || ! hw_is_own_session || hw_lines own=yes
      hw_fail "locked by process $hw_holder_pid" locked
      ;;
  esac
}

# hw_lock_time: when the lock was taken, as hw_elapse counts, where that costs no process; for log.sh.
hw_lock_time() {
  [ ! -r /proc/uptime ] || { hw_elapse && hw_lock_at=$hw_seconds; }
}

# hw_link_claim NAME: one more name for our claim, if it is free; else hw_said says why not. In a directory of
# that name, or a link to one, ln would succeed again and again, each claim under its own name.
hw_link_claim() {
  hw_said=
  hw_no_directory "$1" && hw_said=$(ln -- "$hw_claim" "$1" 2>&1)
}

# hw_is_own_session: whether hw_read_lock found the lock of this session, which had another shell.
hw_is_own_session() {
  [ -n "$hw_want_session" ] && [ "$hw_holder_session" = "$hw_want_session" ]
}

# hw_had_lock: whether nobody else has had the lock since this session lost its connection; and what it changed.
hw_had_lock() {
  hw_read_lock "$hw_lock_file" || hw_read_lock "$hw_dir/bootstrap.lost" || return
  hw_is_own_session && hw_changed_before=$hw_holder_changed
}

# hw_note_changed: the running step has changed something.
hw_note_changed() {
  [ -z "$hw_check" ] && hw_read_lock "$hw_lock_file" && [ "$hw_holder" = "$hw_self" ] || return 0
  { hw_lines "changed=$hw_id" >>"$hw_lock_file"; } 2>/dev/null || return 0
}

# hw_take_lock RUN: 0 taken (or ours already), 1 can't, 2 held: hw_holder_* says by whom; 3 somebody had it meanwhile.
hw_take_lock() {
  hw_tries=0
  # Each turn is one sight of the lock that somebody changed before we could act on it.
  while [ "$hw_tries" -lt 200 ]; do
    hw_tries=$((hw_tries + 1))
    [ -z "$hw_want_again" ] || hw_had_lock || return 3
    if hw_link_claim "$hw_lock_file"; then
      # Between the two looks it may have been somebody else's.
      [ -z "$hw_want_again" ] || [ -e "$hw_dir/bootstrap.lost" ] || { hw_unlock && return 3; }
      hw_sweep "$1"
      return 0
    fi
    if ! hw_read_lock "$hw_lock_file"; then
      # Gone meanwhile, unless it is there and no file, or not for us to read, or nothing can be made here.
      if [ -e "$hw_lock_file" ]; then
        [ -f "$hw_lock_file" ] && [ -r "$hw_lock_file" ]
      else
        [ -w "$hw_dir" ]
      fi || return 1
      continue
    fi
    hw_first=$hw_holder hw_dead=''
    while :; do
      [ "$hw_holder" != "$hw_self" ] || return 0
      ! hw_holder_away || return 2
      ! hw_holder_alive || hw_lock_supersede "$1" || hw_lock_silent || return 2
      hw_is_own_session || hw_is_earlier_attempt "$1" || ! hw_run_works "$hw_holder_run" || return 2
      hw_heir=$hw_lock_file.heir-$hw_holder
      if hw_link_claim "$hw_heir"; then
        for hw_each in $hw_dead; do
          [ ! -e "$hw_lock_file.claim-$hw_each" ] || rm -f -- "$hw_lock_file.claim-$hw_each"
        done
        if hw_read_lock "$hw_lock_file" && [ "$hw_holder" = "$hw_first" ]; then
          mv -f -- "$hw_claim" "$hw_lock_file" || return 1
          hw_still_idle "$1" || return 2
          hw_sweep "$1"
          return 0
        fi
        rm -f -- "$hw_heir"
        break
      fi
      [ ! -d "$hw_heir" ] || return 1
      hw_read_lock "$hw_heir" || break
      hw_dead="$hw_dead $hw_holder"
    done
  done
  return 1
}

# hw_still_idle RUN: whether still nothing is at work that the dead holder began: a runner that it had started may have
# begun just before we had the lock (see hw_lock_stays in effect.program.sh). Then the lock is given back to the dead.
hw_still_idle() {
  ! hw_is_own_session && ! hw_is_earlier_attempt "$1" && hw_run_works "$hw_holder_run" || return 0
  hw_private_file "$hw_claim" &&
    { hw_lines "$hw_holder_pid" && hw_put "$hw_holder_text" && hw_lines "session=$hw_holder_session"; } >"$hw_claim" &&
    mv -f -- "$hw_claim" "$hw_lock_file" && rm -f -- "$hw_heir"
  return 1
}

# hw_is_earlier_attempt RUN: whether hw_read_lock found the lock of an earlier attempt of the same run.
hw_is_earlier_attempt() {
  case $hw_holder_attempt$hw_want_attempt in '' | *[!0-9]*) return 1 ;; esac
  [ "$hw_holder_run" = "$1" ] && [ "$hw_holder_attempt" -lt "$hw_want_attempt" ]
}

# hw_lock_supersede RUN: the holder is a shell of an earlier attempt of the same run, whose controller is gone, or of this
# session, and it only waits for the command that it began: that goes on under our lock, as effect.sh says, and the
# shell ends. This session's ends as well after the step that it runs: TERM is heard between two commands only, and in
# some shells not while they wait for script. Without a child it does nothing.
hw_lock_supersede() {
  if hw_is_own_session; then
    kill -s TERM "$hw_holder_pid"
    hw_run_works "$1" || ! hw_has_children "$hw_holder_pid" || return
  else
    hw_is_earlier_attempt "$1" || return
    # Its command has just ended, and so will the shell, unless it is at work on something else.
    hw_run_works "$1" || { hw_lock_wait 20; return; }
  fi
  hw_end_holder
}

# hw_lock_silent: the holder is a shell that waits for its next line, and has heard nothing for too long: it ends. One
# whose session lasted long enough is ended by keepalive.sh.
hw_lock_silent() {
  hw_looks=0
  while :; do
    hw_measure_silence
    [ "${hw_silent:-0}" -gt "$hw_silence_limit" ] && ! hw_has_children "$hw_holder_pid" || return
    # It may have been between two programs, or about to read what has come.
    hw_looks=$((hw_looks + 1))
    [ "$hw_looks" -lt 3 ] || break
    sleep 1
  done
  hw_end_holder
}

# hw_end_holder: the shell that holds the lock is killed.
hw_end_holder() {
  kill -s KILL "$hw_holder_pid" || ! hw_holder_alive || return
  hw_lock_wait 50
}

# hw_lock_wait TENTHS: whether the holder ends within that time.
hw_lock_wait() {
  hw_waits=$1
  while hw_holder_alive; do
    [ "$hw_waits" -gt 0 ] || return 1
    hw_waits=$((hw_waits - 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
}

# hw_sweep [RUN]: what processes left that were killed while they tried; called by who holds the lock, as until then
# no line of heirs leads anywhere. A claim's name says whose it is: it may be empty yet.
hw_sweep() {
  for hw_path in "$hw_lock_file".heir-* "$hw_lock_file".claim-*; do
    [ -e "$hw_path" ] || continue
    case ${hw_path##*/} in
      *.claim-*)
        hw_holder=${hw_path##*.claim-}
        hw_holder_pid=${hw_holder%%-*} hw_holder=${hw_holder#*-}
        hw_holder_start=${hw_holder%%-*} hw_holder_boot=${hw_holder#*-} hw_holder_space=''
        case $hw_holder_boot in *_*) hw_holder_space=${hw_holder_boot##*_} hw_holder_boot=${hw_holder_boot%_*} ;; esac
        ! hw_holder_alive && ! hw_holder_away || continue
        ;;
    esac
    rm -f -- "$hw_path"
  done
  for hw_path in "$hw_dir/bootstrap.lost" "$hw_dir/bootstrap.heard"; do
    [ ! -e "$hw_path" ] || rm -f -- "$hw_path"
  done
  # The state and what steps had here, see leftover.sh.
  hw_sweep_in "$hw_dir"
  hw_sweep_in "$hw_dir/products"
  hw_sweep_each "$hw_dir"/scratch-*
  hw_sweep_runs "${1-}"
}

# hw_break_lock: take the lock away from whoever holds it, dead or alive. `hostwright unlock` only.
# Renaming over it keeps the rule that a lock is never absent between two holders.
hw_break_lock() {
  hw_may_look || return
  [ -e "$hw_dir/bootstrap.pid" ] || return 0
  hw_no_directory "$hw_dir/bootstrap.pid" || return
  hw_make_claim run=unlock || return
  mv -f -- "$hw_claim" "$hw_lock_file" || hw_fail "can't replace $hw_lock_file" || return
  hw_status=changed
  hw_sweep
  hw_unlock
}

# hw_show_lock: who holds the lock: `alive=yes|no` and its lines; nothing when it is free.
hw_show_lock() {
  hw_may_look || return
  hw_no_directory "$hw_dir/bootstrap.pid" || return
  hw_this_place
  hw_read_lock "$hw_dir/bootstrap.pid" || return 0
  if hw_holder_away; then hw_lines alive=away; elif hw_holder_works; then hw_lines alive=yes; else hw_lines alive=no; fi
  hw_show_holder
}

# hw_show_holder: the lines of the holder, and for how many seconds nothing was heard of it.
hw_show_holder() {
  hw_measure_silence
  hw_lines "pid=$hw_holder_pid" "silent=$hw_silent"
  hw_put "$hw_holder_text"
}

# hw_unlock [exec]: give the lock back if it is ours, and the claim to it if we were interrupted; with
# exec, as the last that this shell does. Where an effect goes on without us, it stays: see hw_holder_works. One whose
# connection was lost may come back: see bootstrap.lost above.
hw_unlock() {
  [ -n "$hw_claim" ] || return 0
  [ -z "${hw_effect-}" ] || ! hw_run_works "$hw_lock_run" || return 0
  if hw_read_lock "$hw_lock_file" && [ "$hw_holder" = "$hw_self" ]; then
    if [ -n "${1-}" ] && [ -z "$hw_leaving" ] && [ -n "${hw_lock_session-}" ]; then
      [ ! -e "$hw_claim" ] || rm -f -- "$hw_claim"
      exec mv -f -- "$hw_lock_file" "$hw_dir/bootstrap.lost"
    fi
    ${1-} rm -f -- "$hw_lock_file" "$hw_claim" "$hw_dir/bootstrap.heard"
  elif [ -e "$hw_claim" ]; then
    rm -f -- "$hw_claim"
  fi
  hw_claim=''
}
