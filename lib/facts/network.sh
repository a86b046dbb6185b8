# shellcheck shell=sh
# network.sh: interfaces, addresses and routes: by iproute2's or busybox's ip, else as the kernel has
# them in /proc. lib/facts/network.ts reads it.
# Needs: fact

# hw_fact_network: a line `link NAME MTU STATE MAC` for each interface, then sections that begin with a
# line `[NAME]`.
hw_fact_network() {
  for hw_each in /sys/class/net/*; do
    # Bonding has a plain file there.
    [ -d "$hw_each" ] || continue
    hw_lines "link ${hw_each##*/} $(hw_fact_first "$hw_each/mtu") $(hw_fact_first "$hw_each/operstate") $(hw_fact_first "$hw_each/address")"
  done
  if command -v ip >/dev/null; then
    hw_fact_section addresses ip -o addr show
    hw_fact_section routes ip route show default
    hw_fact_section routes ip -6 route show default
  elif [ -r /proc/net/fib_trie ]; then
    hw_fact_section trie cat /proc/net/fib_trie
    hw_fact_section route cat /proc/net/route
    [ ! -r /proc/net/if_inet6 ] || hw_fact_section inet6 cat /proc/net/if_inet6
    [ ! -r /proc/net/ipv6_route ] || hw_fact_section route6 cat /proc/net/ipv6_route
  else
    hw_without ip iproute2 || return
  fi
  [ ! -r /etc/resolv.conf ] || hw_fact_section resolver cat /etc/resolv.conf
}
