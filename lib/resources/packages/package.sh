# shellcheck shell=sh
# package.sh: packages of the distribution: what is the same for all package managers. What is not is in
# package-apt.sh, package-dnf.sh …, each with these functions (BY is its name):
#   hw_BY_look NAME…          `name=version` for each that is installed, `held name` for each that is held,
#                             `rest name` for each of which only config files are left, and `broken name` for
#                             each that is there, but only half installed
#   hw_BY_plan NAME[=VERSION]…  `name=version` for each that installing them would bring to a version;
#                             fails where one is not to be had
#   hw_BY_refresh [FILE…]     fetches the index, or that of the repositories that FILEs name alone; with --check
#                             into $hw_index, and hw_BY_plan then uses that
#   hw_BY_install NAME=VERSION…   as planned; $hw_pending has what was asked for
#   hw_BY_remove NAME…        with their config files if $hw_want is purged
#   hw_BY_hold held|unheld NAME…
#   hw_BY_newer VERSION OTHER   whether VERSION is newer
#   hw_BY_offers NAME VERSION   whether a repository has it, and not this host alone
#
# Beside the names of core.sh, these outlive a step:
#   hw_index_fresh    the index was fetched in this session
#   hw_index          directory of an index that --check fetched, gone with the session
#   hw_gathered_BY    what the segment's gathering found; hw_gathered_names has `BY/NAME` of each it looked for
# Needs: scratch no-services

# hw_gather_packages BY IDS NAME…: looks for the packages of all steps of a segment with one process.
hw_gather_packages() {
  hw_by=$1
  shift 2
  for hw_each in "$@"; do
    shift
    case $hw_gathered_names in
      *" $hw_by/$hw_each "*) ;;
      *)
        set -- "$@" "$hw_each"
        hw_gathered_names="$hw_gathered_names $hw_by/$hw_each "
        ;;
    esac
  done
  hw_found=$hw_newline$("hw_${hw_by}_look" "$@" 2>/dev/null)$hw_newline
  eval "hw_gathered_$hw_by=\$hw_found"
}

# hw_package_by BY present|least|absent|purged|latest|available HOLD NAME…: the packages are installed (present;
# `name=version` for that version, least for that or a newer one), not installed (absent), that without their config
# files (purged), or the newest that is to be had (latest); or they need only be to be had (available). HOLD is held, unheld or empty.
# With `-offline` behind the word no service may be started.
hw_package_by() {
  hw_by=$1 hw_want=${2%-offline} hw_offline='' hw_hold=$3
  [ "$hw_want" = "$2" ] || hw_offline=1
  shift 3
  hw_policy_rest || return
  if [ "$hw_want" = available ]; then
    hw_package_available "$@"
    return
  fi
  hw_package_look "$@" || return
  hw_pending='' hw_holding='' hw_coming=''
  for hw_each in "$@"; do
    hw_package_is "$hw_each" || hw_pending="$hw_pending $hw_each"
    case $hw_hold$hw_packages in
      held*"${hw_newline}held ${hw_each%%=*}$hw_newline"*) ;;
      held*) hw_holding="$hw_holding ${hw_each%%=*}" ;;
      unheld*"${hw_newline}held ${hw_each%%=*}$hw_newline"*) hw_holding="$hw_holding ${hw_each%%=*}" ;;
    esac
  done
  # shellcheck disable=SC2086 # names and versions hold no spaces; the controller checked them
  case $hw_want in
    present | least | latest) [ -z "$hw_pending" ] || hw_package_plan $hw_pending || return ;;
  esac
  # shellcheck disable=SC2086
  hw_package_held $hw_pending || return
  # shellcheck disable=SC2086
  hw_package_note $hw_pending
  for hw_each in $hw_holding; do
    hw_also "$hw_each $hw_hold"
  done
  [ "$hw_status" = changed ] && [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_touch_all
  hw_gathered_names=''
  # A hold would be in the way, and ends with what it held.
  # shellcheck disable=SC2086
  [ "$hw_hold" != unheld ] || hw_held=$hw_holding hw_holding=''
  # shellcheck disable=SC2086
  [ -z "$hw_held" ] || hw_package_hold unheld $hw_held || return
  # shellcheck disable=SC2086
  [ -z "$hw_pending" ] || hw_package_change $hw_pending || {
    [ "$hw_hold" != held ] || [ -z "$hw_held" ] || hw_package_hold held $hw_held
    return 1
  }
  [ "$hw_hold" != held ] || hw_holding=$hw_holding$hw_held
  # shellcheck disable=SC2086
  [ -z "$hw_holding" ] || hw_package_hold "$hw_hold" $hw_holding
}

