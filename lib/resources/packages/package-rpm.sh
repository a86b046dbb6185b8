# shellcheck shell=sh
# package-rpm.sh: what dnf and zypper have in common.

# hw_rpm_look NAME…: installed packages, each with and without its architecture. The epoch stands before
# the version only where there is one.
hw_rpm_look() {
  hw_each='%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n'
  rpm -q --qf "%{NAME}=$hw_each%{NAME}.%{ARCH}=$hw_each" -- "$@" || :
}

# hw_rpm_newer VERSION OTHER: an epoch or a release that one of them leaves out makes no difference.
hw_rpm_newer() {
  hw_new=$1 hw_old=$2
  case $hw_new-$hw_old in *:*-*:*) ;; *) hw_new=${hw_new#*:} hw_old=${hw_old#*:} ;; esac
  case $hw_old in *-*) ;; *) hw_new=${hw_new%-*} ;; esac
  # The characters of versions were checked; none is of Lua.
  [ "$(rpm --eval "%{lua: print(rpm.vercmp('$hw_new', '$hw_old'))}")" = 1 ]
}

# hw_rpm_offers NAME VERSION: what the manager's plan finds is in a repository.
hw_rpm_offers() {
  hw_packages=$hw_newline
  hw_coming=$hw_newline$("hw_${hw_by}_plan" "$1=$2") || return
  case $hw_coming in *"$hw_newline$1="*) ;; *) return 1 ;; esac
}
