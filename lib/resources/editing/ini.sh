# shellcheck shell=sh
# ini.sh: keys of INI files, and of haproxy's keyword files; see ini.awk for the requests.
# Needs: editor dialect

# For its length the program is in two files.
hw_ini_awk=$hw_dialect_awk$hw_newline$hw_ini_awk

# hw_ini PATH [perms=] [mode=] [user=] [group=] [private=] [validate=] [in_place=] [-- REQUEST…]: see hw_editor.
hw_ini() { hw_editor ini "$@"; }
