// What somebody would build instead of Accord for events: Fastify and better-sqlite3, written as
// their documentation recommends (schema validation, prepared statements, an asynchronous logger).
//
//   PEER_KEY=… node server.mjs PORT DATABASE each|group LOG
//
// DATABASE is a copy of Accord's books with partners and courses: the rows are the same. `each` is
// one transaction per request, `group` one for all requests that have come meanwhile.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import Database from 'better-sqlite3';
import Fastify, { LogController } from 'fastify';
import pino from 'pino';

const [port, file, mode, log] = process.argv.slice(2);

const db = new Database(file);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.pragma('cache_size = -65536');

db.exec(`CREATE TABLE IF NOT EXISTS peer_key (hash BLOB PRIMARY KEY, partner TEXT NOT NULL) WITHOUT ROWID`);
const sha256 = (text) => createHash('sha256').update(text).digest();
db.prepare('INSERT OR REPLACE INTO peer_key VALUES (?, ?)').run(sha256(process.env.PEER_KEY), 'shop');

const sql = {
  key: db.prepare(
    'SELECT p.id, p.state FROM peer_key k JOIN partner p ON p.id = k.partner WHERE k.hash = ?'),
  known: db.prepare('SELECT body_hash FROM fact_key WHERE partner = ? AND event_id = ?').pluck(),
  course: db.prepare('SELECT 1 FROM partner WHERE id = ?').pluck(),
  learner: db.prepare('SELECT learner FROM learner_key WHERE lookup = ?').pluck(),
  addLearner: db.prepare('INSERT INTO learner_key VALUES (?, ?)'),
  take: db.prepare('UPDATE journal_head SET seq = seq + ? WHERE id = 1 RETURNING seq').pluck(),
  addKey: db.prepare('INSERT INTO fact_key VALUES (?, ?, ?, ?)'),
  addFact: db.prepare(`INSERT INTO fact VALUES (?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, NULL)`),
  count: db.prepare(`INSERT INTO feedback_rollup VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET total = total + excluded.total`),
  version: db.prepare(`INSERT INTO partner_version VALUES (?, ?)
    ON CONFLICT DO UPDATE SET seq = excluded.seq`),
};

const eventSchema = {
  type: 'object',
  required: ['event_id', 'type', 'occurred_at', 'provider', 'course_id', 'progress_ppm'],
  additionalProperties: false,
  properties: {
    event_id: { type: 'string', minLength: 1, maxLength: 128 },
    type: { const: 'progress' },
    occurred_at: { type: 'string', format: 'date-time' },
    learner: { type: 'string', minLength: 1, maxLength: 255 },
    provider: { type: 'string', pattern: '^[a-z0-9][a-z0-9-]{0,62}$' },
    course_id: { type: 'string', minLength: 1, maxLength: 255 },
    progress_ppm: { type: 'integer', minimum: 0, maximum: 1000000 },
    supersedes: { type: 'string', minLength: 1, maxLength: 128 },
  },
};
const answerSchema = {
  type: 'object',
  properties: {
    accepted: { type: 'integer' },
    duplicate: { type: 'integer' },
    conflict: { type: 'integer' },
    rejected: { type: 'integer' },
    as_of: { type: 'string' },
    results: {
      type: 'array',
      items: {
        type: 'object',
        properties: { event_id: { type: 'string' }, status: { type: 'string' }, code: { type: 'string' } },
      },
    },
  },
};

const learnerKey = randomBytes(32);

function learnerOf(partner, id) {
  const lookup = createHmac('sha256', learnerKey).update(`${partner}\0${id}`).digest();
  let learner = sql.learner.get(lookup);
  if (learner === undefined) {
    learner = randomBytes(16);
    sql.addLearner.run(lookup, learner);
  }
  return learner;
}

