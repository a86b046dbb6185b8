# shellcheck shell=sh
# confirm-watch.sh: the program that puts back a change which nobody has confirmed (see confirm-state.sh): `sh program NAME DIR
# PATH`. Two of them, 1 and 2, wait for that side by side, so that one may be killed; `now` does not wait. It is made of
# the prelude, of hw_confirm_again, which does what belongs to the change again, and of a last line that calls
# hw_confirm_main.
# Needs: confirm-state confirm-copy record

# hw_confirm_main NAME DIR PATH: watches as NAME, and puts it back. It works in the directory of its record, by relative
# names: once that is removed, none of them leads to the record of the next change, which has the same path.
hw_confirm_main() {
  hw_confirm_name=$1 hw_dir=$2 PATH=$3
  hw_confirm_record=.
  # By what ended the session it must not end. TERM comes when the host goes down.
  trap '' HUP INT PIPE USR1 USR2
  cd -- "$hw_dir/confirm" || exit
  hw_detect >/dev/null
  hw_boot_id
  # What a session began that is gone may still be at it.
  while hw_confirm_lives "$1"; do sleep 1; done
  hw_process_start "$$"
  hw_lines "$$ $hw_started $hw_boot" >"$hw_confirm_record/watch.$1"
  hw_confirm_wait
  hw_confirm_look .
  [ "$hw_confirm_state" = open ] && ln -- "$hw_confirm_record/reverting.$1" "$hw_confirm_record/decision" 2>/dev/null
  hw_confirm_look .
  # Another one is at it, unless it was killed over that.
  while [ "$hw_confirm_state" = reverting ] && [ "$hw_confirm_who" != "$1" ] && hw_confirm_lives "$hw_confirm_who"; do
    hw_confirm_pause
  done
  [ "$hw_confirm_state" != reverting ] || hw_confirm_put_back
}

# hw_confirm_wait: until the time is over, or somebody has decided.
hw_confirm_wait() {
  hw_confirm_look .
  while [ "$hw_confirm_name" != now ] && [ "$hw_confirm_state" = open ] && [ ! -e "$hw_confirm_record/now" ]; do
    hw_elapse
    [ "$hw_seconds" -lt "$hw_confirm_until" ] || break
    hw_confirm_pause
  done
}

hw_confirm_pause() {
  sleep 0.3 2>/dev/null || sleep 1
  hw_confirm_look .
}

# hw_confirm_lives NAME: whether that process is there.
hw_confirm_lives() {
  hw_found='' hw_each='' hw_line=''
  { read -r hw_found hw_each hw_line; } 2>/dev/null <"$hw_confirm_record/watch.$1"
  [ -n "$hw_found" ] && [ "$hw_line" = "$hw_boot" ] && hw_process_start "$hw_found" && [ "$hw_started" = "$hw_each" ]
}

# hw_confirm_put_back: the files first, then what makes the host use them. What fails is tried again.
hw_confirm_put_back() {
  hw_confirm_tries=0
  until hw_confirm_put_files; do
    hw_confirm_tries=$((hw_confirm_tries + 1))
    [ "$hw_confirm_tries" -lt 3 ] || break
    sleep 1
  done 2>"$hw_confirm_record/log"
  (. ./around; hw_confirm_again) </dev/null >>"$hw_confirm_record/log" 2>&1
  hw_confirm_ran=$?
  if [ -s "$hw_confirm_record/effects" ]; then
    while IFS= read -r hw_line; do rm -rf -- "$hw_line"; done <"$hw_confirm_record/effects"
  fi
  if [ -n "$hw_confirm_failed" ]; then
    set -- failed "can't be put back:$hw_confirm_failed; a copy is in $hw_dir/confirm"
  elif [ "$hw_confirm_ran" -ne 0 ]; then
    set -- failed "the files were put back, but what belongs to them failed: see $hw_dir/confirm/log"
  else
    set -- reverted "put back${hw_confirm_put:+:$hw_confirm_put}"
  fi
  hw_lines "$@" >"$hw_confirm_record/result.$hw_confirm_name" && hw_flush "$hw_confirm_record/result.$hw_confirm_name" &&
    mv -f -- "$hw_confirm_record/result.$hw_confirm_name" "$hw_confirm_record/result" && hw_flush "$hw_confirm_record"
}

hw_confirm_put_files() {
  hw_confirm_failed='' hw_confirm_put=''
  while IFS= read -r hw_confirm_line; do
    hw_confirm_kind=${hw_confirm_line%%" "*} hw_confirm_path=${hw_confirm_line#* }
    hw_confirm_count=${hw_confirm_path%%" "*} hw_confirm_path=${hw_confirm_path#* }
    hw_confirm_copy=$hw_confirm_record/$hw_confirm_count
    case $hw_confirm_kind in
      file) hw_confirm_put_file ;;
      link) hw_confirm_put_link ;;
      *) hw_confirm_take_away ;;
    esac || hw_confirm_failed="$hw_confirm_failed $hw_confirm_path"
    hw_confirm_put="$hw_confirm_put $hw_confirm_path"
  done <"$hw_confirm_record/files"
  [ -z "$hw_confirm_failed" ]
}

# What is mounted can't be replaced. Its directory may have gone with it.
hw_confirm_put_file() {
  [ -d "${hw_confirm_path%/*}/" ] || mkdir -p -- "${hw_confirm_path%/*}" || return
  hw_new_file "$hw_confirm_path" || return
  if hw_confirm_same "$hw_confirm_copy" "$hw_temporary" && hw_no_directory "$hw_confirm_path"; then
    hw_place_durably "$hw_temporary" "$hw_confirm_path" 2>/dev/null || cat -- "$hw_confirm_copy" >"$hw_confirm_path"
  else
    false
  fi
  set -- $?
  hw_drop_file
  return "$1"
}

hw_confirm_put_link() {
  hw_found=$(cat -- "$hw_confirm_copy") || return
  [ ! -L "$hw_confirm_path" ] || [ "$(readlink -- "$hw_confirm_path")" != "$hw_found" ] || return 0
  [ -d "${hw_confirm_path%/*}/" ] || mkdir -p -- "${hw_confirm_path%/*}" || return
  rm -f -- "$hw_confirm_path" && ln -s -- "$hw_found" "$hw_confirm_path"
}

hw_confirm_take_away() {
  if [ -d "$hw_confirm_path" ] && [ ! -L "$hw_confirm_path" ]; then
    rmdir -- "$hw_confirm_path"
  else
    rm -f -- "$hw_confirm_path"
  fi
}
