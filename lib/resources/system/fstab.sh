# shellcheck shell=sh
# fstab.sh: lines of /etc/fstab, which is what is mounted when the host starts.
# Needs: text units

# hw_fstab SOURCE POINT LINE PATH: look, and write what differs.
hw_fstab() {
  hw_fstab_look "$@" && hw_fstab_write
}

# hw_fstab_look SOURCE POINT LINE PATH: the lines of /etc/fstab with this SOURCE, or this POINT (the other is empty),
# are to be one and have the fields of LINE; none if LINE is empty. PATH is the one that is not empty, as it is
# without fstab's spelling. Into hw_fstab_options: the options that there were; hw_fstab_was: source and type.
hw_fstab_look() {
  hw_fstab_source=$1 hw_fstab_point=$2 hw_fstab_line=$3
  hw_fstab_options='' hw_fstab_was='' hw_fstab_text='' hw_fstab_there='' hw_fstab_differs=''
  hw_real "$4"
  hw_fstab_real=$hw_found
  hw_read_text /etc/fstab || return
  hw_fstab_rest=$hw_found
  while [ -n "$hw_fstab_rest" ]; do
    hw_fstab_now=${hw_fstab_rest%%"$hw_newline"*}
    hw_fstab_rest=${hw_fstab_rest#"$hw_fstab_now"} hw_fstab_rest=${hw_fstab_rest#"$hw_newline"}
    hw_fstab_each
  done
  if [ -z "$hw_fstab_there" ] && [ -n "$3" ]; then
    hw_fstab_text=$hw_fstab_text$3$hw_newline hw_fstab_differs=1
  fi
}

# hw_fstab_write: what hw_fstab_look found to differ.
hw_fstab_write() {
  if [ -n "$hw_fstab_differs" ]; then
    hw_text_before=hw_units_begin
    hw_shown_text /etc/fstab "$hw_fstab_text" fstab
    hw_made=$? hw_text_before=''
    [ "$hw_made" -eq 0 ] || return "$hw_made"
  elif [ "$hw_init" = systemd ] && [ -e "$hw_units_note" ]; then
    hw_also reloaded
  else
    return 0
  fi
  # systemd makes units of it. In a chroot its program does nothing.
  [ "$hw_init" != systemd ] || [ -n "$hw_check" ] || hw_units_reload
}

# hw_fstab_each: hw_fstab_now to hw_fstab_text, or what it is to be.
hw_fstab_each() {
  set -f
  # shellcheck disable=SC2086 # its fields
  hw_fstab_fields $hw_fstab_now
  set +f
  if [ "$hw_fields" = other ]; then
    hw_fstab_text=$hw_fstab_text$hw_fstab_now$hw_newline
    return
  fi
  if [ -z "$hw_fstab_there" ] && [ -n "$hw_fstab_line" ]; then
    if [ "$hw_fields" = "$hw_fstab_line" ]; then
      hw_fstab_text=$hw_fstab_text$hw_fstab_now$hw_newline
    else
      hw_fstab_text=$hw_fstab_text$hw_fstab_line$hw_newline hw_fstab_differs=1
    fi
  else
    hw_fstab_differs=1
  fi
  hw_fstab_there=1
}

# hw_fstab_fields FIELD…: one line of those that are looked for into hw_fields, with all six fields, else
# `other`.
hw_fstab_fields() {
  hw_fields=other
  [ $# -ge 3 ] || return 0
  case $1 in '#'*) return 0 ;; esac
  if [ -n "$hw_fstab_source" ]; then
    hw_fstab_is "$1" "$hw_fstab_source" || return 0
    hw_fields="$hw_fstab_source $2"
  else
    hw_fstab_is "$2" "$hw_fstab_point" || return 0
    hw_fields="$1 $hw_fstab_point"
  fi
  hw_fields="$hw_fields $3 ${4-defaults} ${5-0} ${6-0}"
  hw_fstab_options=${4-defaults} hw_fstab_was="$1 $3"
}

# hw_fstab_is WORD WANTED: whether the path WORD leads where WANTED does, whatever links and slashes are in it.
hw_fstab_is() {
  [ "$1" != "$2" ] || return 0
  case $1 in /*) ;; *) return 1 ;; esac
  # What is mounted there by this name has no other. It is not looked at, as its server may be gone.
  case ${hw_mount_points-} in *"$hw_newline${1%/}$hw_newline"*) set -- "${1%/}" known ;; esac
  hw_plain_word "$1"
  [ "$2" = known ] || hw_real "$hw_found"
  [ "$hw_found" = "$hw_fstab_real" ]
}

# hw_plain_word WORD: a word of fstab or /proc/self/mounts without its octal numbers, into hw_found.
hw_plain_word() {
  hw_found=$1
  case $1 in *\\[0-7]*) ;; *) return 0 ;; esac
  hw_word=
  while :; do
    case $hw_found in
      *\\[0-7][0-7][0-7]*)
        hw_word=$hw_word${hw_found%%\\[0-7][0-7][0-7]*}
        hw_found=${hw_found#"${hw_found%%\\[0-7][0-7][0-7]*}"}
        hw_found=${hw_found#?}
        case $hw_found in
          040*) hw_word="$hw_word " ;;
          011*) hw_word="$hw_word	" ;;
          043*) hw_word="$hw_word#" ;;
          134*) hw_word="$hw_word\\" ;;
          *) hw_word=$hw_word$(hw_bytes "\\0${hw_found%"${hw_found#???}"}x") && hw_word=${hw_word%x} ;;
        esac
        hw_found=${hw_found#???}
        ;;
      *)
        hw_found=$hw_word$hw_found
        return
        ;;
    esac
  done
}

# hw_fstab_word PATH: the other way round, as the kernel does it.
hw_fstab_word() {
  hw_rest=$1 hw_found=
  while [ -n "$hw_rest" ]; do
    hw_each=${hw_rest%%[\ \	\\\\#]*}
    hw_found=$hw_found$hw_each hw_rest=${hw_rest#"$hw_each"}
    case $hw_rest in
      ' '*) hw_found=$hw_found\\040 ;;
      '	'*) hw_found=$hw_found\\011 ;;
      '#'*) hw_found=$hw_found\\043 ;;
      \\*) hw_found=$hw_found\\134 ;;
    esac
    hw_rest=${hw_rest#?}
  done
}
