# shellcheck shell=sh
# locale.sh: locales of a host: made, and the one that is the system's.
# Needs: text

# hw_locale NAME LISTED CHARSET LANG: LISTED is the name as `locale -a` has it, empty for one that is always
# there. LANG is yes if it is to be the system's.
hw_locale() {
  if [ -n "$2" ]; then
    hw_locale_made "$@" || return
  fi
  [ "$4" != yes ] || hw_locale_lang "$1"
}

hw_locale_made() {
  if ! command -v locale >/dev/null; then
    hw_without locale libc-bin || return
  fi
  hw_locale_list
  case $hw_found in *"$hw_newline$2$hw_newline"*) hw_missing='' ;; *) hw_missing=1 ;; esac
  hw_saw "locale $1 $hw_missing"
  if [ -f /etc/locale.gen ]; then
    hw_locale_listed "$1 $3" || return
  fi
  [ -n "$hw_missing" ] || return 0
  hw_also generated
  if [ -f /etc/locale.gen ] && command -v locale-gen >/dev/null; then
    [ -z "$hw_check" ] || return 0
    hw_act || return
    # Those that are there already need not be made anew, where that can be found out.
    locale-gen --keep-existing >/dev/null || locale-gen >/dev/null || hw_fail 'locale-gen failed' || return
    hw_locale_list
    case $hw_found in
      *"$hw_newline$2$hw_newline"*) ;;
      *) hw_fail "locale-gen made no locale $1: does /usr/share/i18n/SUPPORTED have it?" || return ;;
    esac
  else
    hw_without "the locale $1" "locales, or glibc-langpack-${1%%_*} where the package manager is dnf"
  fi
}

# hw_locale_list: all locales of the host into hw_found, a line each.
hw_locale_list() {
  hw_found=$hw_newline$(locale -a 2>/dev/null)$hw_newline
}

# hw_locale_listed LINE: the line is in /etc/locale.gen; where it stands as a comment, there.
hw_locale_listed() {
  hw_read_text /etc/locale.gen || return
  hw_found=$hw_newline$hw_found
  case $hw_found in
    *"$hw_newline$1$hw_newline"* | *"$hw_newline$1 $hw_newline"* | *"$hw_newline$1") return 0 ;;
  esac
  # Debian's own lines end with a space.
  for hw_each in "# $1" "#$1" "# $1 " "#$1 "; do
    case $hw_found in
      *"$hw_newline$hw_each$hw_newline"*)
        hw_found=${hw_found%%"$hw_newline$hw_each$hw_newline"*}$hw_newline$1$hw_newline${hw_found#*"$hw_newline$hw_each$hw_newline"}
        hw_shown_text /etc/locale.gen "${hw_found#"$hw_newline"}" listed
        return
        ;;
    esac
  done
  case $hw_found in *"$hw_newline") ;; *) hw_found=$hw_found$hw_newline ;; esac
  hw_shown_text /etc/locale.gen "${hw_found#"$hw_newline"}$1$hw_newline" listed
}

# hw_locale_lang NAME: LANG of the system; its other lines stay.
hw_locale_lang() {
  hw_lang_file=/etc/locale.conf
  if [ -e /etc/default/locale ] || [ -e /etc/debian_version ]; then hw_lang_file=/etc/default/locale; fi
  hw_read_text "$hw_lang_file" || return
  hw_rest=$hw_found hw_lang_text='' hw_lang_there=''
  while [ -n "$hw_rest" ]; do
    hw_line=${hw_rest%%"$hw_newline"*}
    hw_rest=${hw_rest#"$hw_line"} hw_rest=${hw_rest#"$hw_newline"}
    case $hw_line in
      "LANG=$1" | "LANG=\"$1\"" | LANG=\'"$1"\') hw_lang_there=1 ;;
      LANG=*)
        [ -z "$hw_lang_there" ] || continue
        hw_line=LANG=$1 hw_lang_there=1
        ;;
    esac
    hw_lang_text=$hw_lang_text$hw_line$hw_newline
  done
  [ -n "$hw_lang_there" ] || hw_lang_text=${hw_lang_text}LANG=$1$hw_newline
  case $hw_lang_text in "$hw_found" | "$hw_found$hw_newline") return 0 ;; esac
  hw_text "$hw_lang_file" "$hw_lang_text" LANG
}
