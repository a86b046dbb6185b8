# shellcheck shell=sh
# packages.sh: what packages are installed. lib/facts/packages.ts reads it.

# hw_fact_packages: a line `manager NAME`, then `NAME VERSION ARCHITECTURE` for each package; for apk a
# line for each of the three, after P:, V: and A:.
hw_fact_packages() {
  case $hw_package_manager in
    apt-get) hw_each=dpkg ;;
    dnf | yum | zypper) hw_each=rpm ;;
    apk | pacman) hw_each=$hw_package_manager ;;
    *) hw_fail 'no package manager whose packages hostwright can list is on this host' tool_missing || return ;;
  esac
  hw_lines "manager $hw_each"
  case $hw_each in
    dpkg)
      command -v dpkg-query >/dev/null || hw_without dpkg-query dpkg || return
      # shellcheck disable=SC2016 # dpkg-query's own placeholders
      dpkg-query -W -f '${db:Status-Status} ${Package} ${Version} ${Architecture}\n'
      ;;
    rpm)
      command -v rpm >/dev/null || hw_without rpm rpm || return
      rpm -qa --qf '%{NAME} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE} %{ARCH}\n'
      ;;
    apk)
      hw_each=/lib/apk/db/installed
      [ -r "$hw_each" ] || hw_each=/usr/lib/apk/db/installed
      sed -n '/^[PVA]:/p' "$hw_each"
      ;;
    pacman) pacman -Q ;;
  esac || hw_fail "could not list the packages of $hw_package_manager"
}
