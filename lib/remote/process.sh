# shellcheck shell=sh
# process.sh: which process of which boot one is: a PID alone is used again, and means something in its namespace only.

# hw_process_start PID: its start time into hw_started; fails if there is no such process, or it is
# a zombie. Times are in whatever unit the system gives: they are only compared.
hw_process_start() {
  if [ -r /proc/self/stat ]; then
    { IFS= read -r hw_process_text <"/proc/$1/stat"; } 2>/dev/null || return 1
    # `pid (name) state …`: the name may hold anything, so count from its last bracket; start time is
    # the 22nd field (proc(5)), the 20th after the name.
    # shellcheck disable=SC2086 # the fields are to be split
    set -- ${hw_process_text##*) }
    [ "$1" != Z ] && [ "$1" != X ] || return 1
    hw_started=${20}
  else
    hw_started=$(ps -o lstart= -p "$1" 2>/dev/null | tr -c '0-9A-Za-z\n' _)
    [ -n "$hw_started" ] || return 1
    case $(ps -o stat= -p "$1" 2>/dev/null) in Z*) return 1 ;; esac
  fi
}

# hw_has_children PID: whether it has a child that is no zombie.
hw_has_children() {
  if [ -r /proc/self/stat ]; then
    for hw_each in /proc/[0-9]*/stat; do
      { IFS= read -r hw_process_text <"$hw_each"; } 2>/dev/null || continue
      hw_process_text=${hw_process_text##*) }
      case $hw_process_text in Z*) ;; ?" $1 "*) return 0 ;; esac
    done
    return 1
  fi
  ps -A -o ppid= -o stat= | {
    while read -r hw_each hw_line; do
      case $hw_each-$hw_line in "$1-Z"*) ;; "$1-"*) exit 0 ;; esac
    done
    exit 1
  }
}

hw_boot_id() {
  if [ -r /proc/sys/kernel/random/boot_id ]; then
    read -r hw_boot </proc/sys/kernel/random/boot_id
  else
    # macOS and the BSDs: `{ sec = 1700000000, usec = 0 } …`
    hw_boot=$(sysctl -n kern.boottime 2>/dev/null | tr -cd '0-9') || hw_boot=
    hw_boot=${hw_boot:-unknown}
  fi
}

# hw_pid_space: the namespace that our PIDs are of, into hw_space: its number, or empty where the system has none. That
# of the machine itself is known without a process by its process 2, which is the kernel's: see PID_NS_INIT_INO in
# linux/nsfs.h.
hw_pid_space() {
  [ "${hw_space-unknown}" = unknown ] || return 0
  hw_space='' hw_process_text=''
  { IFS= read -r hw_process_text </proc/2/stat; } 2>/dev/null
  case $hw_process_text in
    '2 (kthreadd) '?' 0 0 0 '*) hw_space=4026531836 ;;
    *)
      [ ! -L /proc/self/ns/pid ] || hw_space=$(readlink /proc/self/ns/pid 2>/dev/null)
      hw_space=${hw_space#*[} hw_space=${hw_space%]}
      case $hw_space in *[!0-9]*) hw_space='' ;; esac
      ;;
  esac
}
