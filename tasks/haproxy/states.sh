#!/bin/sh
# Written by hostwright. Keeps out of service what somebody took out of service at haproxy's admin socket, as the
# states that are set there live in the process alone. haproxy reads them from STATES, which haproxy.cfg names as
# server-state-file, when it starts.
#
#   save SOCKET STATES    before a reload or a stop: writes down what a person has set
#   taken SOCKET STATES   after a reload: waits for the new process, then forgets what was written
#   forget SOCKET STATES  after a start: forgets it, if a process answers
#   reload|restart SOCKET STATES SERVICE  all of it, with what the host's init does between
set -u
# haproxy, which may have a user of its own, reads the file.
umask 022
do=$1 socket=$2 states=$3

say() {
  echo "haproxy-states: $*" >&2
}

# One command to the admin socket.
ask() {
  case $tool in
    socat) echo "$1" | socat -t 5 - "UNIX-CONNECT:$socket" ;;
    perl)
      # shellcheck disable=SC2016 # for perl
      perl -MIO::Socket::UNIX -e '
        alarm 5;
        my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
        syswrite $s, "$ARGV[1]\n"; print while <$s>' "$socket" "$1"
      ;;
    python3)
      python3 -I -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1]); s.sendall(sys.argv[2].encode() + b"\n")
for part in iter(lambda: s.recv(65536), b""): sys.stdout.buffer.write(part)' "$socket" "$1"
      ;;
  esac
}

# The process that answers at the socket, if one does.
process() {
  ask 'show info' 2>/dev/null | sed -n 's/^Pid: *\([0-9][0-9]*\)$/\1/p'
}

# A file of version 1 without servers. It is this while haproxy runs, so that what has long been over does not come
# back when it dies.
forget() {
  echo 1 >"$states.new" && mv -f "$states.new" "$states"
}

save() {
  mkdir -p "${states%/*}" || return
  now=
  if [ -S "$socket" ]; then
    [ -n "$tool" ] || {
      say 'the states of servers can be read with socat, perl or python3: install one of them'
      return 1
    }
    now=$(process)
  fi
  # Where nothing answers, what was written down before a start that failed still holds.
  if [ -z "$now" ]; then
    [ -e "$states" ] || forget
    return
  fi
  # Only what a person set: forced maintenance (bit 1) or drain (bit 8), and weights. Whether a server is up,
  # haproxy has to find out again (check status 1, INI), as the new configuration may have changed that.
  ask 'show servers state' | awk -v process="$now" '
    /^#/ || NF < 12 { if (NF) print; if (NR == 1) print "# process " process; next }
    { forced = $7 % 2 || int($7 / 8) % 2 }
    forced || $8 != $9 { if (!forced) $11 = 1; print }' >"$states.new"
  if [ -s "$states.new" ] && mv -f "$states.new" "$states"; then return; fi
  say "can't keep the states of servers in $states"
  return 1
}

# A reload may go on behind the command that began it: the new process has read the file when it answers.
taken() {
  before=$(sed -n 's/^# process //p' "$states" 2>/dev/null)
  after=$before
  if [ -n "$before" ]; then
    for each in 0.1 0.1 0.2 0.5 1 1 2 2 3 5 5 10 10 10; do
      after=$(process)
      [ -z "$after" ] || [ "$after" = "$before" ] || break
      sleep "$each" 2>/dev/null || sleep 1
    done
  fi
  forget || return
  [ -z "$before" ] || [ "$after" != "$before" ] || {
    say "process $before still answers at $socket: haproxy did not take the new configuration"
    return 1
  }
}

through_init() {
  case $2 in
    /*) "$2" "$1" ;;
    *)
      if [ -d /run/systemd/system ]; then
        systemctl "$1" "$2"
      elif [ -e /run/openrc/softlevel ]; then
        rc-service "$2" "$1"
      else
        "/etc/init.d/$2" "$1"
      fi
      ;;
  esac
}

tool=
for each in socat perl python3; do
  command -v "$each" >/dev/null && tool=$each && break
done

case $do in
  save | taken) "$do" ;;
  forget) [ -z "$(process)" ] || forget ;;
  reload | restart)
    save || exit
    if through_init "$do" "$4"; then taken; else
      result=$?
      [ -z "$(process)" ] || forget
      exit "$result"
    fi
    ;;
  *)
    say "unknown: $do"
    exit 2
    ;;
esac
