import type { ParseReason, ReadCode } from '../schema/enumerations.js';

/** Why a part of a reading is unavailable, as both engines report it. */
export interface ReadFailure {
  readonly code: ReadCode;
  /** The symbolic errno (`EACCES`), or null if there is none. */
  readonly errno: string | null;
  /** Name of the kernel file inside the cgroup or inside `/proc/<pid>`. */
  readonly file: string;
  /** Pid of the process if the file is in `/proc`; null if it is in the cgroup. */
  readonly pid: number | null;
  /** Byte offset of the fault in the text, or null if the failure is not about text. */
  readonly offset: number | null;
  readonly reason: ParseReason | null;
}
