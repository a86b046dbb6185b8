# shellcheck shell=sh
# wait-for.sh: waiting for a port, a path, an answer by HTTP or a command, on the host itself.
# Needs: probe run

# hw_wait_for KIND there|gone SECONDS INTERVAL WHAT ARGUMENT…: look every INTERVAL seconds, until it is
# so, or fail after SECONDS with what was seen last. WHAT says it for people. Arguments: a path; a port as
# ADDRESS:PORT; of http the URL, the statuses that are good with blanks between them, and a text that the
# body holds; a command. Nothing changes by it; but what else goes on meanwhile may have.
hw_wait_for() {
  hw_wait_kind=$1 hw_wait_want=$2 hw_wait_seconds=$3 hw_wait_interval=$4 hw_wait_what=$5 hw_wait_since=''
  shift 5
  hw_wait_has_tools "$1" || return
  # How long one look may take.
  hw_wait_limit=10
  [ "$hw_wait_seconds" -gt 10 ] || hw_wait_limit=$hw_wait_seconds
  while :; do
    if hw_wait_look "$@"; then hw_found=there; else hw_found=gone; fi
    hw_saw "$hw_wait_what $hw_found"
    [ "$hw_found" != "$hw_wait_want" ] || break
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

# hw_wait_look ARGUMENT…: whether it is there; what there is instead into hw_wait_seen.
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
      hw_wait_seen=$(hw_probe_http "$1" "$hw_wait_limit" 2>&1) || {
        hw_wait_seen=${hw_wait_seen##*"$hw_newline"}
        return 1
      }
      hw_wait_status=${hw_wait_seen%%"$hw_newline"*}
      hw_wait_seen="status ${hw_wait_seen:-unknown}"
      case " $2 " in *" $hw_wait_status "*) ;; *) return 1 ;; esac
      case $hw_wait_seen in *"$3"*) ;; *) return 1 ;; esac
      ;;
  esac
}

# hw_wait_last: what was seen last, in a line.
hw_wait_last() {
  hw_put "$hw_wait_seen" | tr '\r\n\t' '   ' | cut -c1-300
}

# hw_wait_has_tools ARGUMENT: fails where nothing can look.
hw_wait_has_tools() {
  case $hw_wait_kind-$1 in
    port-* | http-http://*)
      [ "$hw_wait_kind" = http ] && command -v curl >/dev/null || command -v bash >/dev/null ||
        command -v nc >/dev/null || hw_without 'curl, bash or nc' curl
      ;;
    http-*) command -v curl >/dev/null || hw_without curl curl ;;
  esac
}
