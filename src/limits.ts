/** Bounds that several rooms share; `native/core/limits.h` holds the same numbers. */

/** INV-TL04: longest cgroup path in bytes; a longer one is refused (`ERR_CGROUP_PATH`). */
export const MAX_CGROUP_PATH_LEN = 4096;

/** INV-TL05: no telemetry file is read beyond this many bytes. */
export const MAX_TELEMETRY_FILE_SIZE = 64 * 1024;
