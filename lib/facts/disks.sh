# shellcheck shell=sh
# disks.sh: block devices, by /sys, and file systems, by /proc and df. lib/facts/disks.ts reads it.
# Needs: fact

# hw_fact_disks: sections, each beginning with a line `[NAME]`. Sizes of devices are in units of 512 bytes.
hw_fact_disks() {
  echo '[devices]'
  for hw_each in /sys/block/*; do
    [ -r "$hw_each/size" ] || continue
    hw_lines "disk ${hw_each##*/} $(hw_fact_first "$hw_each/size") $(hw_fact_first "$hw_each/removable") $(hw_fact_first "$hw_each/queue/rotational") $(hw_fact_first "$hw_each/device/model")"
    for hw_part in "$hw_each"/*/partition; do
      [ -r "$hw_part" ] || continue
      hw_part=${hw_part%/partition}
      hw_lines "part ${hw_part##*/} $(hw_fact_first "$hw_part/size")"
    done
  done
  if [ ! -r /proc/self/mounts ]; then
    command -v df >/dev/null || hw_without df coreutils || return
    hw_fact_section df df -P -k
    return
  fi
  set --
  echo '[mounts]'
  while read -r hw_line; do
    hw_lines "$hw_line"
    hw_path=${hw_line#* } hw_type=${hw_line#* * }
    hw_path=${hw_path%% *} hw_type=${hw_type%% *}
    # df would wait for a server that is gone, and we with it. A path with \ooo in it has a blank there.
    case $hw_type:$hw_path in
      nfs* | cifs* | smb* | fuse* | 9p* | ceph* | glusterfs* | afs* | autofs* | *\\*) ;;
      *) set -- "$@" "$hw_path" ;;
    esac
  done </proc/self/mounts
  if command -v df >/dev/null; then hw_fact_section df df -P -k -- "$@"; fi
}
