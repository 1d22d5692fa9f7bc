import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadedBy } from '../support/module-graph.js';

const manifest: { readonly exports: Record<string, { readonly default: string }> } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'),
);

/** What each subpath loads: the folders of dist/, and what is not of this package and not of Node. */
const SUBPATHS = [
  {
    name: 'reader',
    folders: ['episode', 'error', 'frame', 'readers', 'realm', 'ring', 'schema'],
    packages: [],
    has: ['FrameReader', 'TelemetryFrame', 'TelemetryError', 'OutOfRangeError'],
  },
  {
    name: 'recorder',
    folders: [
      ...['budget', 'episode', 'error', 'frame', 'host', 'kernel', 'ndjson', 'policy', 'realm'],
      ...['recorder', 'schema'],
    ],
    packages: [],
    has: ['FrameRecorder', 'readRecording', 'RecordingError', 'TelemetryError'],
  },
  {
    name: 'reviewer',
    folders: ['addon', 'async', 'error', 'kernel', 'ndjson', 'realm', 'reviewer', 'schema'],
    packages: ['node-gyp-build'],
    has: ['ReviewerTelemetryWriter', 'readReviewerProjectionEvents', 'ReviewerTelemetryError'],
  },
  {
    // The scope's io is read by a CgroupReader, which takes either engine.
    name: 'scope',
    folders: [
      ...['addon', 'async', 'budget', 'engine', 'episode', 'error', 'frame', 'host', 'kernel'],
      ...['readers', 'realm', 'ring', 'schema', 'scope', 'stats', 'systemd'],
    ],
    packages: ['node-gyp-build'],
    has: ['Scope', 'createEpisodeScope', 'spawnInScope', 'CgroupError', 'TelemetryError'],
  },
] as const;

function entryOf(name: string): string {
  return (manifest.exports[`./${name}`]?.default ?? '').replace('./dist/', '');
}

describe.each(SUBPATHS)('episcope/$name', ({ name, folders, packages, has }) => {
  const modules = loadedBy(entryOf(name));

  it('loads only the folders that it needs', () => {
    const loaded = [...modules.keys()].map((file) => file.split('/', 1)[0]);
    expect([...new Set(loaded)].sort()).toEqual([...folders].sort());
  });

  it('loads no package but what loads the addon', () => {
    const foreign = [...modules.values()].flatMap(({ foreign }) => foreign);
    expect(foreign.filter((each) => !each.startsWith('node:'))).toEqual(packages);
  });

  it('has the very classes of the main entry', async () => {
    const main: Record<string, unknown> = await import('episcope');
    const subpath: Record<string, unknown> = await import(/* @vite-ignore */ `episcope/${name}`);
    for (const each of has) {
      expect(subpath[each], each).toBeTypeOf('function');
      if (each in main && name !== 'reader') expect(subpath[each], each).toBe(main[each]);
    }
  });
});

describe('episcope/reader', () => {
  const modules = loadedBy(entryOf('reader'));

  it('runs without Node, without the addon, and wherever a bundler puts it', () => {
    expect([...modules.values()].flatMap(({ foreign }) => foreign)).toEqual([]);
    // A bundle is somewhere else than its parts were.
    expect([...modules].filter(([, { text }]) => /\bimport\.meta\b/.test(text))).toEqual([]);
    expect([...modules.keys()]).not.toContain('readers/frame-reader.js');
    expect([...modules.keys()]).toContain('ring/slot-reader.js');
  });

  it('would be seen to load the addon', () => {
    const withAddon = loadedBy('readers/frame-reader.js');
    expect([...withAddon.keys()]).toContain('addon/load.js');
    expect([...withAddon.values()].flatMap(({ foreign }) => foreign)).toContain('node:module');
    expect(withAddon.get('addon/load.js')?.text).toMatch(/\bimport\.meta\b/);
  });
});
