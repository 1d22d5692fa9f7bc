/** One run of the suite, as its workers know it. */

/** The environment variable that names the directory of the run. */
export const RUN = 'EPISCOPE_TEST_RUN';

/** The file in it that the pid of every worker is appended to. */
export const WORKERS = 'workers';
