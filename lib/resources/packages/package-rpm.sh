# shellcheck shell=sh
# package-rpm.sh: what dnf and zypper have in common.

# hw_rpm_look NAME…: installed packages, each with and without its architecture. The epoch stands before
# the version only where there is one.
hw_rpm_look() {
  hw_each='%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n'
  rpm -q --qf "%{NAME}=$hw_each%{NAME}.%{ARCH}=$hw_each" -- "$@" || :
}
