# The outer room: a private tmpfs where plaintext may live, then the enclave itself.
# Run by `unshare` in new mount and pid namespaces: nothing mounted here exists for any other process of the host.
#
# usage: sh outer.sh DIRECTORY SIZE OUTPUT_SIZE SCRATCH_SIZE COMMAND...
#   DIRECTORY     an existing folder, covered by the tmpfs (seen from outside it stays as it was)
#   SIZE          the most that plaintext may take (tmpfs notation: bytes, 512m, 50%)
#   OUTPUT_SIZE   the most that the app may write as its result
#   SCRATCH_SIZE  the most that it may write to its /tmp
set -eu
directory=$1 size=$2 output_size=$3 scratch_size=$4
shift 4

# A core dump would be plaintext on the host's disk.
ulimit -c 0

# Swap is the host's disk as well. Kernels older than 6.4, and user namespaces, do not know `noswap`.
private() {
  mount -t tmpfs -o "size=$2,mode=$3,nosuid,nodev,noswap" plaintext "$1" 2>/dev/null ||
    mount -t tmpfs -o "size=$2,mode=$3,nosuid,nodev" plaintext "$1"
}

private "$directory" "$size" 0700
# Each of its own size, so that what the app fills is full for the app alone, and is seen to be.
mkdir -m 0700 "$directory/out" "$directory/scratch"
private "$directory/out" "$output_size" 0700
private "$directory/scratch" "$scratch_size" 1777

exec "$@"
