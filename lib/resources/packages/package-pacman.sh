# shellcheck shell=sh
# package-pacman.sh: packages by pacman; see package.sh.
# Needs: package write

# hw_package_pacman WANT HOLD NAME…: see hw_package_by.
hw_package_pacman() { hw_package_by pacman "$@"; }
# hw_gather_pacman IDS NAME…
hw_gather_pacman() { hw_gather_packages pacman "$@"; }

hw_pacman_look() {
  pacman -Q -- "$@" | while read -r hw_name hw_version; do
    hw_lines "$hw_name=$hw_version"
  done
  for hw_each in $(pacman-conf IgnorePkg); do
    hw_lines "held $hw_each"
  done
}

# With --check an index that was fetched for that is used, beside the host's own list of what is installed.
hw_pacman() {
  [ -z "$hw_check" ] || [ -z "$hw_index" ] || set -- --dbpath "$hw_index/pacman" "$@"
  pacman --noconfirm "$@"
}

# hw_pacman_plan NAME[=VERSION]…: of installed packages -Qu lists what is newer, `name old -> new`, of
# others -Si what is to be had.
hw_pacman_plan() {
  hw_found='' hw_ids=''
  for hw_each in "$@"; do
    hw_package_version "$hw_packages" "${hw_each%%=*}"
    case $hw_want-$hw_version in
      latest-?*) hw_found="$hw_found $hw_each" ;;
      *) hw_ids="$hw_ids ${hw_each%%=*}" ;;
    esac
  done
  # It fails where there is nothing newer.
  # shellcheck disable=SC2086 # names
  [ -z "$hw_found" ] || hw_pacman -Qu -- $hw_found | while read -r hw_name hw_line hw_line hw_version hw_line; do
    hw_lines "$hw_name=$hw_version"
  done
  [ -n "$hw_ids" ] || return 0
  # shellcheck disable=SC2086
  hw_list=$(hw_pacman -Si -- $hw_ids) || return
  hw_each=" $* "
  hw_lines "$hw_list" | while read -r hw_line hw_ids hw_version; do
    case $hw_line in
      Name) hw_name=$hw_version ;;
      Version)
        case $hw_each in
          *" $hw_name="*)
            hw_found=${hw_each#*" $hw_name="}
            hw_package_matches "${hw_found%% *}" "$hw_version" || continue
            ;;
        esac
        hw_lines "$hw_name=$hw_version"
        ;;
    esac
  done
}

hw_pacman_refresh() {
  if [ -n "$hw_check" ]; then
    mkdir -p -- "$hw_index/pacman" && hw_each=$(pacman-conf DBPath) &&
      { [ -L "$hw_index/pacman/local" ] || ln -s -- "${hw_each%/}/local" "$hw_index/pacman/local"; } || return
    hw_pacman --logfile /dev/null -Sy
  else
    hw_pacman -Sy
  fi
}

hw_pacman_install() { hw_pacman -S --needed -- "$@"; }

hw_pacman_remove() {
  if [ "$hw_want" = purged ]; then hw_pacman -Rn -- "$@"; else hw_pacman -R -- "$@"; fi
}

# hw_pacman_hold held|unheld NAME…: in lines `IgnorePkg = name…` of /etc/pacman.conf.
hw_pacman_hold() {
  hw_hold=$1
  shift
  hw_want_perms='' hw_want_mode='' hw_want_user='' hw_want_group=''
  hw_validate='' hw_guard='' hw_backup=''
  hw_resolve /etc/pacman.conf && hw_stat "$hw_path" && [ "$hw_type" = file ] &&
    hw_replace "$hw_path" hw_pacman_conf "$@"
}

# hw_pacman_conf NAME…: the new text.
hw_pacman_conf() {
  while IFS= read -r hw_line || [ -n "$hw_line" ]; do
    case $hw_line in
      IgnorePkg*=* | [\ \	]*IgnorePkg*=*)
        hw_list=
        for hw_each in ${hw_line#*=}; do
          case " $* " in *" $hw_each "*) ;; *) hw_list="$hw_list $hw_each" ;; esac
        done
        [ -z "$hw_list" ] || hw_lines "${hw_line%%=*}=$hw_list"
        ;;
      '[options]'*)
        hw_lines "$hw_line"
        [ "$hw_hold" = unheld ] || hw_lines "IgnorePkg = $*"
        ;;
      *) hw_lines "$hw_line" ;;
    esac
  done <"$hw_path"
}

# Debian's pacman comes without vercmp.
hw_pacman_newer() {
  if command -v vercmp >/dev/null; then
    [ "$(vercmp "$1" "$2")" -gt 0 ]
  else
    [ "$1" != "$2" ] && [ "$(hw_lines "$1" "$2" | sort -V | tail -n 1)" = "$1" ]
  fi
}

# A repository has one version of each.
hw_pacman_offers() {
  hw_packages=$hw_newline
  hw_coming=$hw_newline$(hw_pacman_plan "$1=$2") || return
  case $hw_coming in *"$hw_newline$1="*) ;; *) return 1 ;; esac
}
