/** `/proc/<pid>/mountinfo`, as far as cgroups need it. */

export interface Mount {
  readonly mountPoint: string;
  /** The mounted directory of the file system: not `/` for a bind mount, or if a cgroup namespace hides the top. */
  readonly root: string;
  readonly fsType: string;
  /** Options of the mount (`rw`, `nosuid`), not those of the file system. */
  readonly options: readonly string[];
}

/** The mounts of a mountinfo text, in its order; a malformed line is skipped. */
export function parseMountinfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const fields = line.split(' ');
    // Optional fields end at a lone hyphen; there may be none, or several.
    const separator = fields.indexOf('-', 6);
    const [, , , root, mountPoint, options] = fields;
    const fsType = fields[separator + 1];
    if (separator < 0 || !root || !mountPoint || !options || !fsType) continue;
    mounts.push({
      root: decodeOctal(root),
      mountPoint: decodeOctal(mountPoint),
      options: options.split(','),
      fsType,
    });
  }
  return mounts;
}

/** The kernel writes space, tab, newline and backslash of a path as `\040`, `\011`, `\012`, `\134`. */
function decodeOctal(path: string): string {
  if (!path.includes('\\')) return path;
  // Escapes are bytes: a path may hold any bytes, so they are joined before they are decoded as UTF-8.
  const latin1 = Buffer.from(path, 'utf8').toString('latin1');
  const bytes = latin1.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
