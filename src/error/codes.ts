/** The stable error codes. Codes may be added; none is renamed once released. */

export type TelemetryErrorCode =
  | 'ERR_STOPPED'
  | 'ERR_ALREADY_STARTED'
  | 'ERR_INVALID_CONFIG'
  | 'ERR_INVARIANT'
  | 'ERR_INVALID_EPISODE_ID'
  | 'ERR_INVALID_PID'
  | 'ERR_UNSUPPORTED_PLATFORM'
  | 'ERR_RING_CORRUPT'
  | 'ERR_RING_VERSION'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_ENGINE_UNAVAILABLE'
  | 'ERR_ACTION_FAILED'
  | 'ERR_SINK_FAILED'
  | 'ERR_SPAWN_FAILED';

export type CgroupErrorCode =
  | 'ERR_CGROUP_NOT_AVAILABLE'
  | 'ERR_NOT_CGROUP2'
  | 'ERR_CGROUP_NOT_FOUND'
  | 'ERR_CGROUP_PATH'
  | 'ERR_CGROUP_READ'
  | 'ERR_CGROUP_PARSE'
  | 'ERR_CGROUP_WRITE'
  | 'ERR_CONTROLLER_NOT_ENABLED'
  | 'ERR_SCOPE_CREATE'
  | 'ERR_SCOPE_EXISTS'
  | 'ERR_SCOPE_NOT_FOUND'
  | 'ERR_SCOPE_BUSY';

export type ProcErrorCode =
  | 'ERR_PROC_GONE'
  | 'ERR_PROC_READ'
  | 'ERR_PROC_PARSE'
  | 'ERR_PROC_NOT_AVAILABLE';

export type BudgetErrorCode = 'ERR_BUDGET_EXHAUSTED' | 'ERR_BUDGET_ESTIMATE';

export type ReviewerErrorCode =
  | 'ERR_REVIEWER_MISSING'
  | 'ERR_REVIEWER_MALFORMED'
  | 'ERR_REVIEWER_IO'
  | 'ERR_REVIEWER_LOCK'
  | 'ERR_REVIEWER_INVALID_EVENT'
  | 'ERR_REVIEWER_SERIALIZE';

export type RecordingErrorCode =
  | 'ERR_RECORDING_IO'
  | 'ERR_RECORDING_MALFORMED'
  | 'ERR_RECORDING_MISSING'
  | 'ERR_RECORDING_CHANGED';

export type ErrorCode =
  | TelemetryErrorCode
  | CgroupErrorCode
  | ProcErrorCode
  | BudgetErrorCode
  | ReviewerErrorCode
  | RecordingErrorCode;
