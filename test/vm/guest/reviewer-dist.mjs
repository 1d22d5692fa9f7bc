/** The writer whose engine can be chosen, which is not public. */
export { ReviewerTelemetryWriter } from '../../../dist/reviewer/writer.js';
