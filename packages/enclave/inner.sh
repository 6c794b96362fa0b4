# The inner room: the app's own root, read-only, without network and without privileges, then the app.
# Run by `unshare` in new mount, pid, network, ipc and uts namespaces (and a user namespace where the caller is not root).
#
# usage: sh inner.sh ROOT SCRATCH USER [ro SOURCE TARGET | rw SOURCE TARGET | hide TARGET]... run FOLDER COMMAND...
#   ROOT      an empty folder where the new root is built
#   SCRATCH   the size of the app's private /dev/shm (tmpfs notation)
#   USER      the numeric user to become, or `same` inside a user namespace where no other user exists
set -eu
root=$1 scratch=$2 user=$3
shift 3

mount -t tmpfs -o size=1m,mode=0755,nosuid,nodev root "$root"

# Everything below a bind mount is made read-only too: a folder of the system may have file systems mounted inside it.
close() {
  while read -r _ _ _ _ point _; do
    point=$(printf '%b' "$point")
    case $point in "$1" | "$1"/*) mount -o remount,bind,ro,nosuid,nodev "$point" ;; esac
  done </proc/self/mountinfo
}

place() {
  if [ -d "$1" ]; then
    mkdir -p "$root$2"
  else
    mkdir -p "$root${2%/*}"
    : >"$root$2"
  fi
  mount --rbind "$1" "$root$2"
  mount --make-rslave "$root$2"
}

while [ "$1" != run ]; do
  case $1 in
    ro) place "$2" "$3" && close "$root$3" && shift 3 ;;
    rw) place "$2" "$3" && mount -o remount,bind,nosuid,nodev "$root$3" && shift 3 ;;
    link) mkdir -p "$root${3%/*}" && ln -s "$2" "$root$3" && shift 3 ;;
    hide) mount -t tmpfs -o size=4k,ro hidden "$root$2" && shift 2 ;;
    *) echo "inner.sh: unknown step" >&2 && exit 125 ;;
  esac
done
folder=$2
shift 2

mkdir -p "$root/dev" "$root/proc" "$root/tmp"
for device in null zero full random urandom; do place "/dev/$device" "/dev/$device"; done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"
mount -t tmpfs -o "size=$scratch,mode=1777,nosuid,nodev" shm "$root/dev/shm"

# Containers that mask parts of /proc forbid a new one: the app then runs without any, never with the host's.
mount -t proc -o nosuid,nodev,noexec proc "$root/proc" 2>/dev/null || true
mount -o remount,ro,nosuid,nodev root "$root"

# The new network namespace holds a loopback only; many programs talk to themselves over it.
ip link set lo up 2>/dev/null || true

cd "$root"
pivot_root . .
umount -l .
cd "$folder"
# The shell remembers where it came from: a path of the host.
unset OLDPWD

# Inside a user namespace of its own the app may not open further ones, where it would hold capabilities again.
if [ "$user" = same ]; then
  (echo 0 >/proc/sys/user/max_user_namespaces) 2>/dev/null || true
  set -- setpriv --no-new-privs --inh-caps=-all --bounding-set=-all -- sh -c '"$@"; exit $?' app "$@"
else
  set -- setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
    -- sh -c '"$@"; exit $?' app "$@"
fi
ulimit -c 0
exec "$@"
