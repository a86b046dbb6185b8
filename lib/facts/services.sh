# shellcheck shell=sh
# services.sh: services, by systemd, OpenRC or SysV. lib/facts/services.ts reads it.
# Needs: fact

# hw_fact_services: a line `manager NAME`, then sections that begin with a line `[NAME]`.
hw_fact_services() {
  hw_lines "manager $hw_init"
  case $hw_init in
    systemd)
      command -v systemctl >/dev/null || hw_without systemctl systemd || return
      hw_fact_section units systemctl list-units --type=service --all --plain --no-legend --no-pager
      hw_fact_section files systemctl list-unit-files --type=service --no-legend --no-pager
      ;;
    openrc)
      hw_fact_section scripts hw_fact_names /etc/init.d/*
      hw_fact_section started hw_fact_names /run/openrc/started/*
      hw_fact_section enabled hw_fact_names /etc/runlevels/*/*
      ;;
    sysv)
      hw_fact_section scripts hw_fact_names /etc/init.d/*
      hw_fact_section enabled hw_fact_names /etc/rc[2345].d/S[0-9][0-9]* /etc/rc.d/rc[2345].d/S[0-9][0-9]*
      hw_fact_section states hw_fact_states
      ;;
    *) hw_fail 'no service manager that hostwright knows is on this host: systemd, OpenRC or SysV' tool_missing ;;
  esac
}

# hw_fact_states: `+ NAME` for each script that says it runs, `- NAME` for those that say they do not. Only
# those that know the word are asked; some of the others take any word for `start`.
hw_fact_states() {
  for hw_each in /etc/init.d/*; do
    [ -x "$hw_each" ] && grep -qs '\<status\>[^)]*)' "$hw_each" || continue
    "$hw_each" status </dev/null >/dev/null 2>&1
    # As the Linux Standard Base has them: 1 to 3 are ways not to run, the others say nothing.
    case $? in
      0) hw_lines "+ ${hw_each##*/}" ;;
      [123]) hw_lines "- ${hw_each##*/}" ;;
    esac
  done
}

# hw_fact_names PATH…: the last names of those that can be run.
hw_fact_names() {
  for hw_each in "$@"; do
    [ -f "$hw_each" ] && [ -x "$hw_each" ] && hw_lines "${hw_each##*/}"
  done
}