# hw_package_hold held|unheld NAME…
hw_package_hold() {
  hw_package_run "hw_${hw_by}_hold" "$@" && return
  case $hw_said in
    *'the package that has it is'*) hw_code=tool_missing ;;
    *) hw_fail "could not make $*" ;;
  esac
  return 1
}

# hw_package_look NAME…: what is installed of them into hw_packages.
hw_package_look() {
  hw_each=
  for hw_name in "$@"; do
    shift
    set -- "$@" "${hw_name%%=*}"
    case $hw_gathered_names in
      *" $hw_by/${hw_name%%=*} "*) ;;
      *) hw_each=ask ;;
    esac
  done
  if [ -n "$hw_each$hw_touched_all" ]; then
    hw_packages=$hw_newline$("hw_${hw_by}_look" "$@" 2>/dev/null)$hw_newline
  else
    eval "hw_packages=\$hw_gathered_$hw_by"
  fi
  # The gathering knows packages of other steps too.
  [ -z "$hw_plan" ] || for hw_name in "$@"; do
    case $hw_packages in *"${hw_newline}held $hw_name$hw_newline"*) hw_saw "held $hw_name" ;; esac
    hw_package_version "$hw_packages" "$hw_name"
    hw_saw "$hw_name=$hw_version"
  done
}

# hw_package_version LINES NAME: the version that a line `name=version` of them says, into hw_version.
hw_package_version() {
  hw_version=
  case $1 in
    *"$hw_newline$2="*)
      hw_version=${1#*"$hw_newline$2="}
      hw_version=${hw_version%%"$hw_newline"*}
      ;;
  esac
}

# hw_package_is NAME[=VERSION]: whether it is as wanted; for the latest the index has to be asked.
hw_package_is() {
  hw_package_version "$hw_packages" "${1%%=*}"
  case $hw_want in
    present)
      [ -n "$hw_version" ] && ! hw_package_broken "${1%%=*}" || return
      case $1 in *=*) hw_package_has "${1%%=*}" "${1#*=}" ;; esac
      ;;
    least)
      [ -n "$hw_version" ] || return
      hw_new=$hw_version
      hw_package_has "${1%%=*}" "${1#*=}" || { "hw_${hw_by}_newer" "$hw_new" "${1#*=}" && hw_note="$hw_new is newer"; }
      ;;
    absent) [ -z "$hw_version" ] ;;
    purged)
      case $hw_packages in *"${hw_newline}rest $1$hw_newline"*) return 1 ;; esac
      [ -z "$hw_version" ]
      ;;
    latest) return 1 ;;
  esac
}

# hw_package_available NAME=VERSION: whether a repository has it. The index is fetched if it is not in it.
hw_package_available() {
  [ -z "$hw_check" ] || { hw_scratch_make && hw_scratch_is_ours=''; } || return
  "hw_${hw_by}_offers" "${1%%=*}" "${1#*=}" 2>/dev/null && return
  hw_package_refresh
  "hw_${hw_by}_offers" "${1%%=*}" "${1#*=}" && return
  hw_awaits package "${1%%=*}" "no repository of this host has ${1%%=*} in the version ${1#*=}"
}

# hw_package_broken NAME: whether it was not installed to its end.
hw_package_broken() {
  case $hw_packages in *"${hw_newline}broken $1$hw_newline"*) ;; *) return 1 ;; esac
}

# hw_package_has NAME VERSION: whether it is installed in that version, of those that may be there (kernels).
hw_package_has() {
  hw_line=$hw_packages
  while :; do
    hw_package_version "$hw_line" "$1"
    [ -n "$hw_version" ] || return
    ! hw_package_matches "$2" "$hw_version" || return 0
    hw_line=$hw_newline${hw_line#*"$hw_newline$1=$hw_version"}
    hw_line=$hw_newline${hw_line#"$hw_newline"}
  done
}

# hw_package_matches WANTED VERSION: apt's versions are compared whole; elsewhere the epoch, what stands
# before the colon, and the release, what stands behind the dash, may be left out.
hw_package_matches() {
  [ "$1" != "$2" ] || return 0
  [ "$hw_by" != apt ] || return 1
  case $2 in "$1"-* | *:"$1" | *:"$1"-*) ;; *) return 1 ;; esac
}

