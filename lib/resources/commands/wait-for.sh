# shellcheck shell=sh
# wait-for.sh: waiting for a port, a path, an answer by HTTP or a command, on the host itself.
# Needs: probe probe-http run

# hw_wait_for path|port|http|command TARGET what= seconds= interval= [gone=] [status=] [body=] [address=] [path=]
# [headers=] [curl=]: look every `interval` seconds, until it is there, or `gone`, or fail after `seconds` with what
# was seen last. `what` says it for people. TARGET: the path; ADDRESS:PORT; the URL, with the statuses that are good
# with blanks between them, a text that the body holds, and the words of hw_probe_http; the command. Nothing changes by it; but what else goes on meanwhile may have.
hw_wait_for() {
  hw_words 2 'what seconds interval gone status body address path headers curl' "$@" || return
  hw_wait_kind=$1 hw_wait_seconds=$hw_want_seconds hw_wait_what=$hw_want_what hw_wait_since=''
  hw_wait_gone=$hw_want_gone hw_wait_interval=$hw_want_interval hw_wait_good=$hw_want_status hw_wait_body=$hw_want_body
  shift
  hw_wait_has_tools "$1" || return
  # How long one look may take.
  hw_wait_limit=10
  [ "$hw_wait_seconds" -gt 10 ] || hw_wait_limit=$hw_wait_seconds
  while :; do
    if hw_wait_look "$1"; then hw_found=there; else hw_found=gone; fi
    hw_saw "$hw_wait_what $hw_found"
    case $hw_wait_gone$hw_found in there | yesgone) break ;; esac
    if [ -n "$hw_check" ]; then
      hw_note="would wait for $hw_wait_what"
      return 0
    fi
    hw_elapse
    hw_wait_since=${hw_wait_since:-$hw_seconds}
    [ -z "$hw_stop" ] || hw_fail "interrupted while waiting for $hw_wait_what" || return
    # Of a second that has begun nobody knows the beginning.
    [ $((hw_seconds - hw_wait_since)) -le "$hw_wait_seconds" ] ||
      hw_fail "waited $hw_wait_seconds s for $hw_wait_what; last seen: $(hw_wait_last)" wait_timeout || return
    # Some know whole seconds only.
    sleep "$hw_wait_interval" 2>/dev/null || sleep 1
  done
  [ -n "$hw_wait_since" ] || return 0
  hw_touch_all
  hw_elapse
  hw_note="after $((hw_seconds - hw_wait_since)) s"
}

# hw_wait_look TARGET: whether it is there; what there is instead into hw_wait_seen.
hw_wait_look() {
  case $hw_wait_kind in
    path)
      hw_wait_seen='it is there'
      [ -e "$1" ] || [ -L "$1" ] || {
        hw_wait_seen='nothing is there'
        return 1
      }
      ;;
    port)
      hw_wait_seen="$1 accepts connections"
      hw_found=$(hw_probe_tcp "$1" "$hw_wait_limit" 2>&1) || {
        hw_wait_seen=${hw_found##*"$hw_newline"}
        return 1
      }
      ;;
    command)
      hw_wait_seen=$(hw_enter '' && hw_within "$hw_wait_limit" sh -c "$1" 2>&1)
      hw_wait_status=$?
      hw_wait_seen="exit status $hw_wait_status${hw_wait_seen:+: ${hw_wait_seen##*"$hw_newline"}}"
      return "$hw_wait_status"
      ;;
    http)
      hw_wait_seen=$(hw_probe_http "$1" "$hw_wait_limit" "address=$hw_want_address" "path=$hw_want_path" \
        "headers=$hw_want_headers" "curl=$hw_want_curl" 2>&1) || {
        hw_wait_seen=${hw_wait_seen##*"$hw_newline"}
        return 1
      }
      # `200`, or `301 TARGET`; then the body.
      hw_wait_status=${hw_wait_seen%%"$hw_newline"*}
      case $hw_wait_seen in
        *"$hw_newline"*) hw_wait_seen=${hw_wait_seen#*"$hw_newline"} ;;
        *) hw_wait_seen='' ;;
      esac
      case $hw_wait_seen in *"$hw_wait_body"*) hw_found=yes ;; *) hw_found=no ;; esac
      hw_wait_seen="status $hw_wait_status${hw_wait_seen:+$hw_newline$hw_wait_seen}"
      case " $hw_wait_good " in *" ${hw_wait_status%% *} "*) ;; *) return 1 ;; esac
      [ "$hw_found" = yes ]
      ;;
  esac
}

# hw_wait_last: what was seen last, in a line.
hw_wait_last() {
  hw_put "$hw_wait_seen" | tr '\r\n\t' '   ' | cut -c1-300
}

# hw_wait_has_tools ARGUMENT: fails where nothing can look.
hw_wait_has_tools() {
  case $hw_wait_kind in
    port) hw_can_connect || hw_without 'bash, nc or perl' netcat ;;
    http) hw_http_client "$1" ;;
  esac
}
