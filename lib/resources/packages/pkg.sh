# shellcheck shell=sh
# pkg.sh: packages where the controller does not know the host's package manager.
# Needs: package-apt package-dnf package-zypper package-apk package-pacman

# hw_package WANT HOLD NAME…: see hw_package_by.
hw_package() {
  case $hw_package_manager in
    apt-get) hw_package_by apt "$@" ;;
    dnf | yum) hw_package_by dnf "$@" ;;
    apk | pacman | zypper) hw_package_by "$hw_package_manager" "$@" ;;
    *) hw_fail 'no package manager that hostwright knows is on this host: apt, dnf, yum, zypper, apk or pacman' tool_missing ;;
  esac
}
