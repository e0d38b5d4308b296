// Workloads C and D on DBOS Transact with PostgreSQL: an HTTP server that starts a durable workflow for each
// request and waits for its result.
//   PEERS=build/peers PORT=7001 PGURL=postgresql://… TENANT=http://127.0.0.1:PORT node dbos.mjs
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { response, steps } from './work.mjs';

const { DBOS } = createRequire(path.resolve(process.env.PEERS, 'x.js'))('@dbos-inc/dbos-sdk');

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: process.env.PGURL, logLevel: 'warn', runAdminServer: false });
const workflows = {
  '/durable': DBOS.registerWorkflow(
    async (alert) => {
      const first = await DBOS.runStep(async () => steps[0](alert), { name: 'first' });
      const second = await DBOS.runStep(async () => steps[1](alert, first), { name: 'second' });
      return DBOS.runStep(async () => steps[2](alert, second), { name: 'third' });
    },
    { name: 'durable' },
  ),
  '/e2e': DBOS.registerWorkflow(
    async (alert) => {
      if (!response.isWanted(alert)) return { skipped: true };
      const found = await DBOS.runStep(() => response.readAlert(alert), { name: 'read' });
      const action = await DBOS.runStep(() => response.isolate(found), { name: 'isolate' });
      await DBOS.runStep(() => response.tell(found, action), { name: 'tell' });
      return { ok: true };
    },
    { name: 'e2e' },
  ),
};
await DBOS.launch();

http
  .createServer((request, answer) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      try {
        const workflow = workflows[request.url];
        const result = await workflow(JSON.parse(Buffer.concat(parts)));
        answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
      } catch (problem) {
        answer.writeHead(500).end(String(problem));
      }
    });
  })
  .listen(Number(process.env.PORT), '127.0.0.1', () => console.log('ready'));
