// Run by thread-map.test.ts, without addons: two evaluations of the package choose their engine.
import { evaluate, freshRealm } from '../support/evaluate.mjs';

for (const context of [undefined, freshRealm()]) {
  const { TelemetryCollector } = await evaluate({ context });
  new TelemetryCollector();
}
