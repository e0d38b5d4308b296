// Workloads C and D in Node without durability: what a crash leaves behind is lost.
//   PORT=7000 TENANT=http://127.0.0.1:PORT node plain.mjs
import http from 'node:http';
import { response, steps } from './work.mjs';

const workflows = {
  '/durable': async (alert) => steps[2](alert, steps[1](alert, steps[0](alert))),
  '/e2e': async (alert) => {
    if (!response.isWanted(alert)) return { skipped: true };
    const found = await response.readAlert(alert);
    const action = await response.isolate(found);
    await response.tell(found, action);
    return { ok: true };
  },
};

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
