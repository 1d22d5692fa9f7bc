/** `episcope doctor`: examines this host, and with `--clean` removes the scopes that dead runs left behind. */
import { loadNativeEngine } from '../engine/select.js';
import { hostFacts } from '../host/index.js';
import {
  bestLauncher,
  busKind,
  cleanStaleScopes,
  findStaleScopes,
  placesToClean,
} from '../scope/index.js';
import { whyNoBus } from '../systemd/index.js';
import { type Diagnosis, diagnosisToJson, renderDiagnosis } from './doctor-report.js';
import { paintFor, writeOut } from './output.js';
import { parseOptions } from './parse-options.js';
import { DOCTOR_HELP, packageVersion, UsageError } from './usage.js';

/** Resolves to the exit status: 1 if a scope could not be removed. Throws `UsageError`. */
export async function doctor(argv: readonly string[]): Promise<number> {
  const { flags, rest } = parseOptions(argv, {
    command: 'doctor',
    withValue: [],
    flags: ['--json', '--clean', '--help'],
  });
  if (flags.has('--help')) {
    writeOut(DOCTOR_HELP);
    return 0;
  }
  if (rest[0] !== undefined) {
    throw new UsageError(`doctor takes no arguments, got ${JSON.stringify(rest[0])}`);
  }
  const diagnosis = await diagnose(flags.has('--clean'));
  writeOut(
    flags.has('--json') ? diagnosisToJson(diagnosis) : renderDiagnosis(diagnosis, paintFor(1)),
  );
  return diagnosis.stale.some(({ error }) => error !== null) ? 1 : 0;
}

async function diagnose(clean: boolean): Promise<Diagnosis> {
  const host = hostFacts();
  const { engine, reason } = loadNativeEngine();
  const launcher = bestLauncher();
  const parents = placesToClean(host);
  const stale = clean
    ? (await cleanStaleScopes(parents)).map((each) => ({
        ...each,
        error: each.error?.message ?? null,
      }))
    : (await findStaleScopes(parents)).map((each) => ({ ...each, error: null }));
  return {
    version: packageVersion(),
    node: process.version,
    host,
    engine: { name: engine === null ? 'js' : 'native', reason },
    systemd: { bus: busKind(), reason: whyNoBus(busKind()) },
    launcher: launcher.kind === 'helper' ? 'episcope-exec' : launcher.path,
    stale,
    cleaned: clean,
  };
}
