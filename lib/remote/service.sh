# shellcheck shell=sh
# service.sh: services, by systemd where it runs, else by SysV style scripts. A name that is a path is
# such a script itself: start | stop | restart | reload | status.

# hw_service NAME RUNNING ENABLED ACTION: RUNNING and ENABLED are yes, no or empty (any will do); ACTION
# is reloaded, restarted or empty. A service that this batch started after what notified the action
# has read all of it already: it is left alone.
hw_service() {
  hw_service_name=$1
  hw_service_find || {
    # With --check a package that is not installed yet may bring the service.
    [ -n "$hw_check" ] || return
    hw_code=- hw_note=unknown hw_status=changed
    return 0
  }
  case $2 in
    yes)
      if ! hw_service_is running; then
        hw_service_make start started || return
        hw_fresh_services="$hw_fresh_services$hw_newline$hw_id $hw_service_name$hw_newline"
      fi
      ;;
    no) ! hw_service_is running || hw_service_make stop stopped || return ;;
  esac
  case $3 in
    yes) hw_service_is enabled || hw_service_make enable enabled || return ;;
    no) ! hw_service_is enabled || hw_service_make disable disabled || return ;;
  esac
  [ -z "$4" ] || hw_service_is_fresh || hw_service_make "${4%ed}" "$4"
}

# hw_service_is_fresh: whether the service was started after the last step that notified this one.
hw_service_is_fresh() {
  case $hw_fresh_services in *" $hw_service_name$hw_newline"*) ;; *) return 1 ;; esac
  hw_each=${hw_fresh_services%" $hw_service_name$hw_newline"*}
  [ "${hw_each##*"$hw_newline"}" -gt "$hw_trigger" ]
}

# hw_service_find: how this service is managed, into hw_service_by and hw_service_script.
hw_service_find() {
  case $hw_service_name in
    /*) hw_service_script=$hw_service_name hw_service_by=script ;;
    *)
      hw_service_script=/etc/init.d/$hw_service_name hw_service_by=sysv
      if [ "$hw_init" = systemd ]; then
        hw_service_by=systemd
        return 0
      fi
      ;;
  esac
  [ -x "$hw_service_script" ] ||
    hw_fail "there is no service $hw_service_name: no executable $hw_service_script" tool_missing
}

# hw_service_is running|enabled
hw_service_is() {
  case $hw_service_by-$1 in
    systemd-running) systemctl -q is-active -- "$hw_service_name" ;;
    systemd-enabled) systemctl -q is-enabled -- "$hw_service_name" 2>/dev/null ;;
    *-running) "$hw_service_script" status >/dev/null 2>&1 ;;
    script-enabled) hw_fail "$hw_service_name is a script: it can't be enabled" ;;
    sysv-enabled)
      for hw_each in /etc/rc[2345].d/S[0-9][0-9]"$hw_service_name"; do
        [ -e "$hw_each" ] && return
      done
      return 1
      ;;
  esac
}

# hw_service_make VERB WORD: do it and say so.
hw_service_make() {
  hw_saw "not $2"
  hw_also "$2"
  [ -z "$hw_check" ] || return 0
  hw_touch_all
  case $hw_service_by-$1 in
    systemd-*) systemctl "$1" -- "$hw_service_name" ;;
    sysv-enable) update-rc.d "$hw_service_name" defaults && update-rc.d "$hw_service_name" enable ;;
    sysv-disable) update-rc.d "$hw_service_name" disable ;;
    script-enable | script-disable) hw_fail "$hw_service_name is a script: it can't be enabled" ;;
    *) "$hw_service_script" "$1" ;;
  esac || hw_fail "could not $1 $hw_service_name" || return
}
