# shellcheck shell=sh
# kernel-module.sh: modules of the kernel: loaded now and at each start, or neither.
# Needs: text

# hw_kernel_module NAME WANT SETTINGS TAKE_OVER [kept]: WANT is loaded, absent or blacklisted. SETTINGS is the text of
# its file in /etc/modprobe.d; there is none if it is empty. With `kept` in its files alone.
hw_kernel_module() {
  hw_module_state "$1"
  if [ "$2" = loaded ]; then
    hw_own_text "/etc/modules-load.d/$1.conf" "$1$hw_newline" content "$4" || return
  else
    hw_no_text "/etc/modules-load.d/$1.conf" 'not at start' shown || return
  fi
  if [ -n "$3" ]; then
    hw_text_take=$4
    hw_text "/etc/modprobe.d/hostwright-$1.conf" "$3" settings
    hw_made=$? hw_text_take=''
    [ "$hw_made" -eq 0 ] || return "$hw_made"
  else
    hw_no_text "/etc/modprobe.d/hostwright-$1.conf" 'no settings' || return
  fi
  [ -z "${5-}" ] || return 0
  case $2-$hw_module in
    loaded-no) hw_also loaded ;;
    absent-yes | blacklisted-yes) hw_also unloaded ;;
    absent-built-in | blacklisted-built-in) hw_fail "$1 is built into the kernel of this host" || return ;;
    *) return 0 ;;
  esac
  command -v modprobe >/dev/null || hw_without modprobe kmod || return
  [ -z "$hw_check" ] || return 0
  hw_act || return
  hw_touch_all
  case $2 in
    loaded) modprobe "$1" ;;
    *) modprobe -r "$1" ;;
  esac || hw_fail "could not have $1 ${hw_note##*, }"
}

# hw_module_state NAME: yes, no or built-in into hw_module. The kernel's own names have no dashes. Of a part
# of the kernel that has no settings only the list beside its modules says so.
hw_module_state() {
  hw_rest=$1 hw_name=
  while :; do
    case $hw_rest in
      *-*) hw_name=$hw_name${hw_rest%%-*}_ hw_rest=${hw_rest#*-} ;;
      *) break ;;
    esac
  done
  hw_name=$hw_name$hw_rest hw_module=no
  if [ -e "/sys/module/$hw_name/initstate" ]; then
    hw_module=yes
  elif [ -d "/sys/module/$hw_name" ]; then
    hw_module=built-in
  elif read -r hw_found </proc/sys/kernel/osrelease && [ -r "/lib/modules/$hw_found/modules.builtin" ]; then
    while read -r hw_line; do
      case ${hw_line##*/} in "$1.ko" | "$hw_name.ko") hw_module=built-in ;; esac
    done <"/lib/modules/$hw_found/modules.builtin"
  fi
  hw_saw "module $1 $hw_module"
}
