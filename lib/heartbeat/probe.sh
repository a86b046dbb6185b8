# shellcheck shell=sh
# probe.sh: the questions of heartbeats, asked from the host itself. Each prints the answer; its exit
# status says whether there was one. SECONDS bounds each.

# hw_probe_http URL SECONDS: the status code on a line of its own, then the body.
hw_probe_http() {
  if command -v curl >/dev/null; then
    # The code comes last from curl: the controller gets it first.
    hw_found=$(curl -sS -m "$2" -o - -w '\n%{http_code}' -- "$1") || hw_fail "no answer from $1" heartbeat_failed || return
    hw_lines "${hw_found##*"$hw_newline"}"
    hw_put "${hw_found%"$hw_newline"*}"
  else
    case $1 in
      http://*) ;;
      *) hw_without curl curl || return ;;
    esac
    hw_rest=${1#http://}
    hw_address=${hw_rest%%/*}
    hw_path=/
    case $hw_rest in */*) hw_path=/${hw_rest#*/} ;; esac
    hw_found=$(hw_http_request "$hw_address" "$hw_path" | hw_connect "$(hw_with_port "$hw_address" 80)" "$2") ||
      hw_fail "no answer from $1" heartbeat_failed || return
    # `HTTP/1.0 200 OK`, headers, an empty line, the body.
    hw_line=${hw_found%%"$hw_newline"*}
    hw_line=${hw_line#* }
    hw_lines "${hw_line%% *}"
    hw_blank=$hw_newline$(printf '\r')$hw_newline
    hw_put "${hw_found#*"$hw_blank"}"
  fi
}

# HTTP/1.0, so that the answer is neither chunked nor kept open (RFC 1945).
hw_http_request() {
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: hostwright\r\nConnection: close\r\n\r\n' "$2" "$1"
}

# hw_with_port ADDRESS PORT: ADDRESS, with PORT if it has none. An IPv6 address stands in brackets.
hw_with_port() {
  case $1 in
    *]:* | [!\[]*:*) hw_put "$1" ;;
    *) hw_put "$1:$2" ;;
  esac
}

# hw_probe_tcp ADDRESS:PORT SECONDS: whether something accepts a connection.
hw_probe_tcp() {
  hw_connect "$1" "$2" only </dev/null >/dev/null || hw_fail "nothing accepts connections at $1" heartbeat_failed
}

# hw_connect ADDRESS:PORT SECONDS [only]: standard input to a TCP port, its answer to standard output,
# with what the host has. `only` connects and no more: many a service waits for us to speak first.
hw_connect() {
  hw_port=${1##*:}
  hw_address=${1%:*}
  hw_address=${hw_address#\[}
  hw_address=${hw_address%\]}
  if command -v bash >/dev/null; then
    # shellcheck disable=SC2016 # for bash
    hw_within "$2" bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1; [ -z "$3" ] || exit 0; cat >&3; cat <&3' bash "$hw_address" "$hw_port" "${3-}"
  elif command -v nc >/dev/null; then
    hw_within "$2" nc ${3:+-z} -w "$2" "$hw_address" "$hw_port"
  else
    hw_without 'curl, bash or nc' curl
  fi
}

# hw_within SECONDS COMMAND…: end it when it takes too long. timeout(1) is in coreutils and busybox;
# where it is not, the connection's own time-out has to do.
hw_within() {
  if command -v timeout >/dev/null; then
    timeout "$@"
  else
    shift
    "$@"
  fi
}

# hw_probe_command SECONDS COMMAND: the command's own output is the answer.
hw_probe_command() {
  hw_within "$1" sh -c "$2" || hw_fail "exit status $?" heartbeat_failed
}

# hw_probe_haproxy SOCKET SECONDS: haproxy's `show stat` as CSV, from its stats socket.
hw_probe_haproxy() {
  [ -S "$1" ] || hw_fail "there is no socket $1" heartbeat_failed || return
  if command -v socat >/dev/null; then
    echo 'show stat' | hw_within "$2" socat -t "$2" - "UNIX-CONNECT:$1"
  elif command -v perl >/dev/null; then
    # shellcheck disable=SC2016 # for perl
    hw_within "$2" perl -MIO::Socket::UNIX -e '
      my $s = IO::Socket::UNIX->new(Peer => shift) or die "$!\n"; print $s "show stat\n"; print while <$s>' "$1"
  elif command -v python3 >/dev/null; then
    hw_within "$2" python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b"show stat\n")
for part in iter(lambda: s.recv(65536), b""): sys.stdout.buffer.write(part)' "$1"
  elif command -v nc >/dev/null; then
    echo 'show stat' | hw_within "$2" nc -U "$1"
  else
    hw_without 'socat, perl, python3 or nc' socat || return
  fi || hw_fail "no answer from $1" heartbeat_failed
}
