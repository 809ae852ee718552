/** The shell scripts around and inside an enclosure, as text. */
import { NODE_ADDRESS } from './layout.ts';

/**
 * What the kubelet wants these to be. It writes those that differ, which would change the machine;
 * inside the enclosure it finds files with these values in their place.
 */
export const KERNEL_SETTINGS: Readonly<Record<string, string>> = {
  'vm.overcommit_memory': '1',
  'vm.panic_on_oom': '0',
  'kernel.panic': '10',
  'kernel.panic_on_oops': '1',
  'kernel.keys.root_maxkeys': '1000000',
  'kernel.keys.root_maxbytes': '25000000',
};

/**
 * Outside: opens the namespaces and cleans up behind them. Arguments: work folder, cgroup, the
 * script for the inside, the command. SIGTERM ends the namespaces' first process, and the kernel
 * then ends the rest. A cgroup that is still in use cannot be removed, so removing is safe.
 */
export const OUTSIDE = `
work=$1; cgroup=$2; shift 2
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then mkdir "/sys/fs/cgroup$cgroup"
else
  for top in /sys/fs/cgroup/*; do
    [ -L "$top" ] || [ ! -e "$top/cgroup.procs" ] || mkdir "$top$cgroup"
  done
fi
unshare --mount --net --pid --fork --kill-child --mount-proc \\
  /bin/sh -c "$1" keyward-node "$work" "$@" &
child=$!
trap 'kill -KILL $child 2>/dev/null' TERM
wait $child; code=$?
trap '' TERM
for try in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for top in /sys/fs/cgroup"$cgroup" /sys/fs/cgroup/*"$cgroup"; do
    [ -d "$top" ] || continue
    find "$top" -depth -type d -exec rmdir {} + 2>/dev/null || left=yes
  done
  rm -rf "$work" 2>/dev/null || left=yes
  [ -z "$left" ] && break
  sleep 0.2
done
exit $code
`;

/**
 * Inside, as the first process: a /run and a /var/lib of its own over the machine's, stand-ins for
 * kernel settings, and the network. Then the command, which ends when descriptor 3 closes. The shell
 * stays, because orphans become its children and somebody must take note of their ends.
 */
export const INSIDE = `
set -eu
work=$1; shift 2
mkdir -p "$work/over"
mount -t tmpfs tmpfs "$work/over"
mkdir -p "$work/over/lib" "$work/over/lib.work"
mount -t overlay -o lowerdir=/var/lib,upperdir="$work/over/lib",workdir="$work/over/lib.work" overlay /var/lib
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
for name in $KEYWARD_NODE_SYSCTLS; do
  file=/proc/sys/$(echo "$name" | tr . /)
  [ ! -e "$file" ] || mount --bind "$work/sysctl/$name" "$file"
done
ip() { "$KEYWARD_NODE_BUSYBOX" ip "$@"; }
ip link set lo up
ip link add node0 type bridge
ip addr add ${NODE_ADDRESS}/24 dev node0
ip link set node0 up
ip route add default dev node0
echo 1 > /proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables
"$@" 3<&3 &
command=$!
exec 3<&-
wait $command
`;
