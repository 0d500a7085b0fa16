// The contract as a validator of answers: finds the operation of a request, checks status, headers, content type, body.
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'];

// A pointer's parts: '~1' and '~0' are those of RFC 6901.
function lookUp(document, reference) {
  return reference
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((value, part) => value[part], document);
}

const escape = (part) => part.replaceAll('~', '~0').replaceAll('/', '~1');

export function load(text) {
  const document = parse(text, { maxAliasCount: 0 });
  const ajv = new Ajv2020({ strict: false, allErrors: true, discriminator: false });
  addFormats(ajv);
  ajv.addSchema({ $id: 'contract', ...document });
  const validators = new Map();
  const validator = (pointer) => {
    if (!validators.has(pointer)) validators.set(pointer, ajv.compile({ $ref: `contract#${pointer}` }));
    return validators.get(pointer);
  };
  // Follows references, keeping the pointer of where the value really stands.
  const at = (pointer) => {
    let value = lookUp(document, `#${pointer}`);
    while (value && value.$ref) {
      pointer = value.$ref.slice(1);
      value = lookUp(document, value.$ref);
    }
    return { value, pointer };
  };
  const explain = (validate) =>
    validate.errors
      .slice(0, 5)
      .map((e) => `${e.instancePath || '/'} ${e.message}${e.params ? ` ${JSON.stringify(e.params)}` : ''}`)
      .join('; ');

  const operations = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      if (!item[method]) continue;
      const pointer = `/paths/${escape(path)}/${method}`;
      const responses = {};
      for (const status of Object.keys(item[method].responses)) {
        responses[status] = at(`${pointer}/responses/${status}`);
      }
      const literal = path.split('/').filter((part) => !part.startsWith('{')).length;
      const pattern = new RegExp(
        `^${path
          .split(/(\{[^}]+\})/)
          .map((part) => (part.startsWith('{') ? '[^/]+' : part.replace(/[.*+?^$()|[\]\\]/g, '\\$&')))
          .join('')}$`,
      );
      operations.push({ id: item[method].operationId, method, path, pattern, literal, pointer, raw: item[method], responses });
    }
  }

  // The operation of a request; the one with more literal parts wins (/agreements/resolve).
  function find(method, target) {
    const path = target.split('?')[0];
    const fits = operations.filter((o) => o.pattern.test(path)).sort((a, b) => b.literal - a.literal);
    const most = fits.filter((o) => fits[0].literal === o.literal);
    return {
      known: fits.length > 0,
      operation: most.find((o) => o.method === (method === 'HEAD' ? 'get' : method.toLowerCase())),
    };
  }

  function checkResponse(pointer, answer, problems) {
    const response = at(pointer).value;
    const content = response.content;
    const given = answer.content_type ? answer.content_type.split(';')[0].trim().toLowerCase() : null;
    for (const name of Object.keys(response.headers ?? {})) {
      const header = at(`${pointer}/headers/${escape(name)}`);
      const value = answer.headers?.[name.toLowerCase()];
      if (value === undefined) {
        if (header.value.required) problems.push(`header ${name} is missing`);
        continue;
      }
      const validate = validator(`${header.pointer}/schema`);
      const typed = header.value.schema.type === 'integer' && /^\d+$/.test(value) ? Number(value) : value;
      if (!validate(typed)) problems.push(`header ${name} is ${JSON.stringify(value)}: ${explain(validate)}`);
    }
    if (answer.method === 'HEAD') return;
    if (!content) {
      if (answer.body !== '' && answer.body !== undefined) problems.push('a body where the contract has none');
      return;
    }
    if (!given || !content[given]) {
      problems.push(`content type ${given} is not one of ${Object.keys(content).join(', ')}`);
      return;
    }
    let body = answer.body;
    if (/[/+]json$/.test(given)) {
      try {
        body = JSON.parse(answer.body);
      } catch (error) {
        problems.push(`the body is not JSON: ${error.message}`);
        return;
      }
    }
    const validate = validator(`${pointer}/content/${escape(given)}/schema`);
    if (!validate(body)) problems.push(explain(validate));
  }

  // Problems of one recorded answer, as texts; and the operation, if it is one of the contract.
  function check(answer) {
    const problems = [];
    const { known, operation } = find(answer.method, answer.path);
    if (operation) {
      const response = operation.responses[String(answer.status)];
      if (response) {
        checkResponse(response.pointer, answer, problems);
        return { operation, problems };
      }
      problems.push(`status ${answer.status} is not one of the operation's`);
      return { operation, problems };
    }
    // No operation of the contract: a problem it must be, of the general kind.
    const general = Object.entries(document.components.responses).find(
      ([, r]) => r.content?.['application/problem+json']?.schema?.properties?.status?.const === answer.status,
    );
    if (known && answer.status < 400) problems.push('an answer to a method that the contract does not have');
    if (!general) {
      problems.push(`status ${answer.status} on a path that the contract does not have`);
    } else {
      checkResponse(`/components/responses/${general[0]}`, answer, problems);
    }
    return { operation: null, problems };
  }

  // Request bodies that the service accepted must be acceptable to the contract too.
  function checkRequest(operation, answer) {
    if (answer.status >= 300 || !operation?.raw.requestBody || !answer.request_body) return [];
    const type = (answer.request_content_type ?? '').split(';')[0].trim().toLowerCase();
    const { value, pointer } = at(`${operation.pointer}/requestBody`);
    if (!value.content[type]) return [`the request's content type ${type} is not in the contract`];
    if (type !== 'application/json') return [];
    // What is refused item by item is no matter of the whole.
    if (/^post(Events|Feedback|Orders)$|^importCatalog$/.test(operation.id)) return [];
    const validate = validator(`${pointer}/content/${escape(type)}/schema`);
    return validate(JSON.parse(answer.request_body)) ? [] : [`accepted request: ${explain(validate)}`];
  }

  function* checkExamples() {
    const visit = function* (pointer, media) {
      const examples = media.examples ?? {};
      for (const name of Object.keys(examples)) {
        const example = at(`${pointer}/examples/${escape(name)}`).value.value;
        const validate = validator(`${pointer}/schema`);
        if (!validate(example)) yield { where: `${pointer} example ${name}`, errors: explain(validate) };
      }
    };
    for (const operation of operations) {
      if (operation.raw.requestBody) {
        const { value, pointer } = at(`${operation.pointer}/requestBody`);
        for (const [type, media] of Object.entries(value.content)) yield* visit(`${pointer}/content/${escape(type)}`, media);
      }
      for (const { value, pointer } of Object.values(operation.responses)) {
        for (const [type, media] of Object.entries(value.content ?? {})) yield* visit(`${pointer}/content/${escape(type)}`, media);
      }
    }
  }

  return { document, operations, find, check, checkRequest, checkExamples };
}
