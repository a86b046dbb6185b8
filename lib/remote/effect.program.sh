# shellcheck shell=sh
# effect.program.sh: the runner of one effect, a program of its own: `setsid sh FILE DIRECTORY BOOT PIDNS LOCK HOLDER PATH COMMAND…`.
# It writes down that COMMAND begins before it begins, and how it ended, for whoever comes back: the session that
# started it may be gone by then. So it is in a session of its own, keeps no descriptor of the channel, and what it
# writes are files of DIRECTORY, which is for its user alone.
#
# Descriptor 3 is a pipe to the session, which ends when we do. COMMAND gets it, and 4, the file `pid`, and says there
# which process it is: see hw_effect_announce.
# PATH is for our own programs: that of the environment is COMMAND's. HOLDER has the LOCK, as hw_read_lock names it.
# Needs: process

hw_record=$1 hw_boot=$2 hw_space=$3 hw_lock=$4 hw_session=$5 hw_command_path=$PATH PATH=$6
shift 6

# A signal is for COMMAND: who ends that must not end what writes down how it ended. They are caught and not
# ignored, as COMMAND would inherit that.
trap : HUP INT PIPE QUIT TERM USR1 USR2

# hw_sync PATH…: they are on the disk: see fsync(2). A sync that takes no names writes everything.
hw_sync() {
  ! command -v sync >/dev/null || sync -- "$@" 2>/dev/null || sync
}

# hw_keep NAME: what comes in becomes the file NAME, up to 64 MiB (of shells that count in 1024 bytes, 128) and while
# there is space. The rest is counted, into descriptor 8, as COMMAND goes on.
hw_keep() {
  trap '' HUP INT PIPE QUIT TERM USR1 USR2
  (ulimit -f 131072 && exec cat) >>"$hw_record/$1" 2>/dev/null && return
  hw_rest=$(wc -c)
  echo "$1=$((hw_rest))" >&8
}

# hw_await PID…: until these children have ended. What COMMAND left behind may keep its streams open: then for a second,
# in which all of its own has come.
hw_await() {
  hw_tries=0
  for hw_child in "$@"; do
    while hw_process_start "$hw_child"; do
      hw_tries=$((hw_tries + 1))
      [ "$hw_tries" -lt 220 ] || return 0
      [ "$hw_tries" -lt 200 ] || sleep 0.05 2>/dev/null || sleep 1
    done
  done
}

# hw_lock_stays: whether the lock is still the session's that started us. Who takes it from a dead session looks for
# `started` after that, and we look after `started` is there: so one of us sees the other.
hw_lock_stays() {
  hw_owner='' hw_space_line=''
  { read -r hw_owner && read -r hw_start_line && read -r hw_boot_line && read -r hw_space_line; } 2>/dev/null <"$hw_lock"
  hw_owner=$hw_owner-${hw_start_line#start=}-${hw_boot_line#boot=}
  case $hw_space_line in pidns=*) hw_owner=${hw_owner}_${hw_space_line#pidns=} ;; esac
  [ "$hw_owner" = "$hw_session" ]
}

# hw_reserve: the space of `exit`, so that a disk that is full by then does not keep how it ended.
hw_reserve() {
  printf '%100s\n' '' && printf '%100s\n' ''
}

# By link(2): `started` is complete as soon as it is there, and only one runner can make it. COMMAND's streams are
# pipes, as who opens /dev/stderr to write to it would empty a file.
{
  # shellcheck disable=SC2154 # hw_started is from hw_process_start
  hw_process_start "$$" && mkfifo -- "$hw_record/out.pipe" "$hw_record/err.pipe" "$hw_record/lost.pipe" &&
    hw_reserve >"$hw_record/exit.new" &&
    printf '%s\n' "$$" "start=$hw_started" "boot=$hw_boot" ${hw_space:+"pidns=$hw_space"} >"$hw_record/started.$$" &&
    ln -- "$hw_record/started.$$" "$hw_record/started"
} || exit 125
hw_lock_stays || {
  rm -f -- "$hw_record/started"
  exit 125
}
# shellcheck disable=SC2094 # they are pipes
exec 6<>"$hw_record/out.pipe" 5<"$hw_record/out.pipe" 6>"$hw_record/out.pipe" \
  7<>"$hw_record/err.pipe" 9<"$hw_record/err.pipe" 7>"$hw_record/err.pipe" 8<>"$hw_record/lost.pipe"
# By exec: what is closed for a function alone, a shell keeps elsewhere meanwhile.
(exec <&5 3>&- 5>&- 6>&- 7>&- 9>&- && hw_keep out) &
hw_keepers=$!
(exec <&9 3>&- 5>&- 6>&- 7>&- 9>&- && hw_keep err) &
hw_keepers="$hw_keepers $!"
rm -f -- "$hw_record/started.$$" "$hw_record/in" "$hw_record/unit" "$hw_record/out.pipe" "$hw_record/err.pipe" "$hw_record/lost.pipe"
hw_sync "$hw_record/started" "$hw_record/intent" "$hw_record" "${hw_record%/*}" "${hw_record%/*/*}" "${hw_record%/*/*/*}" || {
  rm -f -- "$hw_record/started"
  exit 125
}

(
  # shellcheck disable=SC2030 # for COMMAND alone
  PATH=$hw_command_path
  exec "$@" 4>"$hw_record/pid" >&6 2>&7 5>&- 6>&- 7>&- 8>&- 9>&-
)
hw_status=$?

exec 5>&- 6>&- 7>&- 9>&-
# shellcheck disable=SC2086 # a list of numbers
hw_await $hw_keepers
echo end >&8

# Only a complete `exit` is ever seen.
{
  echo "$hw_status" && while read -r hw_line <&8 && [ "$hw_line" != end ]; do echo "$hw_line" || exit; done
} 1<>"$hw_record/exit.new" &&
  hw_sync "$hw_record/exit.new" "$hw_record/out" "$hw_record/err" &&
  mv -f -- "$hw_record/exit.new" "$hw_record/exit" && hw_sync "$hw_record"
# A script, which nobody needs any more.
for hw_each in "$hw_record"/script-*; do
  [ ! -e "$hw_each" ] || rm -f -- "$hw_each"
done
