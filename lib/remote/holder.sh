# shellcheck shell=sh
# holder.sh: who holds the lock, or runs an effect: the process that such a file names, and whether it is alive. The
# lines of these files are in the heads of lock.sh and effect.sh.
# Needs: process

# hw_read_lock FILE: its holder into hw_holder_*; fails if there is no such file.
hw_read_lock() {
  # Reading a pipe would wait for ever.
  [ -f "$1" ] || return 1
  hw_holder_pid='' hw_holder_start='' hw_holder_boot='' hw_holder_space='' hw_holder_run='' hw_holder_attempt=''
  hw_holder_text='' hw_holder_session='' hw_holder_changed='' hw_holder_heard=''
  {
    IFS= read -r hw_holder_pid
    while IFS= read -r hw_line; do
      case $hw_line in
        start=*) hw_holder_start=${hw_line#*=} ;;
        boot=*) hw_holder_boot=${hw_line#*=} ;;
        pidns=*) hw_holder_space=${hw_line#*=} ;;
        heard=*) hw_holder_heard=${hw_line#*=} ;;
        run=*) hw_holder_run=${hw_line#*=} ;;
        attempt=*) hw_holder_attempt=${hw_line#*=} ;;
        # These are for nobody else.
        session=*) hw_holder_session=${hw_line#*=} && continue ;;
        changed=*) hw_holder_changed="$hw_holder_changed ${hw_line#*=}" && continue ;;
      esac
      hw_holder_text=$hw_holder_text$hw_line$hw_newline
    done
  } 2>/dev/null <"$1" || return 1
  hw_holder=$hw_holder_pid-$hw_holder_start-$hw_holder_boot${hw_holder_space:+_$hw_holder_space}
  # It becomes part of a file name.
  case $hw_holder in *[!0-9A-Za-z_-]*) hw_holder=damaged ;; esac
}

# hw_holder_alive: whether the process that hw_read_lock found is still that process. What is not a
# number is not a process; a file cut short by a full disk is a dead one's.
hw_holder_alive() {
  case $hw_holder_pid in '' | *[!0-9]*) return 1 ;; esac
  [ "$hw_holder_boot" = "$hw_boot" ] && ! hw_holder_away && hw_process_start "$hw_holder_pid" &&
    [ "$hw_started" = "$hw_holder_start" ]
}

# hw_holder_away: whether it is a process of this boot in another PID namespace, where its PID means nothing to us. It
# counts as alive until a person says that it is not.
hw_holder_away() {
  case $hw_holder_pid:$hw_holder_space in :* | *: | *[!0-9:]*) return 1 ;; esac
  [ "$hw_holder_boot" = "$hw_boot" ] && [ "$hw_holder_space" != "$hw_space" ]
}

# hw_this_place: the boot and the PID namespace of this session, into hw_boot and hw_space.
hw_this_place() {
  hw_boot_id
  hw_pid_space
}
