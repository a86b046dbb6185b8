# shellcheck shell=sh
# units.sh: what systemd knows of units, and telling it that their files have changed.
#
# Variables that outlive a function:
#   hw_units_changed  not empty: unit files were changed that systemd has not read yet. That is also noted on the host,
#                     in hw_units_note: of a template, or of fstab, nothing else shows it to a later run
#   hw_last_unit      id of the last step of the segment that may change unit files, and is sure to run

# hw_gather_units IDS UNIT…: the state of the units of the steps IDS, with one process for all. It
# holds until something is changed.
hw_gather_units() {
  hw_ids="$1 "
  shift
  [ "$hw_init" = systemd ] || return 0
  # A name that systemd does not take fails all: then each step asks for itself.
  hw_rest=$(hw_show_units "$@")$hw_newline$hw_newline || return 0
  hw_found=' '
  while [ -n "$hw_rest" ]; do
    hw_line=${hw_rest%%"$hw_newline"*}
    hw_rest=${hw_rest#"$hw_line$hw_newline"}
    if [ -n "$hw_line" ]; then
      hw_found="$hw_found$hw_line "
      continue
    fi
    eval "hw_unit_${hw_ids%% *}=\$hw_found"
    hw_ids=${hw_ids#* } hw_found=' '
  done
}

# hw_gather_unit_files IDS: these steps may change unit files: the last one has systemd read them at the latest.
hw_gather_unit_files() { hw_last_unit=${1##* }; }

# hw_show_units UNIT…: a line a property, an empty line between units.
hw_show_units() {
  systemctl show -p LoadState,ActiveState,UnitFileState,NeedDaemonReload -- "$@" 2>/dev/null
}

# hw_unit_state UNIT: hw_unit_load (loaded, not-found, masked …), hw_unit_active (active, inactive,
# failed …), hw_unit_file (enabled, disabled, static …) and hw_unit_stale (yes: its file has changed
# since systemd read it).
hw_unit_state() {
  eval "hw_found=\${hw_unit_$hw_id-}"
  if [ -z "$hw_found" ] || [ -n "$hw_touched_all" ] || [ "$hw_touched" != "$hw_newline" ]; then
    hw_found=$(hw_show_units "$1") || hw_fail "systemd does not report the state of $1" || return
    # One line, as the gathered.
    # shellcheck disable=SC2086,SC2116 # the lines are words without patterns
    hw_found=" $(echo $hw_found) "
  fi
  hw_saw "unit $1 $hw_found"
  hw_unit_load=${hw_found#* LoadState=} hw_unit_load=${hw_unit_load%% *}
  hw_unit_active=${hw_found#* ActiveState=} hw_unit_active=${hw_unit_active%% *}
  hw_unit_file=${hw_found#* UnitFileState=} hw_unit_file=${hw_unit_file%% *}
  hw_unit_stale=${hw_found#* NeedDaemonReload=} hw_unit_stale=${hw_unit_stale%% *}
}

# hw_units_reload: systemd reads all unit files anew.
hw_units_reload() {
  hw_act || return
  hw_touch_all
  systemctl daemon-reload || hw_fail 'systemd could not read the unit files anew' || return
  hw_units_changed=
  [ ! -e "$hw_units_note" ] || rm -f -- "$hw_units_note" || hw_fail "can't remove $hw_units_note"
}

# hw_units_begin: unit files are about to change.
hw_units_begin() {
  [ "$hw_init" = systemd ] && [ -z "$hw_check" ] || return 0
  { true >"$hw_units_note"; } 2>/dev/null || hw_fail "can't write $hw_units_note"
}

# hw_units_settle: the same, if they have changed since it did.
hw_units_settle() {
  [ -n "$hw_units_changed" ] || [ -e "$hw_units_note" ] || return 0
  [ -n "$hw_check" ] || hw_units_reload
}

# It is gone when the system starts again, which reads them all; and the directory is root's.
hw_units_note=/run/hostwright-units-changed
hw_units_changed='' hw_last_unit=0
