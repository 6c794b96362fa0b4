/**
 * Whether a file is closed to all but this process's own user: nobody else has a right to it, or it is root's (which may
 * read everything anyway) and may be read, and no more, by a group that this process is in. So orchestrators mount
 * secrets for processes that are not root: `root:<fsGroup>`, mode 0440.
 */
export function isClosed(
  file: { mode: number; uid: number; gid: number },
  reader: { uid: number; groups: readonly number[] },
): boolean {
  const others = file.mode & 0o077
  return others === 0 || (others === 0o040 && file.uid === 0 && reader.uid !== 0 && reader.groups.includes(file.gid))
}
