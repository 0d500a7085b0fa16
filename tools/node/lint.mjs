// Lints the contract: `node lint.mjs api/openapi.yaml`. Rules of @redocly/openapi-core, plus what this project asks of
// every operation: x-scopes, a described success, the problem answers that every operation can give, examples that
// satisfy their schemas.
import { readFileSync } from 'node:fs';
import { createConfig, lint } from '@redocly/openapi-core';
import { load } from './contract.mjs';

const file = process.argv[2];
const config = await createConfig({
  extends: ['recommended'],
  rules: {
    'operation-4xx-response': 'off', // checked below, more strictly
    'no-server-example.com': 'off',
    'no-empty-servers': 'off',
    'info-license-url': 'off',
    'operation-operationId': 'error',
    'operation-description': 'off',
    'no-invalid-media-type-examples': 'off', // checked below with the validator of the answers
    'no-unused-components': 'error',
    'no-ambiguous-paths': 'off', // /agreements/resolve stands before /agreements/{agreement}; slugs exclude nothing else
  },
});
const messages = [];
for (const problem of await lint({ ref: file, config })) {
  const at = problem.location[0];
  // Answers to what reaches no operation: none refers to them.
  if (/^#\/components\/responses\/(MethodNotAllowed|Timeout|TargetTooLong|HeadTooLarge)$/.test(at?.pointer)) continue;
  messages.push(`${problem.severity}: ${at?.pointer ?? ''}: ${problem.message} (${problem.ruleId})`);
}

const contract = load(readFileSync(file, 'utf8'));
const scopes = new Set(contract.document.components.schemas.Scope.enum);
for (const operation of contract.operations) {
  const where = `error: ${operation.method} ${operation.path}`;
  const raw = operation.raw;
  if (!Array.isArray(raw['x-scopes'])) messages.push(`${where}: no x-scopes`);
  for (const scope of raw['x-scopes'] ?? []) {
    if (!scopes.has(scope)) messages.push(`${where}: ${scope} is not a scope`);
  }
  const statuses = Object.keys(operation.responses);
  if (!statuses.some((status) => status.startsWith('2'))) messages.push(`${where}: no success`);
  const due = ['400', '429', '500', '503'];
  if (!(raw.security && raw.security.length === 0)) due.push('401', '403');
  if (raw.requestBody) due.push('411', '413', '415', '422');
  if (operation.path.includes('{')) due.push('404');
  if (operation.method !== 'get') due.push('507');
  for (const status of due) {
    const batch = status === '422' && statuses.includes('200') && raw.requestBody;
    if (!statuses.includes(status) && !batch) messages.push(`${where}: no ${status}`);
  }
}
for (const { where, errors } of contract.checkExamples()) messages.push(`error: ${where}: ${errors}`);

for (const message of messages) console.log(message);
console.log(`contract: ${contract.operations.length} operations, ${messages.length} findings`);
process.exit(messages.length === 0 ? 0 : 1);
