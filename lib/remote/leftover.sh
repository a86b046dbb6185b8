# shellcheck shell=sh
# leftover.sh: names for what is made beside its place until it is whole, and taking away what sessions left of it
# that could not: they were killed, their host could start no process, or it went down.
# Needs: process
#
# Such a name is `.NAME.hw-MARK…`, and its mark says whose it is, as `UID-PID-START-INIT-BOOT-HOST`: the session's
# user and shell, when that and process 1 started, and the host. The last three are the place in which the PID means
# something: containers share directories and the boot, hosts share directories by NFS. So what another place
# left is taken for a dead session's only by its age. Numbers and names are cut to their last six characters, as a
# name may have 255.

hw_mine='' hw_swept=''

# hw_own_mark: our mark into hw_mine. Of Linux all of it is read, with no process; nothing of it is asked before
# something is made, or found.
hw_own_mark() {
  [ -z "$hw_mine" ] || return 0
  hw_own_uid
  hw_boot_id
  if [ -z "${hw_host-}" ]; then
    if [ -r /proc/sys/kernel/hostname ]; then read -r hw_host </proc/sys/kernel/hostname; else hw_host=$(uname -n); fi
  fi
  # Who may see no processes of others does not see this one; what is not known is the same nowhere.
  hw_started=''
  hw_process_start 1
  hw_last_six "$hw_started"
  hw_own_place=$hw_six
  case $hw_boot in unknown) hw_six='' ;; *) hw_last_six "$hw_boot" ;; esac
  hw_own_boot=$hw_six hw_own_place=$hw_own_place-$hw_six
  hw_last_six "${hw_host%%.*}"
  case $hw_six in *[!0-9A-Za-z_-]*) hw_six='' ;; esac
  hw_own_host=$hw_six hw_own_place=$hw_own_place-$hw_six
  hw_started=''
  hw_process_start "$$"
  hw_last_six "$hw_started"
  hw_mine=$hw_own_number-$$-$hw_six-$hw_own_place
}

# hw_last_six TEXT: its last six characters into hw_six, or all.
hw_last_six() {
  hw_six=${1#"${1%??????}"}
  hw_six=${hw_six:-$1}
}

# hw_name_beside PATH: a name beside PATH that only this session gives, into hw_beside. Others can't foresee it, who may
# make names there too.
hw_name_beside() {
  hw_own_mark
  hw_beside=${1%/*}/.${1##*/}.hw-$hw_mine.${hw_token#????????????????}
}

# hw_make_stage PATH: a directory for us alone beside PATH, into hw_stage, for what becomes PATH, or a part of it, when it
# is whole. hw_drop_stage: it is needed no more.
hw_make_stage() {
  hw_name_beside "$1"
  hw_stage=$hw_beside
  mkdir -m 700 -- "$hw_stage" && return
  hw_stage=
  return 1
}
hw_drop_stage() {
  [ -z "$hw_stage" ] || { rm -rf -- "$hw_stage" && hw_stage=; }
}

# hw_sweep_beside PATH: takes away what dead sessions left in the directory that PATH is in. Once a session, and
# with no process where there is nothing.
hw_sweep_beside() {
  [ -z "$hw_check" ] || return 0
  if [ -z "$hw_swept" ]; then
    hw_swept=$hw_newline
    hw_sweep_scratch
  fi
  case $hw_swept in *"$hw_newline${1%/*}$hw_newline"*) return 0 ;; esac
  hw_swept=$hw_swept${1%/*}$hw_newline
  hw_sweep_in "${1%/*}"
}

# hw_sweep_in DIR: the same, whenever it is called.
hw_sweep_in() {
  for hw_left in "$1"/.*.hw-*; do
    hw_sweep_one "${hw_left##*.hw-}"
  done
}

# hw_sweep_scratch: directories of steps, see scratch.sh.
hw_sweep_scratch() {
  [ -z "$hw_dir" ] || hw_sweep_each "$hw_dir"/scratch-*
  hw_sweep_each "${TMPDIR:-/tmp}"/hostwright-* /dev/shm/hostwright-*
}

hw_sweep_each() {
  for hw_left in "$@"; do
    hw_left_mark=${hw_left##*/}
    hw_sweep_one "${hw_left_mark#*-}"
  done
}

# hw_sweep_one MARK…: hw_left goes if a dead session of ours left it. Of a directory that is in one where others can
# make names all that is in it goes only if it is ours: rm follows a link that comes in the way of it.
hw_sweep_one() {
  [ -e "$hw_left" ] || [ -L "$hw_left" ] || return 0
  hw_is_left "${1%%.*}" || return 0
  # The old content of a file that has a part of the new one stays until it has all: see hw_finish_write.
  case $hw_left in *.old) [ ! -e "${hw_left%.hw-*}.hw-write" ] || return 0 ;; esac
  if [ -L "$hw_left" ] || [ ! -d "$hw_left" ]; then
    rm -f -- "$hw_left"
  elif [ -O "$hw_left" ] || hw_is_closed "${hw_left%/*}"; then
    rm -rf -- "$hw_left"
  else
    rmdir -- "$hw_left"
  fi 2>/dev/null
  return 0
}

# hw_is_left MARK: whether hw_left is one that a dead session of ours left. Root sees all processes, others their own.
hw_is_left() {
  case $1 in [0-9]*-[0-9]*-*-*-*-*) ;; *) return 1 ;; esac
  hw_own_mark
  [ "$1" != "$hw_mine" ] || return 1
  hw_left_uid=${1%%-*} hw_left_rest=${1#*-}
  [ "$hw_own_number" = 0 ] || [ "$hw_left_uid" = "$hw_own_number" ] || return 1
  hw_left_pid=${hw_left_rest%%-*} hw_left_rest=${hw_left_rest#*-}
  hw_left_start=${hw_left_rest%%-*} hw_left_place=${hw_left_rest#*-}
  case $hw_left_pid$hw_left_uid in *[!0-9]*) return 1 ;; esac
  case $hw_own_place in
    -* | *--* | *-) ;;
    "$hw_left_place")
      hw_process_start "$hw_left_pid" || return 0
      hw_last_six "$hw_started"
      [ "$hw_six" != "$hw_left_start" ]
      return
      ;;
  esac
  hw_left_place=${hw_left_place#*-}
  hw_is_old "${hw_left_place%%-*}" "${hw_left_place#*-}"
}

# hw_is_old BOOT HOST: whether hw_left is of an earlier boot of this host, and from before this one; where it may be
# another's that lives, whether it is a day old.
hw_is_old() {
  hw_left_age=$(stat -c %Y -- "$hw_left" 2>/dev/null || stat -f %m -- "$hw_left" 2>/dev/null) &&
    hw_now=$(date +%s) || return 1
  hw_left_age=$((hw_now - hw_left_age)) hw_left_limit=86400
  if [ "$1" != "$hw_own_boot" ] && [ -n "$2" ] && [ "$2" = "$hw_own_host" ] && [ -r /proc/uptime ]; then
    IFS=' .' read -r hw_left_limit hw_left_rest </proc/uptime
    [ "$hw_left_limit" -lt 86400 ] || hw_left_limit=86400
  fi
  [ "$hw_left_age" -gt "$hw_left_limit" ]
}

# hw_is_closed DIR: whether only we make names in it.
hw_is_closed() {
  [ -O "$1/" ] && hw_left_above=$(ls -ldn -- "$1/") || return 1
  case $hw_left_above in d????-??-*) return 0 ;; *) return 1 ;; esac
}
