# shellcheck shell=sh
# effect.program.sh: the runner of one effect, a program of its own: `setsid sh FILE DIRECTORY BOOT PATH COMMAND…`.
# It writes down that COMMAND begins before it begins, and how it ended, for whoever comes back: the session that
# started it may be gone by then. So it is in a session of its own, keeps no descriptor of the channel, and its
# streams are files of DIRECTORY, which is for its user alone.
#
# Descriptor 3 is a pipe to the session. It gets the line `pid N` when COMMAND begins, and ends when we do.
# PATH is for our own programs: that of the environment is COMMAND's.
# Needs: process

hw_record=$1 hw_boot=$2 hw_command_path=$PATH PATH=$3
shift 3

# A signal is for COMMAND: who ends that must not end what writes down how it ended. They are caught and not
# ignored, as COMMAND would inherit that.
trap : HUP INT PIPE QUIT TERM USR1 USR2

# hw_sync PATH…: they are on the disk: see fsync(2). A sync that takes no names writes everything.
hw_sync() {
  ! command -v sync >/dev/null || sync -- "$@" 2>/dev/null || sync
}

# By link(2): `started` is complete as soon as it is there, and only one runner can make it.
{
  # shellcheck disable=SC2154 # hw_started is from hw_process_start
  hw_process_start "$$" &&
    printf '%s\n' "$$" "start=$hw_started" "boot=$hw_boot" >"$hw_record/started.$$" &&
    ln -- "$hw_record/started.$$" "$hw_record/started" &&
    hw_sync "$hw_record/started" "$hw_record/intent" "$hw_record"
} || exit 125

(
  # shellcheck disable=SC2030 # for COMMAND alone
  PATH=$hw_command_path
  # shellcheck disable=SC2016 # for the inner shell
  exec sh -c 'echo "pid $$" >&3; exec "$@" 3>&-' sh "$@"
)
hw_status=$?

# Only a complete `exit` is ever seen.
echo "$hw_status" >"$hw_record/exit.new" &&
  hw_sync "$hw_record/exit.new" "$hw_record/out" "$hw_record/err" &&
  mv -f -- "$hw_record/exit.new" "$hw_record/exit" && hw_sync "$hw_record"
rm -f -- "$hw_record/started.$$" "$hw_record/in"
