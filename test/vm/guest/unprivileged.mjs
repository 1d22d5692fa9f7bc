/**
 * Reads as a user without rights and prints what came of it, as one JSON line:
 * `unprivileged.mjs <engine> proc <pid>` or `unprivileged.mjs <engine> cgroup <path> <pid>`.
 */
import { CgroupReader, ProcReader, TelemetryCollector } from 'episcope';

const [engine, kind, subject, pid] = process.argv.slice(2);

const told = (error) =>
  error && { name: error.name, code: error.code, errno: error.errno, file: error.file };

function attempt(read) {
  try {
    const stats = read();
    return { available: stats.isAvailable, error: told(stats.error) };
  } catch (error) {
    return { available: false, error: told(error) };
  }
}

function readWith(reader) {
  const report = {
    cpu: attempt(() => reader.readCpu()),
    memory: attempt(() => reader.readMemory()),
    io: attempt(() => reader.readIo()),
  };
  reader.close();
  return report;
}

async function readSession(options) {
  const collector = new TelemetryCollector(undefined, { engine });
  const handle = collector.start('unprivileged', Number(pid ?? subject), {
    manual: true,
    ...options,
  });
  const warnings = [];
  handle.on('warning', (error) => warnings.push(told(error)));
  collector.collect(handle);
  const frames = await handle.stop();
  return { sources: frames.map((frame) => frame.sources), warnings };
}

const report =
  kind === 'proc'
    ? { reader: readWith(new ProcReader(Number(subject), { engine })) }
    : { reader: readWith(CgroupReader.fromPath(subject, { engine })) };
report.session = await readSession(
  kind === 'proc' ? { tier: 'proc' } : { tier: 'cgroup', cgroupPath: subject },
);
console.log(JSON.stringify(report));
