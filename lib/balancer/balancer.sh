# shellcheck shell=sh
# balancer.sh: servers of a haproxy, by its admin socket (haproxy's management guide, 9.3). What it answers is text here and
# nothing more.
# Needs: probe

# hw_balancer SOCKET COMMANDS: what haproxy answers to these, which are separated by semicolons. SOCKET may be empty: see
# hw_balancer_find.
hw_balancer() {
  hw_balancer_find "$1" && hw_balancer_ask "$2" && hw_lines "$hw_found"
}

# hw_balancer_server SOCKET BACKEND SERVER drain|maint|ready: the server becomes that.
hw_balancer_server() {
  hw_balancer_find "$1" && hw_balancer_ask "show servers state $2" || return
  hw_server=$2/$3 hw_server_bits='' hw_server_now=ready
  # The fields: be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state.
  IFS=$hw_newline
  set -f
  # shellcheck disable=SC2086 # line by line
  set -- "$4" $hw_found
  set +f
  IFS=" 	$hw_newline"
  hw_server_wanted=$1
  for hw_line in "$@"; do
    hw_server_fields "$hw_line"
  done
  case $hw_server_bits in
    '' | *[!0-9]*) hw_fail "haproxy has no server $hw_server here: $hw_found" balancer_failed || return ;;
  esac
  # Forced maintenance is bit 1, forced drain bit 8.
  [ $((hw_server_bits & 8)) -eq 0 ] || hw_server_now=drain
  [ $((hw_server_bits & 1)) -eq 0 ] || hw_server_now=maint
  hw_saw "$hw_server_now"
  [ "$hw_server_now" != "$hw_server_wanted" ] || return 0
  hw_also "was $hw_server_now"
  [ -z "$hw_check" ] || return 0
  hw_act && hw_balancer_ask "set server $hw_server state $hw_server_wanted" || return
  # It says nothing where it has done it.
  case $hw_found in *[![:space:]]*) hw_fail "haproxy did not set $hw_server to $hw_server_wanted: $hw_found" balancer_failed ;; esac
}

# hw_server_fields LINE: the admin state into hw_server_bits, if it is the line of hw_server.
hw_server_fields() {
  set -f
  # shellcheck disable=SC2086 # the fields are to be split
  set -- $1
  set +f
  [ "${2-}/${4-}" != "$hw_server" ] || hw_server_bits=${7-}
}

# hw_balancer_find SOCKET: the admin socket into hw_balancer_socket. If it is empty, the one in haproxy.cfg, that of level
# admin if there are several; or else Debian's.
hw_balancer_find() {
  hw_balancer_socket=$1
  if [ -z "$1" ] && [ -r /etc/haproxy/haproxy.cfg ]; then
    hw_balancer_socket=$(awk '
      $1 == "stats" && $2 == "socket" && $3 ~ /^(unix@)?\// {
        sub(/^unix@/, "", $3)
        if (first == "") first = $3
        if (/level[ \t]+admin/ && admin == "") admin = $3
      }
      END { print admin != "" ? admin : first }' /etc/haproxy/haproxy.cfg)
  fi
  hw_balancer_socket=${hw_balancer_socket:-/run/haproxy/admin.sock}
  [ -S "$hw_balancer_socket" ] ||
    hw_fail "there is no socket $hw_balancer_socket: haproxy does not run, or has another (balancer_socket)" balancer_failed || return
  [ -w "$hw_balancer_socket" ] || hw_fail "this user may not write to $hw_balancer_socket" balancer_failed || return
  hw_can_talk || hw_without 'socat, perl, python3 or nc' socat
}

# hw_balancer_ask COMMANDS: its answer into hw_found.
hw_balancer_ask() {
  hw_found=$(hw_lines "$1" | hw_talk "$hw_balancer_socket" 10 2>&1) ||
    hw_fail "haproxy does not answer at $hw_balancer_socket${hw_found:+: $hw_found}" balancer_failed
}
