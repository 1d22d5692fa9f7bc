/**
 * Why a part of a reading is missing, as both engines tell it. The native engine hands over the indices
 * of these two tables (`ReadCode` and `ParseReason` in `native/core/reading.h`).
 */

export const READ_CODES = [
  '',
  'ERR_CGROUP_NOT_FOUND',
  'ERR_CGROUP_PATH',
  'ERR_NOT_CGROUP2',
  'ERR_CGROUP_READ',
  'ERR_CGROUP_PARSE',
  'ERR_CONTROLLER_NOT_ENABLED',
  'ERR_PROC_GONE',
  'ERR_PROC_READ',
  'ERR_PROC_PARSE',
  'ERR_INVALID_PID',
  'ERR_PROC_NOT_AVAILABLE',
] as const;

export type ReadCode = Exclude<(typeof READ_CODES)[number], ''>;

export const PARSE_REASONS = [
  '',
  'empty file',
  'malformed number',
  'missing value',
  'missing key',
  'trailing bytes',
  'malformed device',
  'key before a device',
  'missing field',
  'larger than 64 KiB',
  'gauge below zero',
  'it lives, and /proc hides it',
  'a member lives in a pid namespace that is not below ours',
] as const;

export type ParseReason = Exclude<(typeof PARSE_REASONS)[number], ''>;

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
