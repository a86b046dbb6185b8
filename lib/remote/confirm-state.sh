# shellcheck shell=sh
# confirm-state.sh: a change that must be confirmed, as $hw_dir/confirm has it. There is one at most:
#   window     what it is; there before the change begins, and after all that is needed to put it back
#   files, 1…  what was there, see hw_confirm_keep in confirm.sh
#   program    puts it back, see confirm-watch.sh; watch.NAME are the processes that run it
#   around     the environment and directory in which its commands run again
#   effects    records of commands (see effect.sh) that are no longer true once it is put back
#   ready      it may be confirmed: the change and its handlers are done
#   now        it is to be put back at once
#   decision   `confirmed`, or `reverting NAME`: by link(2), so there is one, and it never changes
#   result     `reverted` or `failed`, and why; there once that is over
#   reported   the run has reported it
# Needs: process

# hw_confirm_look [RECORD]: into hw_confirm_state: none, open, confirmed, reverting, reverted or failed. Of a record without a
# window nothing has begun.
hw_confirm_look() {
  set -- "${1:-$hw_dir/confirm}"
  hw_confirm_state=none hw_confirm_who='' hw_confirm_run='' hw_confirm_title='' hw_confirm_limit='' hw_confirm_until=0
  hw_confirm_boot='' hw_confirm_of=''
  [ -s "$1/window" ] || return 0
  while IFS= read -r hw_confirm_line; do
    case $hw_confirm_line in
      id=*) hw_confirm_of=${hw_confirm_line#*=} ;;
      run=*) hw_confirm_run=${hw_confirm_line#*=} ;;
      title=*) hw_confirm_title=${hw_confirm_line#*=} ;;
      seconds=*) hw_confirm_limit=${hw_confirm_line#*=} ;;
      until=*) hw_confirm_until=${hw_confirm_line#*=} ;;
      boot=*) hw_confirm_boot=${hw_confirm_line#*=} ;;
    esac
  done <"$1/window"
  hw_confirm_state=open
  [ -e "$1/decision" ] || return 0
  read -r hw_confirm_state hw_confirm_who <"$1/decision"
  [ "$hw_confirm_state" = confirmed ] || [ ! -s "$1/result" ] || read -r hw_confirm_state <"$1/result"
}

# hw_confirm_now: it is put back, by us or by those that watch over it; then there is a result.
hw_confirm_now() {
  true >"$hw_dir/confirm/now"
  sh "$hw_dir/confirm/program" now "$hw_dir" "$PATH" </dev/null >/dev/null 2>&1
  hw_confirm_look
}

# hw_confirm_left: what a session left that is gone: nobody confirms that any more. Prints `back=STATE RUN TITLE`. For who
# has just taken the lock.
hw_confirm_left() {
  [ -d "$hw_dir/confirm" ] || return 0
  hw_confirm_look
  # What could not be put back may be by now.
  [ "$hw_confirm_state" != failed ] || rm -f -- "$hw_dir/confirm/result" "$hw_dir/confirm/reported"
  case $hw_confirm_state in open | reverting | failed) hw_confirm_now ;; esac
  case $hw_confirm_state in
    reverted | failed) [ -e "$hw_dir/confirm/reported" ] || hw_lines "back=$hw_confirm_state $hw_confirm_run $hw_confirm_title" ;;
  esac
  [ "$hw_confirm_state" = failed ] || rm -rf -- "$hw_dir/confirm"
}
