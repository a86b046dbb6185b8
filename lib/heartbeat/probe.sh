# shellcheck shell=sh
# probe.sh: the questions of heartbeats, asked from the host itself. Each prints the answer; its exit
# status says whether there was one. SECONDS bounds each.

# hw_probe_tcp ADDRESS:PORT SECONDS: whether something accepts a connection.
hw_probe_tcp() {
  hw_connect "$1" "$2" only </dev/null >/dev/null || hw_fail "nothing accepts connections at $1" heartbeat_failed
}

# hw_probe_unix SOCKET SECONDS: whether something accepts a connection at a unix socket.
hw_probe_unix() {
  [ -S "$1" ] || hw_fail "there is no socket $1" heartbeat_failed || return
  hw_can_talk || hw_without 'socat, perl, python3 or nc' socat || return
  hw_talk "$1" "$2" only </dev/null >/dev/null || hw_fail "nothing accepts connections at $1" heartbeat_failed
}

# hw_can_connect: whether something here can speak TCP.
hw_can_connect() {
  command -v bash >/dev/null || command -v nc >/dev/null || command -v perl >/dev/null || command -v busybox >/dev/null
}

# hw_connect ADDRESS:PORT SECONDS [only]: standard input to a TCP port, its answer to standard output,
# with what the host has. `only` connects and no more: many a service waits for us to speak first. The
# connection stays open in both directions until the answer ends: proxies take half a close for a client that
# has gone.
hw_connect() {
  hw_port=${1##*:}
  hw_address=${1%:*}
  hw_address=${hw_address#\[}
  hw_address=${hw_address%\]}
  if command -v bash >/dev/null; then
    # shellcheck disable=SC2016 # for bash
    hw_within "$2" bash -c 'exec 3<>"/dev/tcp/$1/$2" || exit 1; [ -z "$3" ] || exit 0; cat >&3; cat <&3' bash "$hw_address" "$hw_port" "${3-}"
  elif command -v nc >/dev/null; then
    hw_connect_nc "$2" "${3-}" nc
  elif command -v perl >/dev/null; then
    # shellcheck disable=SC2016 # for perl
    hw_within "$2" perl -e '
      use Socket qw(:all); $| = 1; my ($host, $port, $only) = @ARGV; my $s;
      my ($error, @all) = getaddrinfo($host, $port, { socktype => SOCK_STREAM });
      die "$error\n" if $error;
      for (@all) {
        socket($s, $_->{family}, SOCK_STREAM, 0) && connect($s, $_->{addr}) and last;
        $error = $!; undef $s;
      }
      die "$error\n" unless $s;
      exit 0 if $only;
      local $/; syswrite $s, scalar <STDIN>;
      print $_ while sysread $s, $_, 65536;' "$hw_address" "$hw_port" "${3-}"
  elif command -v busybox >/dev/null; then
    hw_connect_nc "$2" "${3-}" busybox nc
  else
    hw_without 'curl, bash, nc or perl' curl
  fi
}

# hw_connect_nc SECONDS only|'' NC…: to hw_address and hw_port. nc closes its side with the end of its input, so
# that is a pipe whose other end it holds itself; it is in hw_scratch.
hw_connect_nc() (
  hw_seconds=$1 hw_only=$2
  shift 2
  if [ -n "$hw_only" ]; then
    hw_within "$hw_seconds" "$@" -z -w "$hw_seconds" "$hw_address" "$hw_port"
    return
  fi
  hw_pipe=$hw_scratch/nc
  mkfifo "$hw_pipe" && exec 5<>"$hw_pipe" || return
  rm -f -- "$hw_pipe"
  cat >&5
  hw_within "$hw_seconds" "$@" -w "$hw_seconds" "$hw_address" "$hw_port" <&5
)

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
  hw_can_talk || hw_without 'socat, perl, python3 or nc' socat || return
  echo 'show stat' | hw_talk "$1" "$2" || hw_fail "no answer from $1" heartbeat_failed
}

# hw_can_talk: whether something here can speak to a unix socket.
hw_can_talk() {
  command -v socat >/dev/null || command -v perl >/dev/null || command -v python3 >/dev/null || command -v nc >/dev/null
}

# hw_talk SOCKET SECONDS [only]: standard input to a unix socket, its answer to standard output. `only` connects
# and no more.
hw_talk() {
  if command -v perl >/dev/null; then
    # shellcheck disable=SC2016 # for perl
    hw_within "$2" perl -MIO::Socket::UNIX -e '
      my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "$!\n"; exit 0 if $ARGV[1]; $| = 1;
      local $/; syswrite $s, scalar <STDIN>;
      print $_ while sysread $s, $_, 65536;' "$1" "${3-}"
  elif command -v python3 >/dev/null; then
    hw_within "$2" python3 -I -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
if sys.argv[2]: sys.exit()
s.sendall(sys.stdin.buffer.read())
for part in iter(lambda: s.recv(65536), b""): sys.stdout.buffer.write(part); sys.stdout.flush()' "$1" "${3-}"
  elif command -v socat >/dev/null; then
    if [ -n "${3-}" ]; then hw_within "$2" socat -u OPEN:/dev/null "UNIX-CONNECT:$1"; else
      hw_within "$2" socat -t "$2" - "UNIX-CONNECT:$1,shut-none"
    fi
  elif [ -n "${3-}" ]; then
    hw_within "$2" nc -z -U "$1"
  else
    hw_within "$2" nc -U "$1"
  fi
}
