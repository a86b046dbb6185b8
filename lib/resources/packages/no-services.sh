# shellcheck shell=sh
# no-services.sh: packages in a directory that is no running system: a service that their scripts start there would be a
# process of the machine that the directory is on. Debian's scripts ask policy-rc.d, which is there for as long as the
# package manager runs, as debootstrap and its like do it; systemctl finds that nobody answers.
# Needs: write

hw_policy=/usr/sbin/policy-rc.d
hw_policy_head='# By hostwright, while it installs packages in a directory: no service is started. It removes this file.'

# hw_services_forbid: a policy that is there is its owner's, and stays.
hw_services_forbid() {
  SYSTEMD_OFFLINE=1
  export SYSTEMD_OFFLINE
  [ "$hw_by" = apt ] || return 0
  [ ! -e "$hw_policy" ] && [ ! -L "$hw_policy" ] || return 0
  hw_at_end=hw_services_allow
  hw_new_file "$hw_policy" || return
  { hw_lines '#!/bin/sh' "$hw_policy_head" 'exit 101' >"$hw_temporary" && chmod 755 -- "$hw_temporary" &&
    mv -f -- "$hw_temporary" "$hw_policy"; } || hw_give_up "can't write $hw_policy" || return
  hw_temporary=
}

# hw_services_allow: the policy goes, if it is ours.
hw_services_allow() {
  unset SYSTEMD_OFFLINE
  hw_at_end=
  ! hw_policy_is_ours || rm -f -- "$hw_policy" || hw_fail "can't remove $hw_policy: as long as it is there, no package starts a service"
}

hw_policy_is_ours() {
  [ -f "$hw_policy" ] || return 1
  { read -r hw_line && IFS= read -r hw_line; } <"$hw_policy"
  [ "$hw_line" = "$hw_policy_head" ]
}

# hw_policy_rest: one that a run has left which was killed.
hw_policy_rest() {
  [ -e "$hw_policy" ] && hw_policy_is_ours || return 0
  hw_also 'rest of an interrupted step'
  [ -n "$hw_check" ] || { hw_act && hw_services_allow; }
}
