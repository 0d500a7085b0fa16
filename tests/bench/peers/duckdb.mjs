// The report as an analyst would take it: DuckDB aggregates the raw facts of a month by course.
//
//   node duckdb.mjs FILE ORDERS COURSES MONTHS
//
// FILE is made once, with the orders of ceilings/fill.c. Each line on standard input asks for one
// report; each answer is a line of JSON: milliseconds, and gross in minor units by course.
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';

const [file, orders, courses, months] = process.argv.slice(2);
const instance = await DuckDBInstance.create(file, { threads: '1' });
const db = await instance.connect();
const count = async (sql) => Number((await db.runAndReadAll(sql)).getRows()[0][0]);

await db.run(`CREATE TABLE IF NOT EXISTS facts (
  occurred_at TIMESTAMP, order_id VARCHAR, channel VARCHAR, provider VARCHAR, course_id VARCHAR, currency VARCHAR,
  quantity BIGINT, paid BIGINT, tax BIGINT, store_fee BIGINT, payment_fee BIGINT)`);
if (await count('SELECT count(*) FROM facts') !== Number(orders)) {
  await db.run('DELETE FROM facts');
  await db.run(`INSERT INTO facts
    SELECT make_timestamp(2025, 1 + i % ${months}, 1 + i // ${months} % 28, i % 24, i % 60, 0),
      printf('o%010d', i), 'shop', 'school', printf('c%d', i * 7919 % 1000003 % ${courses}), 'EUR', 1,
      500 + i * 7919 % 20011, 0, 0, 0
    FROM range(${orders}) AS t (i)`);
  await db.run('CHECKPOINT');
}

const report = await db.prepare(`
  SELECT provider, course_id, currency, count(*), sum(quantity), sum(paid)::BIGINT, sum(tax), sum(store_fee),
    sum(payment_fee), sum(paid - tax - store_fee - payment_fee) AS net,
    sum((paid - tax - store_fee - payment_fee) // 2) AS share
  FROM facts
  WHERE channel = 'shop' AND occurred_at >= TIMESTAMP '2025-01-01' AND occurred_at < TIMESTAMP '2025-02-01'
  GROUP BY provider, course_id, currency ORDER BY provider, course_id, currency`);

for await (const _ of createInterface({ input: process.stdin })) {
  const began = performance.now();
  const rows = (await report.runAndReadAll()).getRows();
  const ms = performance.now() - began;
  console.log(JSON.stringify({ ms, gross: Object.fromEntries(rows.map((row) => [row[1], Number(row[5])])) }));
}
