import { expect, test } from 'vitest';
import { placeWithout } from '../../src/cli/tier.js';
import { Refusal } from '../../src/cli/usage.js';
import { CgroupError } from '../../src/error/index.js';
import { hostFacts } from '../../src/host/index.js';

const facts = hostFacts();
const cause = new CgroupError('ERR_SCOPE_CREATE', 'nobody may', {});

test('without a scope there is the process tree, where no other was asked for', () => {
  const { scope, tier } = placeWithout(cause, { tier: 'auto', strategy: 'auto' }, facts);
  expect({ scope, tier }).toEqual({ scope: null, tier: 'proc' });
});

test.each([
  ['auto', 'systemd', '--scope systemd is not possible here: nobody may; nothing was run'],
  ['auto', 'direct', '--scope direct is not possible here: nobody may; nothing was run'],
  ['leaf', 'auto', '--tier leaf is not possible here: '],
  ['cgroup', 'auto', '--tier cgroup is not possible here: '],
] as const)('--tier %s with --scope %s is never given up in silence', (tier, strategy, why) => {
  const place = () => placeWithout(cause, { tier, strategy }, facts);
  expect(place).toThrow(Refusal);
  expect(place).toThrow(why);
});
