# shellcheck shell=sh
# service.sh: services, by systemd or OpenRC where one of them runs, else by SysV style scripts. A name
# that is a path is such a script itself: start | stop | restart | reload | status.
# Needs: units

# hw_service NAME [running=] [enabled=] [action=] [masked=] [offline=]: `running`, `enabled` and `masked` are yes or no, any
# will do without; `action` is reloaded or restarted. A service that this segment started after what notified
# the action has read all of it already: it is left alone. `offline`: processes are those of another machine, and so is what
# starts them.
hw_service() {
  hw_words 1 'running enabled action masked offline' "$@" || return
  set -- "$1" "$hw_want_running" "$hw_want_enabled" "$hw_want_action" "$hw_want_masked"
  hw_service_name=$1
  hw_service_find
  if [ "$hw_service_by" = systemd ]; then
    hw_units_settle || return
    [ -z "$2$3$5" ] || hw_unit_state "$1" || return
  fi
  if ! hw_service_exists; then
    # What is not there is stopped and disabled.
    case $2-$3-$4-$5 in
      yes-* | *-yes-*-* | *-reloaded-* | *-restarted-*) hw_service_missing || return ;;
      *-yes) ;;
      *) return 0 ;;
    esac
  fi
  [ "$5" != no ] || hw_service_unmask || return
  case $2 in
    yes)
      if ! hw_service_is running; then
        hw_service_make start started || return
        hw_fresh_services="$hw_fresh_services$hw_newline$hw_id $hw_service_name$hw_newline"
      fi
      ;;
    no) hw_service_is stopped || hw_service_make stop stopped || return ;;
  esac
  case $3 in
    yes) hw_service_is enabled || hw_service_make enable enabled || return ;;
    no) hw_service_is disabled || hw_service_make disable disabled || return ;;
  esac
  if [ "$5" = yes ] && ! hw_service_is masked; then
    hw_service_make mask masked || return
  fi
  [ -z "$4" ] || hw_service_is_fresh || hw_service_make "${4%ed}" "$4"
}

# hw_service_is_fresh: whether the service was started after the last step that notified this one.
hw_service_is_fresh() {
  case $hw_fresh_services in *" $hw_service_name$hw_newline"*) ;; *) return 1 ;; esac
  hw_each=${hw_fresh_services%" $hw_service_name$hw_newline"*}
  [ "${hw_each##*"$hw_newline"}" -gt "$hw_trigger" ]
}

# hw_service_find: how this service is managed, into hw_service_by, with its script hw_service_script or its
# unit hw_service_unit.
hw_service_find() {
  hw_service_script=/etc/init.d/$hw_service_name
  case $hw_service_name in
    *.service | *.socket | *.timer | *.path | *.mount | *.automount | *.swap | *.target | *.slice | *.scope | *.device)
      hw_service_unit=$hw_service_name
      ;;
    *) hw_service_unit=$hw_service_name.service ;;
  esac
  hw_unit_load='' hw_unit_active='' hw_unit_file='' hw_unit_stale=''
  case $hw_service_name in
    /*) hw_service_script=$hw_service_name hw_service_by=script ;;
    *)
      case $hw_init in
        systemd | openrc) hw_service_by=$hw_init ;;
        *) hw_service_by=sysv ;;
      esac
      [ -z "$hw_want_offline" ] || hw_service_offline
      ;;
  esac
}

# hw_service_offline: what of a system that does not run would manage this service: the unit that systemd has of it,
# OpenRC where there is no systemd, or a script. Enabling a unit needs nobody who answers.
hw_service_offline() {
  hw_service_by=sysv
  if ! command -v systemctl >/dev/null; then
    [ ! -d /etc/runlevels ] || ! command -v rc-update >/dev/null || hw_service_by=openrc
    return 0
  fi
  # That of getty@tty1 is getty@.
  hw_each=$hw_service_unit
  case $hw_each in *@*.*) hw_each=${hw_each%%@*}@.${hw_each##*.} ;; esac
  for hw_line in /etc /run /usr/local/lib /usr/lib /lib; do
    [ -e "$hw_line/systemd/system/$hw_each" ] || [ -L "$hw_line/systemd/system/$hw_service_unit" ] || continue
    hw_service_by=offline
    hw_unit_file=$(SYSTEMD_OFFLINE=1 systemctl is-enabled -- "$hw_service_name" 2>/dev/null)
    return 0
  done
}

hw_service_exists() {
  case $hw_service_by in
    systemd) [ "$hw_unit_load" != not-found ] ;;
    offline) ;;
    openrc) [ -x "$hw_service_script" ] || rc-service -e -- "$hw_service_name" ;;
    *) [ -x "$hw_service_script" ] ;;
  esac
}

# hw_service_missing: fails, but with --check an earlier step may bring it. If that makes its file, it is certain what
# is to be done.
hw_service_missing() {
  case $hw_service_by in
    systemd) set -- 'systemd has no unit of that name' ;;
    *) set -- "no executable $hw_service_script" ;;
  esac
  case $hw_service_by in script) hw_each=$hw_service_script ;; *) hw_each=$hw_service_unit ;; esac
  hw_awaits service "$hw_each" "there is no service $hw_service_name: $1" tool_missing || return
  case $hw_explained in *' makes '*) hw_unit_load=new ;; *) hw_unknown=$hw_explained && return 1 ;; esac
}

# hw_service_is running|stopped|enabled|disabled|masked: stopped is not the same as not running, as there
# are states between the two; nor is disabled, as there are units that can't be either.
hw_service_is() {
  case $hw_service_by-$1 in
    systemd-running) case $hw_unit_active in active | reloading | refreshing) ;; *) return 1 ;; esac ;;
    systemd-stopped) case $hw_unit_active in inactive | failed | '') ;; *) return 1 ;; esac ;;
    systemd-masked | offline-masked) case $hw_unit_file in masked | masked-runtime) ;; *) return 1 ;; esac ;;
    systemd-* | offline-*) hw_unit_is "$1" ;;
    openrc-running) rc-service -- "$hw_service_name" status >/dev/null 2>&1 && ! hw_service_is_dead ;;
    sysv-running | script-running) "$hw_service_script" status >/dev/null 2>&1 ;;
    *-stopped) ! hw_service_is running ;;
    openrc-disabled | sysv-disabled) ! hw_service_is enabled ;;
    openrc-enabled)
      for hw_each in /etc/runlevels/*/"$hw_service_name"; do
        { [ -e "$hw_each" ] || [ -L "$hw_each" ]; } && return
      done
      return 1
      ;;
    sysv-enabled)
      for hw_each in /etc/rc[2345].d/S[0-9][0-9]"$hw_service_name"; do
        [ -e "$hw_each" ] && return
      done
      return 1
      ;;
    # Nothing starts it with the system.
    script-disabled) ;;
    # Nothing to be found out: making it so says why not.
    *) return 1 ;;
  esac
}

