import type { ParseReason, ReadCode } from '../schema/enumerations.js';

/** Why a part of a reading is missing, as both engines report it. */
export interface ReadFailure {
  readonly code: ReadCode;
  /** The symbolic errno (`EACCES`), where the kernel gave one. */
  readonly errno: string | null;
  /** The kernel file: its name inside the cgroup or inside `/proc/<pid>`. */
  readonly file: string;
  /** Whose `/proc` file it is; null for a cgroup's. */
  readonly pid: number | null;
  /** Byte offset of the fault in the text, where text was refused. */
  readonly offset: number | null;
  readonly reason: ParseReason | null;
}
