import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';

/** libuv knows fewer than the system does. */
const KNOWN_TO_NODE = new Map(
  Object.entries(constants.errno).map(([name, errno]) => [errno, name]),
);

/**
 * Of Linux, where Node has no name for them: `asm-generic/errno.h`, and what the kernel leaks of its own. Each run: its
 * first number, and the names from there on.
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
 * The name of an errno, positive as in Linux's headers or negative as a system call returns it. Where one number has several, it is that of `error.code` in Node, so that both
 * engines give the same: `EAGAIN`, not `EWOULDBLOCK`; `ENOTSUP`, not `EOPNOTSUPP`.
 */
export function errnoName(signed: number): string {
  const errno = Math.abs(signed);
  const name = getSystemErrorName(-errno);
  if (!name.startsWith('Unknown system error')) return name;
  const further = process.platform === 'linux' ? FURTHER.get(errno) : undefined;
  return KNOWN_TO_NODE.get(errno) ?? further ?? name;
}
