# shellcheck shell=sh
# effect-unit.sh: the runner of an effect (see effect.sh) as a transient unit of systemd.
# Needs: leftover

# hw_effect_may_unit: whether it can be a unit of its own: systemd may end all processes of a login with its last session
# (KillUserProcesses), whatever session of the kernel they are in. Who is not root has units only of the user's own systemd,
# which that ends as well, unless the user lingers.
hw_effect_may_unit() {
  hw_effect_manager=''
  [ "$hw_init" = systemd ] && [ -z "${hw_effect_no_unit-}" ] && command -v systemd-run >/dev/null || return
  hw_own_uid
  [ "$hw_own_number" != 0 ] || return 0
  hw_look_login
  [ "$hw_login_ends" = lingers ] && hw_effect_manager=--user
}

# hw_look_login: what logind does when the last session of our user ends, into hw_login_ends: `spares` what is left
# of it, `ends` that, or ends it and the user `lingers`. Asked once a session.
hw_look_login() {
  [ -z "${hw_login_ends-}" ] || return 0
  hw_login_ends=spares hw_found=''
  while IFS= read -r hw_line; do
    case $hw_line in */session-*.scope) hw_found=yes ;; esac
  done </proc/self/cgroup
  [ -n "$hw_found" ] || return 0
  hw_found=$(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \
    KillExcludeUsers KillOnlyUsers KillUserProcesses 2>/dev/null) && hw_login_name=$(id -un) || return 0
  # Of each a line: `as 2 "alice" "bob"`, the same, and `b true`. Who is in no list of the second is spared by it.
  hw_line=${hw_found%%"$hw_newline"*} hw_found=${hw_found#*"$hw_newline"}
  case $hw_line in *"\"$hw_login_name\""*) return 0 ;; esac
  case $hw_found in
    *"\"$hw_login_name\""* | "as 0${hw_newline}b true") ;;
    *) return 0 ;;
  esac
  hw_login_ends=ends
  [ ! -e "/var/lib/systemd/linger/$hw_login_name" ] || hw_login_ends=lingers
}

# hw_effect_unit WORD…: the runner of these words as a transient unit, with the environment, directory, umask and limits
# that we have here. They are in a file, as systemd has its own ideas of `$` in words, and shows them to all.
hw_effect_unit() {
  hw_effect_unit_name=hostwright-$hw_effect_key-$$
  {
    hw_effect_exports
    hw_effect_quoted cd -- "$PWD"
    hw_put 'exec 3>/dev/null >/dev/null 2>&1 <'
    hw_effect_quoted "$hw_effect_input"
    hw_effect_quoted exec sh "$hw_effect_runner" "$hw_effect" "$hw_boot" "$hw_space" "$hw_lock_file" "$hw_self" "$hw_effect_path" "$@"
  } >"$hw_effect/unit" || return
  hw_effect_limits systemd-run ${hw_effect_manager:+"$hw_effect_manager"} --quiet --collect "--unit=$hw_effect_unit_name" "--description=$hw_effect_title" \
    --property=KillMode=process "--property=UMask=$hw_umask"
}

# hw_effect_limits WORD…: runs the words, with our limits as properties, and what the unit is to run.
hw_effect_limits() {
  while IFS= read -r hw_line; do
    hw_each=${hw_line%%"  "*}
    case $hw_each in
      'Max cpu time') hw_each=CPU ;;
      'Max file size') hw_each=FSIZE ;;
      'Max data size') hw_each=DATA ;;
      'Max stack size') hw_each=STACK ;;
      'Max core file size') hw_each=CORE ;;
      'Max resident set') hw_each=RSS ;;
      'Max processes') hw_each=NPROC ;;
      'Max open files') hw_each=NOFILE ;;
      'Max locked memory') hw_each=MEMLOCK ;;
      'Max address space') hw_each=AS ;;
      'Max file locks') hw_each=LOCKS ;;
      'Max pending signals') hw_each=SIGPENDING ;;
      'Max msgqueue size') hw_each=MSGQUEUE ;;
      'Max nice priority') hw_each=NICE ;;
      'Max realtime priority') hw_each=RTPRIO ;;
      'Max realtime timeout') hw_each=RTTIME ;;
      *) continue ;;
    esac
    hw_line=${hw_line#*"  "} hw_line=${hw_line#"${hw_line%%[! ]*}"}
    hw_soft=${hw_line%%" "*} hw_line=${hw_line#"$hw_soft"} hw_line=${hw_line#"${hw_line%%[! ]*}"}
    hw_line=${hw_line%%" "*}
    [ "$hw_soft" != unlimited ] || hw_soft=infinity
    [ "$hw_line" != unlimited ] || hw_line=infinity
    set -- "$@" "--property=Limit$hw_each=$hw_soft:$hw_line"
  done </proc/self/limits
  # It takes `$` in a word for a variable.
  hw_line='' hw_rest=$hw_effect/unit
  while :; do
    case $hw_rest in
      *'$'*) hw_line=$hw_line${hw_rest%%'$'*}\$\$ hw_rest=${hw_rest#*'$'} ;;
      *) break ;;
    esac
  done
  "$@" -- /usr/bin/env -i /bin/sh "$hw_line$hw_rest"
}

# hw_effect_exports: our environment, as a shell reads it. Of a value of several lines one may look like a name: that is
# then one of ours, or none. bash ends where a script sets its own options.
hw_effect_exports() {
  hw_found=$(export -p)
  while [ -n "$hw_found" ]; do
    hw_line=${hw_found%%"$hw_newline"*}
    case $hw_found in *"$hw_newline"*) hw_found=${hw_found#*"$hw_newline"} ;; *) hw_found='' ;; esac
    case $hw_line in
      'export '*) hw_line=${hw_line#export } ;;
      'declare -'* | 'typeset -'*) hw_line=${hw_line#* } hw_line=${hw_line#* } ;;
      *) continue ;;
    esac
    hw_line=${hw_line%%=*}
    case $hw_line in '' | [0-9]* | *[!0-9A-Za-z_]* | SHELLOPTS | BASHOPTS) continue ;; esac
    eval "[ -z \"\${$hw_line+x}\" ] || hw_effect_quoted export \"$hw_line=\$$hw_line\""
  done
}

# hw_effect_quoted WORD…: a line of shell: the words, each quoted.
hw_effect_quoted() {
  for hw_each in "$@"; do
    hw_put "'"
    while :; do
      case $hw_each in
        *"'"*)
          hw_put "${hw_each%%"'"*}'\\''"
          hw_each=${hw_each#*"'"}
          ;;
        *) break ;;
      esac
    done
    hw_put "$hw_each' "
  done
  hw_put "$hw_newline"
}

# hw_effect_await_unit: until the runner of the unit has begun, or nothing of it is left.
hw_effect_await_unit() {
  hw_waits=0
  hw_effect_unit_name=hostwright-$hw_effect_key-$$
  until [ -s "$hw_effect/started" ]; do
    hw_waits=$((hw_waits + 1))
    [ $((hw_waits % 50)) -ne 0 ] || systemctl ${hw_effect_manager:+"$hw_effect_manager"} is-active --quiet "$hw_effect_unit_name" || break
    sleep 0.01 2>/dev/null || sleep 1
  done
}
