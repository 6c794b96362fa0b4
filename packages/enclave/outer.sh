# The outer room: a private tmpfs where plaintext may live, then the enclave itself.
# Run by `unshare` in new mount and pid namespaces: nothing mounted here exists for any other process of the host.
#
# usage: sh outer.sh DIRECTORY SIZE OUTPUT_SIZE COMMAND...
#   DIRECTORY     an existing folder, covered by the tmpfs (seen from outside it stays as it was)
#   SIZE          the most that plaintext may take (tmpfs notation: bytes, 512m, 50%)
#   OUTPUT_SIZE   the most that the app may write as its result
set -eu
directory=$1 size=$2 output_size=$3
shift 3

# A core dump would be plaintext on the host's disk.
ulimit -c 0

# Swap is the host's disk as well. Kernels older than 6.4, and user namespaces, do not know `noswap`.
mount -t tmpfs -o "size=$size,mode=0700,nosuid,nodev,noswap" plaintext "$directory" 2>/dev/null ||
  mount -t tmpfs -o "size=$size,mode=0700,nosuid,nodev" plaintext "$directory"
mkdir -m 0700 "$directory/out"
mount -t tmpfs -o "size=$output_size,mode=0700,nosuid,nodev,noswap" output "$directory/out" 2>/dev/null ||
  mount -t tmpfs -o "size=$output_size,mode=0700,nosuid,nodev" output "$directory/out"

exec "$@"
