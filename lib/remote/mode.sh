# shellcheck shell=sh
# mode.sh: permission bits, in digits and in letters. All of it without a process.

# hw_know_mode PERMS KIND: where hw_want_mode is one in letters, what it makes of PERMS (rwxr-sr-t) takes its place, and comes
# into hw_want_perms: lib/resources/symbolic-mode.ts has sent the letters and a rule for a directory (which KIND says), for
# a file, and for one that somebody may execute. A rule has twelve bits, the special ones first: 0, 1, or the letter of that
# which is copied, a for the first.
hw_know_mode() {
  case $hw_want_mode in *' '*) ;; *) return 0 ;; esac
  hw_bits='' hw_specials='' hw_rest=$1
  for hw_class in u g o; do
    hw_line=${hw_rest#???}
    hw_each=${hw_rest%"$hw_line"} hw_rest=$hw_line
    case $hw_each in r*) hw_bits=${hw_bits}1 ;; *) hw_bits=${hw_bits}0 ;; esac
    case $hw_each in ?w*) hw_bits=${hw_bits}1 ;; *) hw_bits=${hw_bits}0 ;; esac
    case $hw_each in *[xst]) hw_bits=${hw_bits}1 ;; *) hw_bits=${hw_bits}0 ;; esac
    case $hw_each in *[sStT]) hw_specials=${hw_specials}1 ;; *) hw_specials=${hw_specials}0 ;; esac
  done
  hw_bits=$hw_specials$hw_bits
  # Behind the letters: directory, file, executable file.
  hw_rest=${hw_want_mode#* }
  case $2-$1 in
    directory-*) hw_rest=${hw_rest%% *} ;;
    *-*[xst]*) hw_rest=${hw_rest##* } ;;
    *) hw_rest=${hw_rest#* } hw_rest=${hw_rest% *} ;;
  esac
  hw_made=''
  while [ -n "$hw_rest" ]; do
    hw_line=${hw_rest#?}
    hw_each=${hw_rest%"$hw_line"} hw_rest=$hw_line
    case $hw_each in
      [a-l])
        # As many bits are before it as letters.
        hw_line=abcdefghijkl
        hw_line=${hw_line%%"$hw_each"*} hw_each=$hw_bits
        while [ -n "$hw_line" ]; do hw_line=${hw_line#?} hw_each=${hw_each#?}; done
        hw_each=${hw_each%"${hw_each#?}"}
        ;;
    esac
    hw_made=$hw_made$hw_each
  done
  hw_want_mode=0
  while [ -n "$hw_made" ]; do
    case $hw_made in
      000*) hw_want_mode=${hw_want_mode}0 ;;
      001*) hw_want_mode=${hw_want_mode}1 ;;
      010*) hw_want_mode=${hw_want_mode}2 ;;
      011*) hw_want_mode=${hw_want_mode}3 ;;
      100*) hw_want_mode=${hw_want_mode}4 ;;
      101*) hw_want_mode=${hw_want_mode}5 ;;
      110*) hw_want_mode=${hw_want_mode}6 ;;
      *) hw_want_mode=${hw_want_mode}7 ;;
    esac
    hw_made=${hw_made#???}
  done
  hw_want_mode=0$hw_want_mode
  hw_permissions "$hw_want_mode"
  hw_want_perms=$hw_letters
}

# hw_keep_private: a file that is made is for its owner alone, unless its mode is given.
hw_keep_private() {
  hw_want_mode=${hw_want_mode:-00600}
  hw_know_mode rw------- file
}

# hw_permissions MODE: `rw-r--r--` into hw_letters.
hw_permissions() {
  # Its last four digits.
  hw_digits=000$1 hw_letters=''
  hw_digits=${hw_digits#"${hw_digits%????}"}
  hw_specials=${hw_digits%???}
  hw_digits=${hw_digits#?}
  for hw_class in 4 2 1; do
    case $hw_digits in [4567]*) hw_letters=${hw_letters}r ;; *) hw_letters=$hw_letters- ;; esac
    case $hw_digits in [2367]*) hw_letters=${hw_letters}w ;; *) hw_letters=$hw_letters- ;; esac
    # The set-id bits and the sticky bit, each with the class whose last letter shows it.
    case $hw_class$hw_specials in
      4[4567] | 2[2367]) hw_special=sS ;;
      1[1357]) hw_special=tT ;;
      *) hw_special=x- ;;
    esac
    case $hw_digits in
      [1357]*) hw_letters=$hw_letters${hw_special%?} ;;
      *) hw_letters=$hw_letters${hw_special#?} ;;
    esac
    hw_digits=${hw_digits#?}
  done
}