# hw_package_plan NAME[=VERSION]…: what is to be installed, with the versions that are to be had, into
# hw_coming; and what of it changes something into hw_pending. The index is fetched at most once, and
# only if it has to be: where one of the packages is not in it, for the latest, or for a repository that
# changed.
hw_package_plan() {
  [ -z "$hw_check" ] || { hw_scratch_make && hw_scratch_is_ours=''; } || return
  hw_package_due
  if [ "$hw_want" = latest ]; then
    hw_package_refresh || hw_awaits package "$*" "can't fetch the package index, so the latest version is unknown" || return
  elif [ -n "$hw_index_changed" ]; then
    # Without it, what another repository has of that name might be taken for what was meant.
    if [ -n "$hw_check" ]; then hw_package_refresh; else hw_package_fetch_due; fi ||
      hw_awaits package "$*" "can't fetch the index of a repository that changed" || return
  fi
  if ! hw_package_planned "$@" 2>/dev/null; then
    hw_package_refresh
    # A repository that an earlier step sets up may have it.
    hw_package_planned "$@" || hw_awaits package "${hw_absent# }" "can't be installed on this host:$hw_absent" || return
  fi
  hw_pending=
  for hw_each in "$@"; do
    hw_package_version "$hw_packages" "${hw_each%%=*}"
    hw_old=$hw_version
    hw_package_version "$hw_coming" "${hw_each%%=*}"
    [ "$hw_want" = latest ] && [ -n "$hw_old" ] && [ "${hw_version:-$hw_old}" = "$hw_old" ] &&
      ! hw_package_broken "${hw_each%%=*}" ||
      hw_pending="$hw_pending $hw_each"
  done
  hw_saw "$hw_coming"
}

# hw_package_planned NAME[=VERSION]…: asks the package manager; fails if it can't or leaves one out, those
# into hw_absent.
hw_package_planned() {
  hw_absent=" $*"
  hw_coming=$hw_newline$("hw_${hw_by}_plan" "$@") || return
  hw_coming=$hw_coming$hw_newline hw_absent=
  for hw_each in "$@"; do
    case $hw_coming in *"$hw_newline${hw_each%%=*}="*) continue ;; esac
    hw_package_version "$hw_packages" "${hw_each%%=*}"
    [ "$hw_want" = latest ] && [ -n "$hw_version" ] || hw_absent="$hw_absent $hw_each"
  done
  [ -z "$hw_absent" ]
}

# hw_package_due: the files of repositories whose index was not fetched since they changed, in this run or in one
# before, into hw_index_changed: those with a note (package-repo.sh).
hw_package_due() {
  hw_index_changed=
  for hw_each in /etc/apt/sources.list.d/.*.index-due /etc/yum.repos.d/.*.index-due; do
    [ -e "$hw_each" ] || continue
    hw_line=${hw_each%.index-due}
    hw_index_changed=$hw_index_changed${hw_line%/*}/${hw_line##*/.}$hw_newline
  done
}

# hw_package_fetch_due: fetches those.
hw_package_fetch_due() {
  # shellcheck disable=SC2086 # their names hold no spaces
  hw_package_run "hw_${hw_by}_refresh" $hw_index_changed && hw_package_fetched
}

# hw_package_fetched: they are not due any more.
hw_package_fetched() {
  for hw_each in $hw_index_changed; do
    rm -f -- "${hw_each%/*}/.${hw_each##*/}.index-due" || return
  done
  hw_index_changed=
}

# hw_package_refresh: the index is fetched, unless it was in this session; then that of repositories that
# changed since. With --check that is another one, beside the host's: nothing of the host changes.
hw_package_refresh() {
  if [ -n "${hw_index_fresh-}" ]; then
    # What changed since was not in it.
    [ -z "$hw_index_changed" ] || [ -n "$hw_check" ] || hw_package_fetch_due || return
    [ "$hw_index_fresh" = yes ]
    return
  fi
  [ -z "$hw_check" ] || hw_index=$hw_scratch
  hw_index_fresh=failed
  hw_package_run "hw_${hw_by}_refresh" || return
  hw_index_fresh=yes
  [ -n "$hw_check" ] || hw_package_fetched
}

# hw_package_change NAME[=VERSION]…: do it.
hw_package_change() {
  [ -z "$hw_offline" ] || hw_services_forbid || return
  hw_package_make "$@"
  set -- $?
  [ -z "$hw_offline" ] || hw_services_allow || return
  return "$1"
}

