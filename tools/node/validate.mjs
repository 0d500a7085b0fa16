// Validates every answer that the API suite recorded: `node validate.mjs api/openapi.yaml FOLDER`. Prints what does not fit,
// and the operations and statuses of the contract that no test has seen. Fails on the former, and on an operation that was
// never answered with success.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { load } from './contract.mjs';

const [contractFile, folder] = process.argv.slice(2);
const contract = load(readFileSync(contractFile, 'utf8'));
const seen = new Map(contract.operations.map((operation) => [operation, new Set()]));
const failures = new Map();
let answers = 0;

for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl')).sort()) {
  readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .forEach((line, index) => {
      const answer = JSON.parse(line);
      answers++;
      const { operation, problems } = contract.check(answer);
      if (operation) {
        seen.get(operation).add(String(answer.status));
        problems.push(...contract.checkRequest(operation, answer));
      }
      for (const problem of problems) {
        // One line for one kind of mistake, with the first place where it was seen.
        const kind = `${operation ? operation.id : `${answer.method} ${answer.path}`} ${answer.status}: ${problem}`;
        const known = failures.get(kind);
        if (known) known.count++;
        else failures.set(kind, { count: 1, where: `${file}:${index + 1}`, answer });
      }
    });
}

for (const [kind, { count, where, answer }] of failures) {
  console.log(`${where}: ${kind}${count > 1 ? ` (${count} times)` : ''}`);
  console.log(`    ${answer.method} ${answer.path} → ${String(answer.body).slice(0, 400)}`);
}
const never = [];
for (const [operation, statuses] of seen) {
  if (![...statuses].some((status) => status.startsWith('2'))) never.push(operation.id);
}
if (never.length > 0) console.log(`never answered with success: ${never.join(', ')}`);
const declared = contract.operations.reduce((sum, o) => sum + Object.keys(o.responses).length, 0);
const met = [...seen.values()].reduce((sum, statuses) => sum + statuses.size, 0);
const operations = [...seen.values()].filter((statuses) => statuses.size > 0).length;
console.log(
  `contract: ${answers} answers of ${operations}/${contract.operations.length} operations ` +
    `(${met}/${declared} statuses), ${failures.size} kinds of mistake`,
);
process.exit(failures.size === 0 && never.length === 0 && answers > 0 ? 0 : 1);
