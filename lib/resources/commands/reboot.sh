# shellcheck shell=sh
# reboot.sh: restarting the host. The controller waits for it to be back.
# Needs: process

# hw_reboot FLAG COMMAND: restart the host; only if the path FLAG is there, unless it is empty. COMMAND, a
# line for sh, starts the restart and returns, or does not; empty: what the host has for it. What this
# boot is goes to the controller first, which will see another one. As an effect that boot is written down before:
# once there is another one it is done, and until then it may be begun again.
hw_reboot() {
  hw_boot_id
  if [ -n "${hw_effect-}" ] && { read -r hw_line <"$hw_effect/boot"; } 2>/dev/null && [ "$hw_line" != "$hw_boot" ]; then
    hw_note="done $hw_earlier"
    return 0
  fi
  [ -z "$1" ] || [ -e "$1" ] || return 0
  hw_status=changed
  [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_mark boot "$hw_boot"
  if [ -n "$2" ]; then
    hw_command=$2
  elif [ "$hw_init" = systemd ]; then
    hw_command='systemctl reboot'
  elif command -v reboot >/dev/null; then
    hw_command=reboot
  elif command -v shutdown >/dev/null; then
    hw_command='shutdown -r now'
  else
    hw_without reboot systemd-sysv || return
  fi
  if [ -n "${hw_effect-}" ]; then
    { hw_private_directory "$hw_effect" && hw_lines "$hw_boot" >"$hw_effect/boot" && sync; } ||
      hw_fail "can't write to $hw_effect: the host was not restarted" || return
  fi
  # In the background, and a moment later: the answer to this step is to reach the controller first. Away
  # from this session's streams, which would keep the connection open.
  (
    trap '' HUP
    exec </dev/null >/dev/null 2>&1
    sleep 1
    exec sh -c "$hw_command"
  ) &
}

# hw_show_boot: which boot this is.
hw_show_boot() {
  hw_boot_id
  hw_lines "$hw_boot"
}
