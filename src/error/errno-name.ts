import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';

/** libuv knows fewer than the system does. */
const KNOWN_TO_NODE = new Map(
  Object.entries(constants.errno).map(([name, errno]) => [errno, name]),
);

/** Of Linux, where Node has no name for them: `asm-generic/errno.h`, and what the kernel leaks of its own. */
const FURTHER = new Map([
  [15, 'ENOTBLK'],
  [44, 'ECHRNG'],
  [45, 'EL2NSYNC'],
  [46, 'EL3HLT'],
  [47, 'EL3RST'],
  [48, 'ELNRNG'],
  [50, 'ENOCSI'],
  [51, 'EL2HLT'],
  [52, 'EBADE'],
  [53, 'EBADR'],
  [54, 'EXFULL'],
  [55, 'ENOANO'],
  [56, 'EBADRQC'],
  [57, 'EBADSLT'],
  [59, 'EBFONT'],
  [65, 'ENOPKG'],
  [66, 'EREMOTE'],
  [68, 'EADV'],
  [69, 'ESRMNT'],
  [70, 'ECOMM'],
  [73, 'EDOTDOT'],
  [76, 'ENOTUNIQ'],
  [77, 'EBADFD'],
  [78, 'EREMCHG'],
  [79, 'ELIBACC'],
  [80, 'ELIBBAD'],
  [81, 'ELIBSCN'],
  [82, 'ELIBMAX'],
  [83, 'ELIBEXEC'],
  [85, 'ERESTART'],
  [86, 'ESTRPIPE'],
  [87, 'EUSERS'],
  [96, 'EPFNOSUPPORT'],
  [109, 'ETOOMANYREFS'],
  [117, 'EUCLEAN'],
  [118, 'ENOTNAM'],
  [119, 'ENAVAIL'],
  [120, 'EISNAM'],
  [123, 'ENOMEDIUM'],
  [124, 'EMEDIUMTYPE'],
  [126, 'ENOKEY'],
  [127, 'EKEYEXPIRED'],
  [128, 'EKEYREVOKED'],
  [129, 'EKEYREJECTED'],
  [130, 'EOWNERDEAD'],
  [131, 'ENOTRECOVERABLE'],
  [132, 'ERFKILL'],
  [133, 'EHWPOISON'],
  [524, 'ENOTSUPP'],
]);

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