// One event, inside of a transaction.
function write(partner, event, now) {
  if (event.code) return { event_id: event.event_id, status: 'rejected', code: event.code };
  const { event_id, type, occurred_at, learner, provider, course_id, progress_ppm } = event;
  const body = JSON.stringify({ progress_ppm });
  const who = learner === undefined ? null : learnerOf(partner, learner);
  const hash = sha256(`${partner}\0${event_id}\0${type}\0${occurred_at}\0${provider}\0${course_id}\0` +
    `${who === null ? '' : who.toString('hex')}\0${body}`);
  const known = sql.known.get(partner, event_id);
  if (known !== undefined) return { event_id, status: known.equals(hash) ? 'duplicate' : 'conflict' };
  if (sql.course.get(provider) === undefined) return { event_id, status: 'rejected', code: 'provider_unknown' };
  const seq = sql.take.get(1);
  sql.addKey.run(partner, event_id, seq, hash);
  sql.addFact.run(seq, partner, event_id, type, Date.parse(occurred_at) * 1000, now, who, provider, course_id,
    progress_ppm, body, hash);
  sql.count.run(provider, course_id, type, 1);
  sql.version.run(partner, seq);
  return { event_id, status: 'accepted' };
}

function writeAll(partner, events) {
  const answer = { accepted: 0, duplicate: 0, conflict: 0, rejected: 0, as_of: String(Date.now()), results: [] };
  const now = Date.now() * 1000;
  for (const event of events) {
    const result = write(partner, event, now);
    answer[result.status]++;
    answer.results.push(result);
  }
  return answer;
}

const each = db.transaction(writeAll);

let waiting = [];
const all = db.transaction((requests) => requests.map(({ partner, events }) => writeAll(partner, events)));
function flush() {
  const requests = waiting;
  waiting = [];
  try {
    const answers = all.immediate(requests);
    requests.forEach((request, i) => request.resolve(answers[i]));
  } catch (error) {
    requests.forEach((request) => request.reject(error));
  }
}
function grouped(partner, events) {
  return new Promise((resolve, reject) => {
    if (waiting.push({ partner, events, resolve, reject }) === 1) setImmediate(flush);
  });
}

const app = Fastify({
  bodyLimit: 16 * 1024 * 1024,
  logController: new LogController({ disableRequestLogging: true }),
  loggerInstance: pino(pino.destination({ dest: log, sync: false, minLength: 4096 })),
});

app.addContentTypeParser('application/x-ndjson', { parseAs: 'string' }, (request, body, done) => {
  const events = [];
  for (const line of body.split('\n')) {
    if (line === '') continue;
    try {
      events.push(JSON.parse(line));
    } catch {
      events.push({ code: 'json_invalid' });
    }
  }
  done(null, events);
});

app.addHook('onRequest', async (request, reply) => {
  const head = request.headers.authorization ?? '';
  const owner = head.startsWith('Bearer ') ? sql.key.get(sha256(head.slice(7))) : undefined;
  if (owner === undefined || owner.state !== 'active') {
    reply.code(401);
    throw new Error('unauthenticated');
  }
  request.partner = owner.id;
});
app.decorateRequest('partner', '');
app.addHook('onResponse', async (request, reply) => {
  request.log.info({ method: request.method, url: request.url, status: reply.statusCode, ms: reply.elapsedTime });
});

app.post('/v1/events', {
  schema: {
    body: { type: 'array', minItems: 1, maxItems: 10000 },
    response: { 200: answerSchema },
  },
}, async (request) => {
  const valid = request.getValidationFunction(eventSchema) ?? request.compileValidationSchema(eventSchema);
  const events = request.body.map((event) => (event.code || valid(event)
    ? event
    : { event_id: event?.event_id, code: 'body_invalid' }));
  return mode === 'group' ? grouped(request.partner, events) : each.immediate(request.partner, events);
});

process.on('SIGTERM', () => app.close().then(() => process.exit(0)));
await app.listen({ port: Number(port), host: '127.0.0.1' });