# hw_service_is_dead: whether the process that OpenRC's script names by its pidfile is gone. OpenRC itself does not
# look where start-stop-daemon is not its own (Debian).
hw_service_is_dead() {
  hw_found=
  [ -r "$hw_service_script" ] || return
  while read -r hw_line || [ -n "$hw_line" ]; do
    case $hw_line in pidfile=*) hw_found=${hw_line#pidfile=} ;; esac
  done <"$hw_service_script"
  hw_found=${hw_found#[\"\']}
  hw_found=${hw_found%%[\"\' ]*}
  for hw_each in "\${RC_SVCNAME}" "\$RC_SVCNAME" "\${SVCNAME}" "\$SVCNAME"; do
    case $hw_found in *"$hw_each"*) hw_found=${hw_found%%"$hw_each"*}$hw_service_name${hw_found#*"$hw_each"} ;; esac
  done
  [ -r "$hw_found" ] && [ -d /proc/self ] && read -r hw_line <"$hw_found" || return
  case $hw_line in '' | *[!0-9]*) return 1 ;; esac
  [ ! -d "/proc/$hw_line" ]
}

# hw_unit_is enabled|disabled: a unit that is static, an alias or indirect (others start it) can be neither
# enabled nor disabled: it is as wanted. One that is enabled for this boot only is neither.
hw_unit_is() {
  case $hw_unit_file in
    enabled) [ "$1" = enabled ] ;;
    enabled-runtime) return 1 ;;
    static | alias | indirect | transient) return 0 ;;
    # Made of a SysV script: systemd has to be asked.
    generated)
      if systemctl -q is-enabled -- "$hw_service_name" >/dev/null 2>&1; then
        [ "$1" = enabled ]
      else
        [ "$1" = disabled ]
      fi
      ;;
    *) [ "$1" = disabled ] ;;
  esac
}

