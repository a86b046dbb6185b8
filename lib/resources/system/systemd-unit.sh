# shellcheck shell=sh
# systemd-unit.sh: unit files and drop-ins of systemd. It reads changed files once for all of a segment:
# before the next service or command, and at the latest with the last step that may change one.
# Needs: text units

# hw_systemd_unit UNIT PATH TEXT VALIDATE take_over=: PATH is the unit's own file, or a drop-in of it. UNIT is empty
# where there is no systemd to reload.
hw_systemd_unit() {
  hw_words 4 take_over "$@" || return
  command -v systemctl >/dev/null || hw_without systemctl systemd || return
  [ ! -c "$2" ] || hw_lacks gone "$2" "${1:-the unit} is masked: $2 leads to /dev/null" || return
  hw_text_validate=$4 hw_text_before=${1:+hw_units_begin}
  hw_own_text "$2" "$3" content "$hw_want_take_over"
  hw_made=$? hw_text_before=''
  [ "$hw_made" -eq 0 ] || return "$hw_made"
  hw_unit_changed "$1"
}

# hw_no_systemd_unit UNIT PATH: there is no such file, nor the directory of drop-ins that it leaves empty.
hw_no_systemd_unit() {
  hw_text_before=${1:+hw_units_begin}
  hw_no_text "$2" removed shown
  hw_made=$? hw_text_before=''
  [ "$hw_made" -eq 0 ] || return "$hw_made"
  if [ "$hw_status" = changed ] && [ -z "$hw_check" ]; then
    case $2 in */"$1".d/*) rmdir -- "${2%/*}" 2>/dev/null ;; esac
  fi
  hw_unit_changed "$1"
}

# hw_unit_changed UNIT: has systemd read the files now or later, if it has to. That it has not yet read a
# file that is as wanted comes of a run that failed or was cut short.
hw_unit_changed() {
  [ "$hw_init" = systemd ] && [ -n "$1" ] || return 0
  if [ "$hw_status" = changed ]; then
    hw_units_changed=1
  elif [ -n "$hw_units_changed" ]; then
    :
  elif [ -e "$hw_units_note" ]; then
    hw_also reloaded
    hw_units_changed=1
  else
    case $1 in
      # A template is not a unit that can be queried.
      *@.*) ;;
      *)
        hw_unit_state "$1" || return
        if [ "$hw_unit_stale" = yes ]; then
          hw_also reloaded
          hw_units_changed=1
        fi
        ;;
    esac
  fi
  [ "$hw_id" -lt "$hw_last_unit" ] || hw_units_settle
}
