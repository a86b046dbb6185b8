# shellcheck shell=sh
# receive.sh: taking in content that is too large for a session's script: raw bytes, over a shell of
# their own that has these functions and core.sh. What came of it stays in DIR/incoming under its
# SHA-256, so that another run goes on where this one stopped.

# hw_receive WORD DIR SHA256 SIZE: answers `WORD have PATH` if all of it is here, else `WORD from OFFSET`;
# then the bytes from there on follow on standard input, up to its end. At last `WORD have PATH`, or
# `WORD damaged` if the whole is not what its hash says: then nothing of it is kept.
hw_receive() {
  hw_word=$1 hw_whole_size=$4
  [ -n "$hw_sha" ] || hw_without sha256sum coreutils || return
  hw_find_incoming "$2" || return
  hw_whole=$hw_path/$3 hw_partial=$hw_path/$3.$$
  trap hw_keep_partial EXIT
  # What nobody came back for.
  find "$hw_path" -type f -mtime +14 -exec rm -f -- {} +
  hw_take_partial
  hw_measure || return
  if [ "$hw_size" -gt "$hw_whole_size" ]; then
    rm -f -- "$hw_partial" || return
    hw_size=0
  fi
  if [ "$hw_size" -eq "$hw_whole_size" ] && [ -f "$hw_partial" ]; then
    if hw_is_whole; then
      hw_have
      return
    fi
    rm -f -- "$hw_partial" || return
    hw_size=0
  fi
  hw_lines "$hw_word from $hw_size"
  # What a full disk took is not kept: nothing else could be written there, the lock of the next run neither.
  (umask 077 && cat >>"$hw_partial") || { rm -f -- "$hw_partial" && hw_fail "can't write $hw_partial"; } || return
  hw_measure || return
  [ "$hw_size" -ge "$hw_whole_size" ] || hw_fail "only $hw_size of $hw_whole_size bytes came" || return
  if hw_is_whole; then
    hw_have
  else
    rm -f -- "$hw_partial" && hw_lines "$hw_word damaged"
  fi
}

# hw_find_incoming DIR: the directory for what comes in, for its user alone, into hw_path. Without DIR it is
# one of the user's own, which is gone when it is empty: below his home or, as users of services have none
# they may write to, in /var/tmp, under a name that nobody knows before; what is cut off there is not kept.
hw_find_incoming() {
  umask 077
  hw_path=$1/incoming
  if [ -z "$1" ]; then
    hw_path=${HOME:-/nonexistent}/.cache/hostwright/incoming
    hw_private_directory "$hw_path" 2>/dev/null || { hw_drop_old_incoming && hw_path=/var/tmp/hostwright-$hw_word; }
  fi
  hw_private_directory "$hw_path" || hw_fail "can't make the directory $hw_path" || return
  # Anybody may make names in /var/tmp.
  if [ -L "$hw_path" ] || [ ! -O "$hw_path" ]; then
    hw_fail "$hw_path belongs to somebody else"
    return
  fi
  chmod 700 -- "$hw_path" || hw_fail "can't set the mode of $hw_path"
}

# hw_drop_old_incoming: what was left in /var/tmp by shells that were killed. It may be needed until the session ends
# that it is for, of which its name says nothing: so after a day.
hw_drop_old_incoming() {
  for hw_each in /var/tmp/hostwright-*; do
    [ -d "$hw_each" ] && [ ! -L "$hw_each" ] && [ -O "$hw_each" ] || continue
    [ -z "$(find "$hw_each" -prune -mtime +0)" ] || rm -rf -- "$hw_each"
  done
}

# hw_take_partial: what came of it before becomes ours. A name with a number is another shell's, and
# is left to it as long as that lives: no two may write to one file.
hw_take_partial() {
  for hw_each in "$hw_whole" "$hw_whole".*; do
    [ ! -e "$hw_partial" ] || return 0
    [ -f "$hw_each" ] || continue
    [ "$hw_each" = "$hw_whole" ] || ! kill -0 "${hw_each#"$hw_whole".}" 2>/dev/null || continue
    mv -f -- "$hw_each" "$hw_partial" 2>/dev/null
  done
}

# hw_keep_partial: at the end of the shell what came is there for the next one.
hw_keep_partial() {
  case $hw_partial in
    "/var/tmp/hostwright-$hw_word/"*) rm -f -- "$hw_partial" ;;
    *) [ ! -f "$hw_partial" ] || mv -f -- "$hw_partial" "$hw_whole" ;;
  esac
  hw_drop_empty "$hw_partial"
}

# hw_measure: the size of what is there into hw_size.
hw_measure() {
  hw_size=0
  [ ! -f "$hw_partial" ] || hw_size=$(wc -c <"$hw_partial") || hw_fail "can't read $hw_partial" || return
  # Some programs put blanks before the number.
  hw_size=$((hw_size))
}

hw_is_whole() {
  # shellcheck disable=SC2086 # the program and its options
  hw_found=$($hw_sha <"$hw_partial") && [ "${hw_found%% *}" = "${hw_whole##*/}" ]
}

hw_have() {
  mv -f -- "$hw_partial" "$hw_whole" && hw_lines "$hw_word have $hw_whole"
}
