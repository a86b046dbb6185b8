# shellcheck shell=sh
# fstab.sh: lines of /etc/fstab, which is what is mounted when the host starts.
# Needs: text units

# hw_fstab SOURCE POINT LINE: the lines of /etc/fstab with this SOURCE, or this POINT (the other is empty),
# are one and have the fields of LINE; none if LINE is empty. Into hw_fstab_options: the options that there
# were; hw_fstab_was: source and type.
hw_fstab() {
  hw_fstab_source=$1 hw_fstab_point=$2 hw_fstab_line=$3
  hw_fstab_options='' hw_fstab_was='' hw_fstab_text='' hw_fstab_there='' hw_fstab_differs=''
  hw_read_text /etc/fstab || return
  hw_rest=$hw_found
  while [ -n "$hw_rest" ]; do
    hw_line=${hw_rest%%"$hw_newline"*}
    hw_rest=${hw_rest#"$hw_line"} hw_rest=${hw_rest#"$hw_newline"}
    hw_fstab_each
  done
  if [ -z "$hw_fstab_there" ] && [ -n "$3" ]; then
    hw_fstab_text=$hw_fstab_text$3$hw_newline hw_fstab_differs=1
  fi
  [ -n "$hw_fstab_differs" ] || return 0
  hw_shown_text /etc/fstab "$hw_fstab_text" fstab || return
  # systemd makes units of it.
  [ "$hw_init" != systemd ] || [ -n "$hw_check" ] || hw_units_reload
}

# hw_fstab_each: hw_line to hw_fstab_text, or what it is to be.
hw_fstab_each() {
  set -f
  # shellcheck disable=SC2086 # its fields
  hw_fstab_fields $hw_line
  set +f
  if [ "$hw_fields" = other ]; then
    hw_fstab_text=$hw_fstab_text$hw_line$hw_newline
    return
  fi
  if [ -z "$hw_fstab_there" ] && [ -n "$hw_fstab_line" ]; then
    if [ "$hw_fields" = "$hw_fstab_line" ]; then
      hw_fstab_text=$hw_fstab_text$hw_line$hw_newline
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
    [ "$1" = "$hw_fstab_source" ] || return 0
  else
    [ "$2" = "$hw_fstab_point" ] || return 0
  fi
  hw_fields="$1 $2 $3 ${4-defaults} ${5-0} ${6-0}"
  hw_fstab_options=${4-defaults} hw_fstab_was="$1 $3"
}
