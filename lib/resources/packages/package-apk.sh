# shellcheck shell=sh
# package-apk.sh: packages by apk; see package.sh.
# Needs: package

# hw_package_apk WANT HOLD NAME…: see hw_package_by.
hw_package_apk() { hw_package_by apk "$@"; }
# hw_gather_apk IDS NAME…
hw_gather_apk() { hw_gather_packages apk "$@"; }

# hw_apk_split NAME-VERSION-rN: into hw_name and hw_version.
hw_apk_split() {
  case $1 in
    *-*-r[0-9]*) hw_name=${1%-*-r*} ;;
    *) hw_name=${1%-*} ;;
  esac
  hw_version=${1#"$hw_name"-}
}

# apk has no holds; a package is held where the file of what is wanted binds it to a version.
hw_apk_look() {
  for hw_line in $(apk info -e -v "$@"); do
    hw_apk_split "$hw_line"
    hw_lines "$hw_name=$hw_version"
  done
  [ -f /etc/apk/world ] || return 0
  while IFS= read -r hw_line; do
    case $hw_line in *[!\<\>~]=*) hw_lines "held ${hw_line%%=*}" ;; esac
  done </etc/apk/world
}

# With --check an index that was fetched for that is used.
hw_apk() {
  [ -z "$hw_check" ] || [ -z "$hw_index" ] || set -- --cache-dir "$hw_index" "$@"
  apk --wait 300 "$@"
}

# It says `(1/2) Installing name (version)`, `Upgrading name (old -> new)`, `Downgrading …`.
hw_apk_plan() {
  [ "$hw_want" != latest ] || set -- --upgrade "$@"
  hw_list=$(hw_apk add --simulate "$@") || {
    hw_lines "$hw_list" >&2
    return 1
  }
  hw_lines "$hw_list" | while read -r hw_line hw_each hw_name hw_version; do
    case $hw_each in Installing | Upgrading | Downgrading) ;; *) continue ;; esac
    hw_version=${hw_version##*[\( ]}
    hw_lines "$hw_name=${hw_version%%)*}"
  done
}

hw_apk_refresh() { hw_apk update; }

# As asked and not as planned: a version in its words binds the package to it for good.
hw_apk_install() {
  [ "$hw_want" != latest ] || hw_pending="--upgrade $hw_pending"
  # shellcheck disable=SC2086 # names
  hw_apk add $hw_pending
}

hw_apk_remove() {
  if [ "$hw_want" = purged ]; then hw_apk del --purge "$@"; else hw_apk del "$@"; fi
}

hw_apk_hold() {
  case $1 in
    held)
      shift
      hw_packages=$hw_newline$(hw_apk_look "$@")$hw_newline
      for hw_each in "$@"; do
        shift
        hw_package_version "$hw_packages" "$hw_each"
        set -- "$@" "$hw_each=$hw_version"
      done
      ;;
    *) shift ;;
  esac
  hw_apk add "$@"
}

hw_apk_newer() { [ "$(apk version -t "$1" "$2")" = '>' ]; }

# Lines `  version:`, and below each where it is: a repository, or only what is installed.
hw_apk_offers() {
  hw_apk policy "$1" | {
    while IFS= read -r hw_line; do
      case $hw_line in
        '    lib/apk/db/installed' | '    /lib/apk/db/installed') ;;
        '    '*) ! hw_package_matches "$2" "$hw_version" || exit 0 ;;
        '  '*:)
          hw_version=${hw_line#  }
          hw_version=${hw_version%:}
          ;;
      esac
    done
    exit 1
  }
}