# hw_package_make NAME[=VERSION]…: the same, with services started. The index may name what the mirror has no more: then
# a fresh one is fetched, and it is tried again.
hw_package_make() {
  case $hw_want in
    absent | purged)
      hw_package_run "hw_${hw_by}_remove" "$@" || hw_fail "could not remove $*"
      return
      ;;
  esac
  hw_package_install "$@" ||
    { [ -z "${hw_index_fresh-}" ] && hw_package_refresh && hw_package_planned "$@" && hw_package_install "$@"; } ||
    hw_fail "could not install $*" || return
  # Some package managers succeed without having done it.
  hw_packages=$hw_newline$("hw_${hw_by}_look" $(hw_package_names "$@") 2>/dev/null)$hw_newline
  for hw_each in "$@"; do
    hw_package_version "$hw_packages" "${hw_each%%=*}"
    hw_new=$hw_version
    ! hw_package_broken "${hw_each%%=*}" || hw_fail "$hw_each is only half installed" || return
    hw_package_version "$hw_coming" "${hw_each%%=*}"
    [ "$hw_new" = "$hw_version" ] || hw_package_has "${hw_each%%=*}" "$hw_version" ||
      hw_fail "$hw_each was to be $hw_version, but is ${hw_new:-not installed}" || return
  done
}

hw_package_names() {
  for hw_each in "$@"; do
    hw_lines "${hw_each%%=*}"
  done
}

# hw_package_install NAME[=VERSION]…: with the versions that are planned.
hw_package_install() {
  for hw_each in "$@"; do
    shift
    hw_package_version "$hw_coming" "${hw_each%%=*}"
    set -- "$@" "${hw_each%%=*}=$hw_version"
  done
  hw_package_run "hw_${hw_by}_install" "$@"
}

# hw_package_held NAME[=VERSION]…: those of them that are held, into hw_held. Where the step does not speak
# of holds, somebody else's is not to be broken.
hw_package_held() {
  hw_held=
  for hw_each in "$@"; do
    hw_package_version "$hw_packages" "${hw_each%%=*}"
    case $hw_version$hw_packages in
      [!"$hw_newline"]*"${hw_newline}held ${hw_each%%=*}$hw_newline"*) hw_held="$hw_held ${hw_each%%=*}" ;;
    esac
  done
  [ -z "$hw_held" ] || [ -n "$hw_hold" ] ||
    hw_fail "held on this host:$hw_held; the option hold says whether it is to stay so after the change"
}

# hw_package_note NAME[=VERSION]…: says what changes.
hw_package_note() {
  for hw_each in "$@"; do
    hw_name=${hw_each%%=*}
    hw_package_version "$hw_packages" "$hw_name"
    hw_old=$hw_version
    hw_package_version "$hw_coming" "$hw_name"
    case $hw_want in
      purged) hw_also "$hw_name purged" ;;
      absent) hw_also "$hw_name $hw_old removed" ;;
      *)
        if hw_package_broken "$hw_name" && [ "$hw_old" = "${hw_version:-$hw_old}" ]; then
          hw_also "$hw_name $hw_old, which was half installed"
          continue
        fi
        hw_also "$hw_name${hw_old:+ $hw_old to}${hw_version:+ $hw_version}"
        ;;
    esac
  done
}

# hw_package_run COMMAND…: run it; where another process has the lock, again until it is free, for five
# minutes. What it says on standard output is shown as it comes.
hw_package_run() {
  hw_tries=300
  while :; do
    { hw_said=$("$@" 2>&1 >&3 3>&-); } 3>&1 && hw_exit_status=0 || hw_exit_status=$?
    [ "$hw_exit_status" -ne 0 ] && hw_package_locked "$hw_said" && [ "$hw_tries" -gt 0 ] && [ -z "$hw_stop" ] || break
    [ "$hw_tries" -ne 300 ] || hw_lines 'Another process has the lock of the package manager: waiting for it'
    hw_tries=$((hw_tries - 1))
    sleep 1
  done
  [ -z "$hw_said" ] || hw_lines "$hw_said" >&2
  return "$hw_exit_status"
}

# hw_package_locked TEXT: whether a package manager that failed with TEXT did so for another's lock.
hw_package_locked() {
  case $1 in
    *'Could not get lock'* | *'lock was locked by another process'* | *'nable to lock database'* | \
      *'System management is locked'*) ;;
    *) return 1 ;;
  esac
}