# hw_service_unmask: what it is without its mask is looked at again; with --check, where systemd can't be
# asked for that, the links that enable it show it.
hw_service_unmask() {
  case $hw_service_by in systemd | offline) ;; *) return 0 ;; esac
  hw_service_is masked || return 0
  hw_service_make unmask unmasked || return
  if [ -z "$hw_check" ]; then
    if [ "$hw_service_by" = offline ]; then hw_service_offline; else hw_unit_state "$hw_service_name"; fi
    return
  fi
  hw_unit_load=loaded hw_unit_file=disabled
  for hw_each in /etc/systemd/system/*.wants /etc/systemd/system/*.requires; do
    [ ! -L "$hw_each/$hw_service_unit" ] || hw_unit_file=enabled
  done
}

# hw_service_make VERB WORD: do it and say so.
hw_service_make() {
  hw_saw "not $2"
  hw_also "$2"
  case $hw_service_by-$1 in
    script-enable | script-disable) hw_fail "$hw_service_name is a script: it can't be enabled" || return ;;
    systemd-start | systemd-enable)
      [ "$hw_unit_load" != masked ] || hw_awaits gone "/etc/systemd/system/$hw_service_unit" \
        "$hw_service_name is masked, so it can't be $2; masked: false unmasks it" || return
      ;;
    systemd-* | offline-*) ;;
    *-mask) hw_fail "only systemd can mask a service, and it does not run on this host" || return ;;
  esac
  [ -z "$hw_check" ] || return 0
  hw_act || return
  case $hw_service_by-$1 in
    systemd-start | systemd-restart | systemd-reload | systemd-enable) hw_service_refresh || return ;;
  esac
  hw_touch_all
  case $hw_service_by-$1 in
    systemd-disable)
      case $hw_unit_file in
        enabled-runtime) systemctl disable --runtime -- "$hw_service_name" ;;
        *) systemctl disable -- "$hw_service_name" ;;
      esac
      ;;
    systemd-unmask) systemctl unmask -- "$hw_service_name" && systemctl unmask --runtime -- "$hw_service_name" ;;
    systemd-start | systemd-restart | systemd-reload)
      systemctl "$1" -- "$hw_service_name" || {
        # What it said itself.
        systemctl status --no-pager --full -n 10 -- "$hw_service_name" >&2
        false
      }
      ;;
    systemd-*) systemctl "$1" -- "$hw_service_name" ;;
    offline-*) SYSTEMD_OFFLINE=1 systemctl "$1" -- "$hw_service_name" ;;
    openrc-enable) rc-update add "$hw_service_name" default ;;
    openrc-disable) hw_openrc_disable ;;
    openrc-*) rc-service -- "$hw_service_name" "$1" ;;
    sysv-enable | sysv-disable)
      hw_sysv_make "$1"
      return
      ;;
    *) "$hw_service_script" "$1" ;;
  esac || hw_fail "could not $1 $hw_service_name" || return
  case $1 in start | restart) hw_service_stays ;; esac
}

# hw_service_stays: it still runs a moment after its start: that often succeeds where what was started then dies.
hw_service_stays() {
  sleep 1
  case $hw_service_by in
    systemd)
      hw_found=$(systemctl show -p Type,ActiveState,SubState -- "$hw_service_name" 2>/dev/null) || return 0
      hw_found=$hw_newline$hw_found$hw_newline
      case $hw_found in
        *"${hw_newline}ActiveState=failed$hw_newline"* | *"${hw_newline}SubState=auto-restart"*) ;;
        # It has done what it was to do.
        *"${hw_newline}Type=oneshot$hw_newline"*) return 0 ;;
        *"${hw_newline}ActiveState=inactive$hw_newline"*) ;;
        *) return 0 ;;
      esac
      systemctl status --no-pager --full -n 10 -- "$hw_service_name" >&2
      ;;
    # One that can't be asked, or has no answer.
    sysv | script)
      grep -qs '\<status\>[^)]*)' "$hw_service_script" || return 0
      "$hw_service_script" status >/dev/null 2>&1
      case $? in 0 | 4) return 0 ;; esac
      ;;
    *) ! hw_service_is running || return 0 ;;
  esac
  hw_fail "$hw_service_name was started, but does not run a moment later"
}

# hw_service_refresh: a unit whose file something else than a systemdUnit has changed is read anew: systemd
# itself would only warn, and take the old one.
hw_service_refresh() {
  [ -n "$hw_unit_stale" ] || hw_unit_state "$hw_service_name" || return
  [ "$hw_unit_stale" != yes ] || hw_units_reload || return
  hw_unit_stale=no
}

# hw_openrc_disable: out of each runlevel that has it. (`--all` fails for those that have it not.)
hw_openrc_disable() {
  for hw_each in /etc/runlevels/*/"$hw_service_name"; do
    [ -e "$hw_each" ] || [ -L "$hw_each" ] || continue
    hw_each=${hw_each%/*}
    rc-update delete "$hw_service_name" "${hw_each##*/}" || return
  done
}

# hw_sysv_make enable|disable: by Debian's program, or Red Hat's.
hw_sysv_make() {
  if command -v update-rc.d >/dev/null; then
    { [ "$1" = disable ] || update-rc.d "$hw_service_name" defaults; } && update-rc.d "$hw_service_name" "$1"
  elif command -v chkconfig >/dev/null; then
    case $1 in
      enable) chkconfig --add "$hw_service_name" && chkconfig "$hw_service_name" on ;;
      disable) chkconfig "$hw_service_name" off ;;
    esac
  else
    hw_without update-rc.d init-system-helpers
    return
  fi || hw_fail "could not $1 $hw_service_name"
}
