import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';

/** libuv knows fewer errnos than the system does. */
const KNOWN_TO_NODE = new Map(
  Object.entries(constants.errno).map(([name, errno]) => [errno, name]),
);

/**
 * Linux errnos for which Node has no name: those of `asm-generic/errno.h`, and kernel-internal ones that leak. Each run
 * holds its first number, then the names from that number on.
 */
const FURTHER_RUNS: readonly (readonly [first: number, ...names: string[]])[] = [
  [15, 'ENOTBLK'],
  [44, 'ECHRNG', 'EL2NSYNC', 'EL3HLT', 'EL3RST', 'ELNRNG'],
  [50, 'ENOCSI', 'EL2HLT', 'EBADE', 'EBADR', 'EXFULL', 'ENOANO', 'EBADRQC', 'EBADSLT'],
  [59, 'EBFONT'],
  [65, 'ENOPKG', 'EREMOTE'],
  [68, 'EADV', 'ESRMNT', 'ECOMM'],
  [73, 'EDOTDOT'],
  [76, 'ENOTUNIQ', 'EBADFD', 'EREMCHG', 'ELIBACC', 'ELIBBAD', 'ELIBSCN', 'ELIBMAX', 'ELIBEXEC'],
  [85, 'ERESTART', 'ESTRPIPE', 'EUSERS'],
  [96, 'EPFNOSUPPORT'],
  [109, 'ETOOMANYREFS'],
  [117, 'EUCLEAN', 'ENOTNAM', 'ENAVAIL', 'EISNAM'],
  [123, 'ENOMEDIUM', 'EMEDIUMTYPE'],
  [126, 'ENOKEY', 'EKEYEXPIRED', 'EKEYREVOKED', 'EKEYREJECTED'],
  [130, 'EOWNERDEAD', 'ENOTRECOVERABLE', 'ERFKILL', 'EHWPOISON'],
  [524, 'ENOTSUPP'],
];
const FURTHER = new Map(
  FURTHER_RUNS.flatMap(([first, ...names]) => names.map((name, i) => [first + i, name] as const)),
);

/**
 * The name of an errno, positive as in Linux's headers or negative as a system call returns it. If a number has several
 * names, returns the one that Node uses in `error.code`, so that both engines agree: `EAGAIN`, not `EWOULDBLOCK`;
 * `ENOTSUP`, not `EOPNOTSUPP`.
 */
export function errnoName(signed: number): string {
  const errno = Math.abs(signed);
  const name = getSystemErrorName(-errno);
  if (!name.startsWith('Unknown system error')) return name;
  const further = process.platform === 'linux' ? FURTHER.get(errno) : undefined;
  return KNOWN_TO_NODE.get(errno) ?? further ?? name;
}
